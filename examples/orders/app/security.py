"""Passwords and tokens."""

import datetime as dt
import secrets

import jwt
from pwdlib import PasswordHash

from app.config import get_settings

ALGORITHM = "HS256"

passwords = PasswordHash.recommended()

#: Stands in where there is no user, so that a login takes as long as for one.
NOBODYS_HASH = passwords.hash(secrets.token_urlsafe())


def hash_password(password: str) -> str:
    return passwords.hash(password)


def verify_password(password: str, hashed: str) -> bool:
    return passwords.verify(password, hashed)


def create_access_token(user_id: int) -> str:
    settings = get_settings()
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=settings.token_minutes)
    claims = {"sub": str(user_id), "exp": expires}
    return jwt.encode(claims, settings.secret_key.get_secret_value(), ALGORITHM)


def read_access_token(token: str) -> int | None:
    """The user's id; None if the token is none of ours, or has expired."""
    key = get_settings().secret_key.get_secret_value()
    try:
        claims = jwt.decode(token, key, [ALGORITHM], options={"require": ["exp", "sub"]})
        return int(claims["sub"])
    except (jwt.PyJWTError, ValueError):
        return None
