from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from fastapi.security import OAuth2PasswordBearer, OAuth2PasswordRequestForm
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from app.core.database import Db
from app.core.security import create_access_token, read_access_token, verify_password
from app.models.user import User

router = APIRouter(tags=["users"])
scheme = OAuth2PasswordBearer(tokenUrl="token")


class UserOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    username: str
    email: str


class Token(BaseModel):
    access_token: str
    token_type: str = "bearer"


async def get_current_user(db: Db, token: Annotated[str, Depends(scheme)]) -> User:
    user_id = read_access_token(token)
    user = await db.get(User, user_id) if user_id is not None else None
    if user is None:
        raise HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
    return user


@router.post("/token")
async def log_in(form: Annotated[OAuth2PasswordRequestForm, Depends()], db: Db) -> Token:
    user = None
    if form.username.isprintable():  # PostgreSQL has no texts with a zero in them.
        user = await db.scalar(select(User).where(User.username == form.username))
    is_right = await verify_password(form.password, user.hashed_password if user else None)
    if user is None or not is_right:
        raise HTTPException(401, "Wrong username or password", {"WWW-Authenticate": "Bearer"})
    return Token(access_token=create_access_token(user.id))


@router.get("/me", response_model=UserOut)
async def me(user: Annotated[User, Depends(get_current_user)]) -> User:
    return user
