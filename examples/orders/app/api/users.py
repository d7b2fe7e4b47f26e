from fastapi import APIRouter, HTTPException
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.api.deps import Admin, CurrentUser, OneUser
from app.database import Db
from app.models import User
from app.schemas import Data, UserIn, UserOut
from app.security import hash_password
from app.services import email

router = APIRouter(prefix="/api/users", tags=["users"])


@router.post("", status_code=201, response_model=Data[UserOut])
def create_user(data: UserIn, db: Db) -> dict[str, User]:
    user = User(email=data.email, name=data.name, hashed_password=hash_password(data.password))
    db.add(user)
    try:
        db.commit()
    except IntegrityError:
        db.rollback()
        raise HTTPException(409, "A user of that e-mail exists.") from None
    return {"data": user}


@router.get("", response_model=Data[list[UserOut]])
def list_users(db: Db, admin: Admin) -> dict[str, list[User]]:
    return {"data": list(db.scalars(select(User).order_by(User.id)))}


@router.get("/me", response_model=Data[UserOut])
def read_me(me: CurrentUser) -> dict[str, User]:
    return {"data": me}


@router.get("/{user_id}", response_model=Data[UserOut])
def read_user(user: OneUser) -> dict[str, User]:
    return {"data": user}


@router.delete("/{user_id}", status_code=204)
def delete_user(user: OneUser, db: Db) -> None:
    db.delete(user)
    try:
        db.commit()
    except IntegrityError:
        db.rollback()
        raise HTTPException(409, "The user has orders.") from None


@router.post("/{user_id}/verify", response_model=Data[UserOut])
def verify_user(user: OneUser, db: Db, admin: Admin) -> dict[str, User]:
    if user.is_verified:
        raise HTTPException(409, "The user is verified.")
    user.is_verified = True
    try:
        email.send_email(user.email, "You are verified", f"Welcome, {user.name}!")
    except email.EmailError as error:
        db.rollback()
        raise HTTPException(503, "No mail can be sent: try again.") from error
    db.commit()
    return {"data": user}
