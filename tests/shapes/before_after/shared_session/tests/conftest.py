"""One session for the test and the app, in a transaction that is rolled back."""

# -- boilerplate
from collections.abc import AsyncIterator

try:
    import httpx2 as http
except ImportError:
    import httpx as http
import pytest_asyncio
from main import Base, Note, app, get_session
from sqlalchemy import StaticPool, event
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def engine():
    engine = create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)

    @event.listens_for(engine.sync_engine, "connect")
    def no_begin(connection, record):
        connection.isolation_level = None

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection):
        connection.exec_driver_sql("BEGIN")

    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield engine
    await engine.dispose()


@pytest_asyncio.fixture(loop_scope="session")
async def db_session(engine) -> AsyncIterator[AsyncSession]:
    async with engine.connect() as connection:
        transaction = await connection.begin()
        session = AsyncSession(
            connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        )
        yield session
        await session.close()
        await transaction.rollback()


@pytest_asyncio.fixture(loop_scope="session")
async def client(db_session) -> AsyncIterator[http.AsyncClient]:
    app.dependency_overrides[get_session] = lambda: db_session
    transport = http.ASGITransport(app=app)
    async with http.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
    app.dependency_overrides.clear()


# -- end of the boilerplate

import pytest_asyncio  # noqa: E402
from main import Note  # noqa: E402, F811


@pytest_asyncio.fixture(loop_scope="session")
async def note(db_session) -> Note:
    note = Note(text="buy milk")
    db_session.add(note)
    await db_session.commit()
    return note
