"""Tests that replace the global by one of their own on the same URL."""

import os

import main
import pytest


@pytest.fixture(autouse=True)
async def replaced(monkeypatch):
    monkeypatch.setattr(main, "_sessions", None)
    main.override_db(os.environ["DATABASE_URL"])
    yield
    await main.sessions().kw["bind"].dispose()


@pytest.mark.parametrize("attempt", [1, 2])
async def test_the_replaced_one_is_isolated_too(client, attempt):
    assert (await client.get("/items")).json() == []
    await client.post("/items/lamp")
    assert (await client.get("/items")).json() == ["lamp"]
