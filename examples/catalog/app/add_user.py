"""`python -m app.add_user ann` adds a user, and asks for the password."""

import argparse
import asyncio
import getpass

from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError

from app.core.config import get_settings
from app.core.resources import open_resources
from app.schemas.auth import LoginIn
from app.services.auth import AuthService


async def add_user(username: str, password: str) -> None:
    data = LoginIn(username=username, password=password)
    settings = get_settings()
    async with open_resources(settings) as resources, resources.sessions() as session:
        await AuthService(session, settings).add_user(data)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m app.add_user", description=__doc__)
    parser.add_argument("username")
    username = parser.parse_args().username
    try:
        asyncio.run(add_user(username, getpass.getpass()))
    except ValidationError as error:
        parser.error("; ".join(each["msg"] for each in error.errors()))
    except IntegrityError:
        parser.error(f"There is a user {username}.")


if __name__ == "__main__":
    main()
