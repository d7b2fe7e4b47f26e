"""The tables: `python -m app.maintenance create`, or `rebuild --yes`."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from app.core.database import engine
from app.models.base import Base
from app.models.user import User  # noqa: F401 - so that its table is known


async def create() -> None:
    """Makes the tables that aren't there."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)


async def rebuild() -> None:
    """Drops the tables with every account in them, and makes them anew."""
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)


async def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m app.maintenance", description=__doc__)
    commands = parser.add_subparsers(required=True)
    commands.add_parser("create", help=create.__doc__).set_defaults(command=create)
    again = commands.add_parser("rebuild", help=rebuild.__doc__)
    again.add_argument("--yes", action="store_true", required=True, help="lose every account")
    again.set_defaults(command=rebuild)
    await parser.parse_args(arguments).command()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
