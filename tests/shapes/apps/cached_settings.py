"""Settings in a cached function, and an engine in another one."""

import os
from dataclasses import dataclass
from functools import cache

from fastapi import Depends, FastAPI
from shop import routes
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine


@dataclass(frozen=True)
class Settings:
    database_url: str
    echo: bool = False


@cache
def get_settings() -> Settings:
    return Settings(os.environ["DATABASE_URL"])


@cache
def get_engine() -> AsyncEngine:
    settings = get_settings()
    return create_async_engine(settings.database_url, echo=settings.echo)


async def get_session(engine: AsyncEngine = Depends(get_engine)):
    async with AsyncSession(engine) as session:
        yield session


app = FastAPI()
app.include_router(routes(get_session))
