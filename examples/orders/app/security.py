"""Passwords and tokens."""

import datetime as dt

import jwt
from pwdlib import PasswordHash

from app.config import get_settings

ALGORITHM = "HS256"

passwords = PasswordHash.recommended()


def hash_password(password: str) -> str:
    return passwords.hash(password)


def verify_password(password: str, hashed: str) -> bool:
    return passwords.verify(password, hashed)


def create_access_token(user_id: int) -> str:
    settings = get_settings()
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=settings.token_minutes)
    return jwt.encode({"sub": str(user_id), "exp": expires}, settings.secret_key, ALGORITHM)


def read_access_token(token: str) -> int | None:
    """The user's id; None if the token is none of ours, or has expired."""
    try:
        claims = jwt.decode(token, get_settings().secret_key, [ALGORITHM])
        return int(claims["sub"])
    except (jwt.PyJWTError, KeyError, ValueError):
        return None
