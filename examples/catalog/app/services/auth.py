import datetime as dt

from sqlalchemy.ext.asyncio import AsyncSession

from app.core.clock import now
from app.core.config import Settings
from app.core.errors import UnauthorizedError
from app.core.security import hash_password, hash_token, new_token, verify_password
from app.models import User
from app.repositories.users import SessionRepository, UserRepository
from app.schemas.auth import LoginIn, LoginOut
from app.services.throttle import Throttle


class AuthService:
    def __init__(self, session: AsyncSession, settings: Settings) -> None:
        self.session = session
        self.settings = settings
        self.users = UserRepository(session)
        self.sessions = SessionRepository(session)

    async def add_user(self, data: LoginIn) -> User:
        password_hash = await hash_password(data.password)
        user = await self.users.add(username=data.username, password_hash=password_hash)
        await self.session.commit()
        return user

    async def log_in(self, data: LoginIn, throttle: Throttle) -> LoginOut:
        await throttle.count(data.username)
        user = await self.users.named(data.username)
        await self.session.commit()  # No transaction is left open while a password is looked at.
        is_right = await verify_password(user.password_hash if user else None, data.password)
        if user is None or not is_right:
            raise UnauthorizedError("Wrong username or password.")
        await throttle.forget(data.username)
        await self.sessions.delete_many({"user_id": user.id, "expires_at__lte": now()})
        token = new_token()
        expires_at = now() + dt.timedelta(hours=self.settings.session_hours)
        await self.sessions.add(user=user, token_hash=hash_token(token), expires_at=expires_at)
        await self.session.commit()
        return LoginOut(access_token=token, expires_at=expires_at)

    async def user_of(self, token: str) -> User:
        found = await self.sessions.of_token(hash_token(token))
        if found is None or found.expires_at <= now():
            raise UnauthorizedError("Not logged in.", {"WWW-Authenticate": "Bearer"})
        return found.user

    async def log_out(self, token: str) -> None:
        await self.sessions.delete_many({"token_hash": hash_token(token)})
        await self.session.commit()
