from typing import Any

from flask import Blueprint
from sqlalchemy import select

from app.api.bodies import answer, body
from app.api.deps import get_admin, get_current_user, get_user
from app.database import db
from app.models import User
from app.schemas import UserIn, UserOut
from app.services import users

blueprint = Blueprint("users", __name__, url_prefix="/api/users")


@blueprint.post("")
def create_user() -> tuple[dict[str, Any], int]:
    return answer(UserOut, users.register(db.session(), body(UserIn)), 201)


@blueprint.get("")
def list_users() -> tuple[dict[str, Any], int]:
    get_admin()
    return answer(list[UserOut], db.session.scalars(select(User).order_by(User.email)).all())


@blueprint.get("/me")
def read_me() -> tuple[dict[str, Any], int]:
    return answer(UserOut, get_current_user())


@blueprint.get("/<int:user_id>")
def read_user(user_id: int) -> tuple[dict[str, Any], int]:
    return answer(UserOut, get_user(user_id))


@blueprint.delete("/<int:user_id>")
def delete_user(user_id: int) -> tuple[str, int]:
    users.delete(db.session(), get_user(user_id))
    return "", 204


@blueprint.post("/<int:user_id>/verify")
def verify_user(user_id: int) -> tuple[dict[str, Any], int]:
    get_admin()
    user = get_user(user_id)
    users.verify(db.session(), user)
    return answer(UserOut, user)
