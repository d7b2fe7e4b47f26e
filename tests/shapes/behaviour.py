"""What every shape does, each test twice: whatever the order, none sees another one's rows."""

from __future__ import annotations

import asyncio
import inspect

import pytest
from sqlalchemy import text

twice = pytest.mark.parametrize("attempt", [1, 2])


async def names(client):
    return (await client.get("/items")).json()


async def awaited(value):
    return await value if inspect.isawaitable(value) else value


@twice
async def test_a_commit_is_there_for_the_next_request(client, attempt):
    assert await names(client) == []
    assert (await client.post("/items/lamp")).json() == 1
    assert await names(client) == ["lamp"]


@twice
def test_a_commit_is_there_for_a_def_tests_next_request(sync_client, attempt):
    assert sync_client.get("/items").json() == []
    assert sync_client.post("/items/lamp").json() == 1
    assert sync_client.get("/items").json() == ["lamp"]


@twice
async def test_what_is_refused_is_rolled_back(client, attempt):
    assert (await client.post("/refused/lamp")).status_code == 400
    assert await names(client) == []


@twice
async def test_an_error_of_the_database_leaves_what_was_committed_before(client, attempt):
    await client.post("/items/lamp")
    assert (await client.post("/items/lamp")).status_code == 409
    assert (await client.post("/items/chair")).status_code == 201
    assert await names(client) == ["lamp", "chair"]


@twice
async def test_what_a_test_arranges_is_there_for_the_app(client, db_session, attempt):
    await awaited(db_session.execute(text("INSERT INTO items (name) VALUES ('own')")))
    assert await names(client) == ["own"]


@twice
def test_what_a_def_test_arranges_is_there_for_the_app(sync_client, db_session, attempt):
    db_session.execute(text("INSERT INTO items (name) VALUES ('own')"))
    assert sync_client.get("/items").json() == ["own"]


@twice
async def test_what_the_app_commits_is_there_for_the_test(client, db_session, attempt):
    await client.post("/items/lamp")
    rows = await awaited(db_session.execute(text("SELECT name FROM items")))
    assert rows.scalars().all() == ["lamp"]


@twice
async def test_ten_requests_at_once(client, attempt):
    answers = await asyncio.gather(*(client.post(f"/items/n{i}") for i in range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len(await names(client)) == 10
