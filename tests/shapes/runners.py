"""What every runner runs: async and blocking tests in one file, with the clients that projects make."""

from __future__ import annotations

import main
import pytest
import pytest_asyncio
from fastapi.testclient import TestClient
from shop import Item
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

try:
    import httpx2 as http
except ImportError:
    import httpx as http

# RUNNER

twice = pytest.mark.parametrize("attempt", [1, 2])


async def names(client):
    return (await client.get("/items")).json()


@fixture
async def own_client():
    transport = http.ASGITransport(app=main.app)
    async with http.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.fixture
def test_client():
    with TestClient(main.app) as client:
        yield client


@pytest.fixture(scope="module")
def module_client():
    with TestClient(main.app) as client:
        yield client


@fixture
async def arranged(db_session):
    db_session.add(Item(name="arranged"))
    await db_session.commit()
    return "arranged"


@wide_fixture
async def held_engine():
    engine = create_async_engine(main.engine.url)
    yield engine
    await engine.dispose()


@wide_fixture
async def held_session(held_engine):
    async with AsyncSession(held_engine) as session:
        yield session


@twice
@asynchronous
async def test_an_async_test(client, db_session, arranged, attempt):
    assert await names(client) == ["arranged"]
    assert (await client.post("/items/lamp")).json() == 2
    assert await db_session.scalar(select(func.count()).select_from(Item)) == 2


@twice
def test_a_blocking_test(sync_client, db_session, attempt):
    db_session.execute(text("INSERT INTO items (name) VALUES ('own')"))
    assert sync_client.post("/items/lamp").json() == 2
    assert sync_client.get("/items").json() == ["own", "lamp"]


@twice
def test_a_blocking_test_by_the_client_of_its_kind(client, attempt):
    assert client.get("/items").json() == []
    client.post("/items/lamp")


@twice
def test_starlettes_test_client(test_client, db_session, attempt):
    assert test_client.get("/items").json() == []
    assert test_client.post("/items/lamp").json() == 1
    assert db_session.execute(text("SELECT name FROM items")).scalars().all() == ["lamp"]


@twice
def test_a_test_client_of_the_module(module_client, attempt):
    assert module_client.get("/items").json() == []
    assert module_client.post("/items/lamp").json() == 1


@twice
@asynchronous
async def test_an_async_client_of_the_projects_own(own_client, attempt):
    assert await names(own_client) == []
    assert (await own_client.post("/items/lamp")).json() == 1


@twice
@asynchronous
async def test_both_clients_see_the_same(own_client, client, attempt):
    await own_client.post("/items/lamp")
    assert await names(client) == ["lamp"]


@twice
@wide
async def test_an_engine_and_a_session_that_live_longer(client, held_engine, held_session, attempt):
    held_session.add(Item(name="held"))
    await held_session.commit()
    async with held_engine.connect() as connection:
        rows = await connection.execute(text("SELECT name FROM items"))
        assert rows.scalars().all() == ["held"]
    assert await names(client) == ["held"]
    await held_session.rollback()
