"""Users in the database."""

from psycopg.errors import UniqueViolation
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, AsyncSessionTransaction

from app.core.exceptions import ConflictError
from app.models.user import User


class UserRepository:
    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get(self, user_id: int) -> User | None:
        return await self.session.get(User, user_id)

    async def find_by_email(self, email: str) -> User | None:
        return await self.session.scalar(select(User).where(User.email == email.lower()))

    async def add(self, user: User) -> User:
        """Adds it to the transaction. A conflict ends that, or the savepoint around it."""
        self.session.add(user)
        try:
            await self.session.flush()
        except IntegrityError as error:
            if isinstance(error.orig, UniqueViolation):
                raise ConflictError(f"{user.email} is registered already.") from error
            raise
        return user

    def savepoint(self) -> AsyncSessionTransaction:
        """`async with` it: what is done in it is undone if it's left by an error."""
        return self.session.begin_nested()

    async def commit(self) -> None:
        await self.session.commit()
