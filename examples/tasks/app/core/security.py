"""Passwords and tokens."""

import asyncio
import datetime as dt
import secrets

import bcrypt
import jwt

from app.core.config import get_settings

ALGORITHM = "HS256"


# bcrypt reads no more than so many bytes.
LONGEST_PASSWORD = 72


def hash_password(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()


NOBODYS_HASH = hash_password(secrets.token_urlsafe())


async def verify_password(password: str, hashed: str | None) -> bool:
    """Without a hash it takes as long, so that nobody learns by it who is a user."""
    plain = password.encode()[:LONGEST_PASSWORD]
    fits = await asyncio.to_thread(bcrypt.checkpw, plain, (hashed or NOBODYS_HASH).encode())
    return fits and hashed is not None and len(password.encode()) <= LONGEST_PASSWORD


def create_access_token(user_id: int) -> str:
    settings = get_settings()
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=settings.token_minutes)
    key = settings.secret_key.get_secret_value()
    return jwt.encode({"sub": str(user_id), "exp": expires}, key, ALGORITHM)


def read_access_token(token: str) -> int | None:
    """The user's id; None if the token is none of ours, or has expired."""
    key = get_settings().secret_key.get_secret_value()
    try:
        claims = jwt.decode(token, key, [ALGORITHM], options={"require": ["exp", "sub"]})
        return int(claims["sub"])
    except (jwt.PyJWTError, ValueError):
        return None
