from typing import Annotated

from fastapi import Depends, Path
from fastapi.security import OAuth2PasswordBearer

from app.core.database import Db
from app.core.exceptions import AuthRequiredError, ForbiddenError
from app.core.security import get_common_passwords, read_access_token
from app.models.user import User
from app.repositories.user import UserRepository
from app.services.user import UserService

scheme = OAuth2PasswordBearer(tokenUrl="/api/v1/auth/login", auto_error=False)


def get_user_repository(db: Db) -> UserRepository:
    return UserRepository(db)


Users = Annotated[UserRepository, Depends(get_user_repository)]


def get_user_service(
    users: Users, common: Annotated[frozenset[str], Depends(get_common_passwords)]
) -> UserService:
    return UserService(users, common)


Service = Annotated[UserService, Depends(get_user_service)]


async def get_current_user(users: Users, token: Annotated[str | None, Depends(scheme)]) -> User:
    user_id = read_access_token(token) if token else None
    user = await users.get(user_id) if user_id is not None else None
    await users.commit()  # No transaction is left open while a request goes on to hash passwords.
    if user is None:
        raise AuthRequiredError("Sign in first.")
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]


async def get_admin(user: CurrentUser) -> User:
    if not user.is_admin:
        raise ForbiddenError("Only administrators may do that.")
    return user


UserId = Annotated[int, Path(ge=1, lt=2**31)]


async def get_reader(user_id: UserId, user: CurrentUser) -> User:
    """Who may read that user: he himself, and an administrator."""
    if user.id != user_id and not user.is_admin:
        raise ForbiddenError("Only administrators read other users.")
    return user
