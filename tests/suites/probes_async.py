"""The five probes as a user's async tests. Each starts from an empty table, in whatever order."""

from __future__ import annotations

import asyncio

import pytest
from main import SessionLocal, engine
from sqlalchemy import text


async def names(client):
    return (await client.get("/items")).json()


@pytest.fixture(autouse=True)
async def nothing_is_left(client):
    assert await names(client) == []


@pytest.mark.parametrize("attempt", [1, 2])
async def test_a_commit(client, attempt):
    assert (await client.post("/items/lamp")).json() == 1
    assert await names(client) == ["lamp"]


@pytest.mark.parametrize("attempt", [1, 2])
async def test_a_commit_after_a_rollback_after_an_error(client, attempt):
    await client.post("/conflict")
    assert await names(client) == ["before", "after"]


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("way", ["core", "raw", "autocommit", "background", "thread"])
async def test_every_way_to_write(client, way, attempt):
    await client.post(f"/{way}")
    assert await names(client) == [way]


@pytest.mark.parametrize("attempt", [1, 2])
async def test_twenty_requests_at_once(client, attempt):
    answers = await asyncio.gather(*(client.post(f"/items/n{i}") for i in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(await names(client)) == sorted(f"n{i}" for i in range(20))


@pytest.mark.parametrize("attempt", [1, 2])
async def test_ddl(client, attempt):
    statements = [
        "CREATE TABLE extra (id INTEGER)",
        "INSERT INTO extra VALUES (1)",
        "ALTER TABLE items ADD COLUMN more TEXT",
    ]
    connect = engine.begin()
    if hasattr(connect, "__aenter__"):
        async with connect as connection:
            for statement in statements:
                await connection.execute(text(statement))
    else:
        with connect as connection:
            for statement in statements:
                connection.execute(text(statement))


@pytest.mark.parametrize("attempt", [1, 2])
async def test_the_apps_own_sessionmaker(attempt):
    statement = text("INSERT INTO items (name) VALUES ('own')")
    session = SessionLocal()
    if hasattr(session, "__aenter__"):
        async with session:
            await session.execute(statement)
            await session.commit()
    else:
        with session:
            session.execute(statement)
            session.commit()
