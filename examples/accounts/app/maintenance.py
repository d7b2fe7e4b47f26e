"""`python -m app.maintenance` makes the tables anew. Every account is lost."""

import asyncio

from app.core.database import engine
from app.models.base import Base
from app.models.user import User  # noqa: F401 - so that its table is known


async def rebuild() -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)


if __name__ == "__main__":
    asyncio.run(rebuild())
