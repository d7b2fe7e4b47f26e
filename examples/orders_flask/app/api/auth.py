from typing import Any

from flask import Blueprint, abort
from sqlalchemy import select

from app.api.bodies import answer, body
from app.database import db
from app.models import User
from app.schemas import LoginIn, TokenOut
from app.security import NOBODYS_HASH, create_access_token, verify_password

blueprint = Blueprint("auth", __name__, url_prefix="/api/auth")


@blueprint.post("/login")
def log_in() -> tuple[dict[str, Any], int]:
    data = body(LoginIn)
    user = db.session.scalar(select(User).where(User.email == data.email))
    hashed = user.hashed_password if user else NOBODYS_HASH
    if not verify_password(data.password, hashed) or user is None:
        abort(401, "Wrong e-mail or password.")
    return answer(TokenOut, TokenOut(access_token=create_access_token(user.id)))
