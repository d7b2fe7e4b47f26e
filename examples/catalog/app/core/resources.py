"""What the app holds from its start to its end: an engine, a client of Redis, a client of HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx2
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from app.core.config import Settings


@dataclass(frozen=True)
class Resources:
    sessions: async_sessionmaker[AsyncSession]
    redis: Redis
    http: httpx2.AsyncClient


@asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    engine = create_async_engine(settings.database_url)
    redis = Redis.from_url(
        settings.redis_url, decode_responses=True, retry=Retry(NoBackoff(), retries=0)
    )
    try:
        async with redis, httpx2.AsyncClient(timeout=5) as http:
            yield Resources(async_sessionmaker(engine, expire_on_commit=False), redis, http)
    finally:
        await engine.dispose()
