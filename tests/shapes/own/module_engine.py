"""A second engine on the app's URL, made by the tests, leads where the app's does."""

import os

import pytest
from shop import Item
from sqlalchemy import create_engine, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

engine = create_async_engine(os.environ["DATABASE_URL"])
blocking_engine = create_engine(os.environ["BLOCKING_URL"])


@pytest.fixture
async def own_session():
    async with AsyncSession(engine) as session:
        yield session


@pytest.fixture
def own_blocking_session():
    with Session(blocking_engine) as session:
        yield session


@pytest.mark.parametrize("attempt", [1, 2])
async def test_an_engine_of_the_tests(client, own_session, attempt):
    own_session.add(Item(name="own"))
    await own_session.commit()
    await client.post("/items/lamp")
    assert list(await own_session.scalars(select(Item.name))) == ["own", "lamp"]


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_blocking_engine_of_the_tests(client, own_blocking_session, attempt):
    own_blocking_session.add(Item(name="own"))
    own_blocking_session.commit()
    client.post("/items/lamp")
    assert list(own_blocking_session.scalars(select(Item.name))) == ["own", "lamp"]
