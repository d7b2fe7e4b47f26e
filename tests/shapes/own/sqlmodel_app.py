"""Tests that bind the module's engine anew, each time to one of their own."""

import os

import main
import pytest
from sqlmodel import Session, create_engine, select


@pytest.fixture
def own_engine(monkeypatch):
    engine = create_engine(os.environ["BLOCKING_URL"])
    monkeypatch.setattr(main, "engine", engine)
    yield engine
    engine.dispose()


@pytest.mark.parametrize("attempt", [1, 2])
def test_the_rebound_engine_is_isolated_too(client, own_engine, attempt):
    assert client.post("/items/lamp").json() == 1
    with Session(own_engine) as session:
        assert session.exec(select(main.Item.name)).all() == ["lamp"]
