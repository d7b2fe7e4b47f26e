"""The nearest peer, pytest-sqla: its session, wired into the app by hand."""

from __future__ import annotations

import pytest
import pytest_asyncio
from httpx2 import ASGITransport, AsyncClient
from main import Base, app, get_db


@pytest.fixture(scope="session")
def sqla_metadata():
    return Base.metadata


@pytest.fixture(scope="session")
def sqla_session_options():
    return {"expire_on_commit": False}


@pytest.fixture
def db_session(sqla_async_session):
    return sqla_async_session


@pytest_asyncio.fixture
async def client(sqla_async_session):
    async def session():
        yield sqla_async_session

    app.dependency_overrides[get_db] = session
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        yield client
    app.dependency_overrides.clear()
