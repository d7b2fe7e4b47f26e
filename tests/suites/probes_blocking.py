"""The five probes as a user's `def` tests. Each starts from an empty table, in whatever order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest


def names(client):
    return client.get("/items").json()


@pytest.fixture(autouse=True)
def nothing_is_left(sync_client):
    assert names(sync_client) == []


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_commit(sync_client, attempt):
    assert sync_client.post("/items/lamp").json() == 1
    assert names(sync_client) == ["lamp"]


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_commit_after_a_rollback_after_an_error(sync_client, attempt):
    sync_client.post("/conflict")
    assert names(sync_client) == ["before", "after"]


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("way", ["core", "raw", "autocommit", "background", "thread"])
def test_every_way_to_write(sync_client, way, attempt):
    sync_client.post(f"/{way}")
    assert names(sync_client) == [way]


@pytest.mark.parametrize("attempt", [1, 2])
def test_twenty_writes_at_once(sync_client, attempt):
    import main

    blocking = getattr(main, "BlockingSession", main.SessionLocal)

    def write(number):
        with blocking() as session:
            session.add(main.Item(name=f"n{number}"))
            session.commit()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(write, range(20)))
    assert sorted(names(sync_client)) == sorted(f"n{i}" for i in range(20))


@pytest.mark.parametrize("attempt", [1, 2])
def test_ddl(db_session, attempt):
    db_session.connection().exec_driver_sql("CREATE TABLE extra (id INTEGER)")
    db_session.connection().exec_driver_sql("DROP TABLE items")
    db_session.commit()
