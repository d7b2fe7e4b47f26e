"""Recipe: one connection, one outer transaction, one session for the test and the app.

Wrong where the app rolls back: that ends the outer transaction, and the next commit stays.
"""

from __future__ import annotations

import pytest_asyncio
from httpx2 import ASGITransport, AsyncClient
from main import Base, app, get_db
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.pool import StaticPool


@pytest_asyncio.fixture(scope="session")
async def engine():
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture
async def db_session(engine):
    async with engine.connect() as connection:
        transaction = await connection.begin()
        async with AsyncSession(connection, expire_on_commit=False) as session:
            yield session
        await transaction.rollback()


@pytest_asyncio.fixture
async def client(db_session):
    async def session():
        yield db_session

    app.dependency_overrides[get_db] = session
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        yield client
    app.dependency_overrides.clear()
