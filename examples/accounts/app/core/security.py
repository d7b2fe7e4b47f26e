"""Passwords and tokens."""

import asyncio
import datetime as dt
import secrets
from functools import lru_cache
from pathlib import Path

import jwt
from pwdlib import PasswordHash

from app.core.config import get_settings

ALGORITHM = "HS256"
COMMON_PASSWORDS = Path(__file__).with_name("common_passwords.txt")

hasher = PasswordHash.recommended()
NOBODYS_HASH = hasher.hash(secrets.token_urlsafe())


async def hash_password(password: str) -> str:
    return await asyncio.to_thread(hasher.hash, password)


async def verify_password(password: str, hashed: str | None) -> bool:
    """Without a hash it takes as long, so that nobody learns by it who is registered."""
    fits = await asyncio.to_thread(hasher.verify, password, hashed or NOBODYS_HASH)
    return fits and hashed is not None


@lru_cache
def get_common_passwords() -> frozenset[str]:
    """Passwords that keep all the rules, and that everybody tries first."""
    return frozenset(COMMON_PASSWORDS.read_text().split())


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
