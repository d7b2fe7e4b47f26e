"""Passwords, and the tokens of sessions."""

import asyncio
import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

hasher = PasswordHasher()
NOBODYS_HASH = hasher.hash(secrets.token_urlsafe())


async def hash_password(password: str) -> str:
    return await asyncio.to_thread(hasher.hash, password)


async def verify_password(hashed: str | None, password: str) -> bool:
    """Without a hash it takes as long, so that nobody learns by it who is known here."""
    try:
        fits = await asyncio.to_thread(hasher.verify, hashed or NOBODYS_HASH, password)
    except VerifyMismatchError:
        return False
    return fits and hashed is not None


def new_token() -> str:
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
