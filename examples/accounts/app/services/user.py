"""What can be done with users."""

import logging
from collections.abc import Sequence

import aiosmtplib
from sqlalchemy.exc import OperationalError

from app.core.exceptions import (
    CommonPasswordError,
    ConflictError,
    InvalidCredentialsError,
    NotFoundError,
    UnavailableError,
)
from app.core.security import get_common_passwords, hash_password, verify_password
from app.models.user import User
from app.repositories.user import UserRepository
from app.schemas.user import Imported, UserCreate
from app.services.mail import send_welcome

logger = logging.getLogger(__name__)


class UserService:
    def __init__(
        self, users: UserRepository, common_passwords: frozenset[str] | None = None
    ) -> None:
        self.users = users
        self.common_passwords = (
            get_common_passwords() if common_passwords is None else common_passwords
        )

    async def register(self, data: UserCreate) -> User:
        """Who is welcomed is registered: the mail goes out after the commit."""
        user = await self._add(await self._new_user(data))
        await self._commit()
        try:
            await send_welcome(user)
        except (aiosmtplib.SMTPException, OSError):
            logger.warning("The welcome of user %s wasn't sent.", user.id, exc_info=True)
        return user

    async def import_users(self, rows: Sequence[UserCreate], *, strict: bool = False) -> Imported:
        """Skips the addresses that are taken; if it's strict, they undo the whole import."""
        imported = Imported(created=0, skipped=[])
        users = [await self._new_user(row) for row in rows]
        async with self.users.savepoint():
            for user in users:
                try:
                    await self._add(user)
                except ConflictError:
                    if strict:
                        raise
                    imported.skipped.append(user.email)
                else:
                    imported.created += 1
        await self._commit()
        return imported

    async def authenticate(self, email: str, password: str) -> User:
        user = await self.users.find_by_email(email)
        await self._commit()  # No transaction is left open while a password is looked at.
        is_right = await verify_password(password, user.hashed_password if user else None)
        if user is None or not is_right:
            raise InvalidCredentialsError("Wrong e-mail address or password.")
        return user

    async def get(self, user_id: int) -> User:
        user = await self.users.get(user_id)
        if user is None:
            raise NotFoundError(f"There is no user {user_id}.")
        return user

    async def _new_user(self, data: UserCreate) -> User:
        """Not in the database yet: a hash takes its time, and no transaction should wait for it."""
        password = data.password.get_secret_value()
        if password in self.common_passwords:
            raise CommonPasswordError(f"Everybody tries the password of {data.email} first.")
        hashed = await hash_password(password)
        return User(email=data.email, name=data.name, hashed_password=hashed)

    async def _add(self, user: User) -> User:
        """In a savepoint, so that a conflict leaves the rest of the transaction alone."""
        async with self.users.savepoint():
            return await self.users.add(user)

    async def _commit(self) -> None:
        try:
            await self.users.commit()
        except OperationalError as error:
            raise UnavailableError("The database doesn't answer: try again.") from error
