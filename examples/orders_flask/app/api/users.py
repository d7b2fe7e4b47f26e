from typing import Any

from flask import Blueprint, abort
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app.api.bodies import answer, body
from app.api.deps import get_admin, get_current_user, get_user
from app.database import db
from app.models import User
from app.schemas import UserIn, UserOut
from app.security import hash_password
from app.services import email

blueprint = Blueprint("users", __name__, url_prefix="/api/users")


@blueprint.post("")
def create_user() -> tuple[dict[str, Any], int]:
    data = body(UserIn)
    user = User(email=data.email, name=data.name, hashed_password=hash_password(data.password))
    db.session.add(user)
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        abort(409, "A user of that e-mail exists.")
    return answer(UserOut, user, 201)


@blueprint.get("")
def list_users() -> tuple[dict[str, Any], int]:
    get_admin()
    users = db.session.scalars(select(User).order_by(User.id))
    return answer(list[UserOut], users.all())


@blueprint.get("/me")
def read_me() -> tuple[dict[str, Any], int]:
    return answer(UserOut, get_current_user())


@blueprint.get("/<int:user_id>")
def read_user(user_id: int) -> tuple[dict[str, Any], int]:
    return answer(UserOut, get_user(user_id))


@blueprint.delete("/<int:user_id>")
def delete_user(user_id: int) -> tuple[str, int]:
    db.session.delete(get_user(user_id))
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        abort(409, "The user has orders.")
    return "", 204


@blueprint.post("/<int:user_id>/verify")
def verify_user(user_id: int) -> tuple[dict[str, Any], int]:
    get_admin()
    user = get_user(user_id)
    if user.is_verified:
        abort(409, "The user is verified.")
    user.is_verified = True
    try:
        email.send_email(user.email, "You are verified", f"Welcome, {user.name}!")
    except email.EmailError:
        db.session.rollback()
        abort(503, "No mail can be sent: try again.")
    db.session.commit()
    return answer(UserOut, user)
