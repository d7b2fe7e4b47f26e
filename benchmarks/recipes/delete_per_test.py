"""Recipe: delete from every table after each test. Right for rows; ids, DDL and seeds are not reset."""

from __future__ import annotations

import pytest_asyncio
from httpx2 import ASGITransport, AsyncClient
from main import Base, app, get_db
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
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
    async with AsyncSession(engine, expire_on_commit=False) as session:
        yield session
    async with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            await connection.execute(table.delete())


@pytest_asyncio.fixture
async def client(engine, db_session):
    factory = async_sessionmaker(engine, expire_on_commit=False)

    async def session():
        async with factory() as session:
            yield session

    app.dependency_overrides[get_db] = session
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        yield client
    app.dependency_overrides.clear()
