"""`python -m app.add_user ann` adds a user, and asks for the password."""

import asyncio
import getpass
import sys

from app.core.config import get_settings
from app.core.resources import open_resources
from app.schemas.auth import LoginIn
from app.services.auth import AuthService


async def add_user(username: str, password: str) -> None:
    data = LoginIn(username=username, password=password)
    settings = get_settings()
    async with open_resources(settings) as resources, resources.sessions() as session:
        await AuthService(session, settings).add_user(data)


if __name__ == "__main__":
    asyncio.run(add_user(sys.argv[1], getpass.getpass()))
