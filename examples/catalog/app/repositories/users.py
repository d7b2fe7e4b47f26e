from sqlalchemy import select

from app.models import LoginSession, User
from app.repositories.base import Repository


class UserRepository(Repository[User]):
    model = User

    async def named(self, username: str) -> User | None:
        return await self.session.scalar(select(User).where(User.username == username))


class SessionRepository(Repository[LoginSession]):
    model = LoginSession

    async def of_token(self, token_hash: str) -> LoginSession | None:
        return await self.session.scalar(
            select(LoginSession).where(LoginSession.token_hash == token_hash)
        )
