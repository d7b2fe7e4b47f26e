from fastapi import APIRouter
from sqlalchemy import select

from app.api.deps import Admin, CurrentUser, OneUser
from app.database import Db
from app.models import User
from app.schemas import Data, UserIn, UserOut
from app.services import users

router = APIRouter(prefix="/api/users", tags=["users"])


@router.post("", status_code=201, response_model=Data[UserOut])
def create_user(data: UserIn, db: Db) -> dict[str, User]:
    return {"data": users.register(db, data)}


@router.get("", response_model=Data[list[UserOut]])
def list_users(db: Db, admin: Admin) -> dict[str, list[User]]:
    return {"data": list(db.scalars(select(User).order_by(User.email)))}


@router.get("/me", response_model=Data[UserOut])
def read_me(me: CurrentUser) -> dict[str, User]:
    return {"data": me}


@router.get("/{user_id}", response_model=Data[UserOut])
def read_user(user: OneUser) -> dict[str, User]:
    return {"data": user}


@router.delete("/{user_id}", status_code=204)
def delete_user(user: OneUser, db: Db) -> None:
    users.delete(db, user)


@router.post("/{user_id}/verify", response_model=Data[UserOut])
def verify_user(user: OneUser, db: Db, admin: Admin) -> dict[str, User]:
    users.verify(db, user)
    return {"data": user}
