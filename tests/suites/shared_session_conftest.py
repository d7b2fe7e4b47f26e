"""The usual recipe: one connection, one transaction, one session for the test and the app."""

from __future__ import annotations

import pytest_asyncio
from main import Base, app, get_db
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

try:
    from httpx2 import ASGITransport, AsyncClient
except ModuleNotFoundError:
    from httpx import ASGITransport, AsyncClient


@pytest_asyncio.fixture
async def db_session():
    engine = create_async_engine("sqlite+aiosqlite://")
    async with engine.connect() as connection:
        await connection.run_sync(Base.metadata.create_all)
        async with AsyncSession(
            connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
        ) as session:
            yield session
    await engine.dispose()


@pytest_asyncio.fixture
async def client(db_session):
    app.dependency_overrides[get_db] = lambda: db_session
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        yield client
    app.dependency_overrides.clear()
