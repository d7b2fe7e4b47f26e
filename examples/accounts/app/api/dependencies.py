from typing import Annotated

from fastapi import Depends
from fastapi.security import OAuth2PasswordBearer

from app.core.database import Db
from app.core.exceptions import AuthRequiredError, CommonPasswordError, ForbiddenError
from app.core.security import get_common_passwords, read_access_token
from app.models.user import User
from app.repositories.user import UserRepository
from app.schemas.user import UserCreate
from app.services.user import UserService

scheme = OAuth2PasswordBearer(tokenUrl="/api/v1/auth/login", auto_error=False)


def get_user_repository(db: Db) -> UserRepository:
    return UserRepository(db)


Users = Annotated[UserRepository, Depends(get_user_repository)]


def get_user_service(users: Users) -> UserService:
    return UserService(users)


Service = Annotated[UserService, Depends(get_user_service)]


async def get_current_user(users: Users, token: Annotated[str | None, Depends(scheme)]) -> User:
    user_id = read_access_token(token) if token else None
    user = await users.get(user_id) if user_id is not None else None
    if user is None:
        raise AuthRequiredError("Sign in first.")
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]


async def get_admin(user: CurrentUser) -> User:
    if not user.is_admin:
        raise ForbiddenError("Only administrators may do that.")
    return user


async def get_new_user(
    data: UserCreate, common: Annotated[frozenset[str], Depends(get_common_passwords)]
) -> UserCreate:
    if data.password.get_secret_value() in common:
        raise CommonPasswordError("Everybody tries this password first.")
    return data


NewUser = Annotated[UserCreate, Depends(get_new_user)]
