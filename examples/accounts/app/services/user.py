"""What can be done with users."""

import logging
from collections.abc import Sequence

import aiosmtplib
from sqlalchemy.exc import OperationalError

from app.core.exceptions import (
    ConflictError,
    InvalidCredentialsError,
    NotFoundError,
    UnavailableError,
)
from app.core.security import hash_password, verify_password
from app.models.user import User
from app.repositories.user import UserRepository
from app.schemas.user import Imported, UserCreate
from app.services.mail import send_welcome

logger = logging.getLogger(__name__)


class UserService:
    def __init__(self, users: UserRepository) -> None:
        self.users = users

    async def register(self, data: UserCreate) -> User:
        """Who is welcomed is registered: the mail goes out after the commit."""
        user = await self._create(data)
        await self._commit()
        try:
            await send_welcome(user)
        except (aiosmtplib.SMTPException, OSError):
            logger.warning("The welcome of user %s wasn't sent.", user.id, exc_info=True)
        return user

    async def import_users(self, rows: Sequence[UserCreate], *, strict: bool = False) -> Imported:
        """Skips the addresses that are taken; if it's strict, they undo the whole import."""
        imported = Imported(created=0, skipped=[])
        async with self.users.savepoint():
            for row in rows:
                try:
                    await self._create(row)
                except ConflictError:
                    if strict:
                        raise
                    imported.skipped.append(row.email)
                else:
                    imported.created += 1
        await self._commit()
        return imported

    async def authenticate(self, email: str, password: str) -> User:
        user = await self.users.find_by_email(email)
        if user is None or not await verify_password(password, user.hashed_password):
            raise InvalidCredentialsError("Wrong e-mail address or password.")
        return user

    async def get(self, user_id: int) -> User:
        user = await self.users.get(user_id)
        if user is None:
            raise NotFoundError(f"There is no user {user_id}.")
        return user

    async def _create(self, data: UserCreate) -> User:
        """In a savepoint, so that a conflict leaves the rest of the transaction alone."""
        hashed = await hash_password(data.password.get_secret_value())
        async with self.users.savepoint():
            return await self.users.add(
                User(email=data.email, name=data.name, hashed_password=hashed)
            )

    async def _commit(self) -> None:
        try:
            await self.users.commit()
        except OperationalError as error:
            raise UnavailableError("The database doesn't answer: try again.") from error
