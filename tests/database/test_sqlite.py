"""A private SQLite database: its picture, its reset, and what stands in the way."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from greenroom.database.private import Reset
from greenroom.database.sqlite import SqliteDatabase
from greenroom.facts.errors import GreenroomError


@pytest.fixture
def database(tmp_path: Path) -> Iterator[SqliteDatabase]:
    """A database with one table and one row in its picture."""
    made = SqliteDatabase(tmp_path / "1.db")
    with_connection(
        made,
        "CREATE TABLE items (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT)",
        "INSERT INTO items (name) VALUES ('baseline')",
    )
    made.take_baseline()
    yield made
    made.close()


def connect(database: SqliteDatabase, **options: object) -> sqlite3.Connection:
    return sqlite3.connect(database.path, factory=database.connection_class, **options)  # type: ignore[call-overload, no-any-return]


def with_connection(database: SqliteDatabase, *statements: str) -> list[tuple[object, ...]]:
    connection = connect(database)
    rows: list[tuple[object, ...]] = []
    for statement in statements:
        rows = connection.execute(statement).fetchall()
    connection.commit()
    connection.close()
    return rows


@pytest.mark.parametrize(
    "statements",
    [
        ["INSERT INTO items (name) VALUES ('more')"],
        ["UPDATE items SET name = 'changed'"],
        ["DELETE FROM items"],
        ["DROP TABLE items"],
        ["CREATE TABLE more (id INTEGER)", "INSERT INTO more VALUES (1)"],
        ["ALTER TABLE items ADD COLUMN more TEXT", "CREATE INDEX names ON items (name)"],
        ["PRAGMA user_version = 7"],
    ],
)
def test_whatever_was_written_is_undone(database: SqliteDatabase, statements: list[str]) -> None:
    """Rows, tables, columns, indexes, the file's own numbers; and ids start again."""
    with_connection(database, *statements)

    assert database.reset() is Reset.CLEAN

    assert with_connection(database, "SELECT * FROM items") == [(1, "baseline")]
    assert with_connection(database, "SELECT name FROM sqlite_schema WHERE name = 'more'") == []
    assert with_connection(database, "PRAGMA user_version") == [(0,)]
    with_connection(database, "INSERT INTO items (name) VALUES ('next')")
    assert with_connection(database, "SELECT max(id) FROM items") == [(2,)]


def test_nothing_is_copied_if_nothing_was_written(
    database: SqliteDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading doesn't count, nor does what was rolled back."""
    with_connection(database, "SELECT * FROM items")
    connection = connect(database)
    connection.execute("DELETE FROM items")
    connection.rollback()
    connection.close()
    monkeypatch.setattr("greenroom.database.sqlite._copy", lambda *_: pytest.fail("it was copied"))

    assert database.reset() is Reset.CLEAN


def test_a_connection_that_stays_open_sees_the_reset(database: SqliteDatabase) -> None:
    """Pools keep their connections from test to test."""
    pooled = connect(database)
    pooled.execute("INSERT INTO items (name) VALUES ('more')")
    pooled.commit()
    database.reset()
    assert pooled.execute("SELECT name FROM items").fetchall() == [("baseline",)]
    pooled.close()


def test_an_open_transaction_is_rolled_back(database: SqliteDatabase) -> None:
    """Its owner loses what wasn't committed, and goes on with a connection that works."""
    leaked = connect(database)
    leaked.execute("DELETE FROM items")

    assert database.reset() is Reset.ROLLED_BACK

    assert with_connection(database, "SELECT name FROM items") == [("baseline",)]
    leaked.execute("INSERT INTO items (name) VALUES ('later')")
    leaked.commit()
    leaked.close()
    assert database.reset() is Reset.CLEAN
    assert with_connection(database, "SELECT name FROM items") == [("baseline",)]


def test_a_result_that_was_not_read_to_its_end_is_left_to_its_owner(
    database: SqliteDatabase,
) -> None:
    """It holds a lock for as long as it lives: the database goes on in another file."""
    with_connection(database, *["INSERT INTO items (name) VALUES ('more')"] * 500)
    leaked = connect(database)
    rows = leaked.execute("SELECT * FROM items")
    rows.fetchone()
    before = database.path

    assert database.reset() is Reset.MOVED

    assert database.path != before
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        leaked.execute("SELECT 1")
    assert with_connection(database, "SELECT name FROM items") == [("baseline",)]
    with_connection(database, "DELETE FROM items")
    assert database.reset() is Reset.CLEAN
    assert with_connection(database, "SELECT name FROM items") == [("baseline",)]


def test_a_transaction_of_another_thread_is_an_error(database: SqliteDatabase) -> None:
    """sqlite3 lets nobody else end it."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        leaked = pool.submit(connect, database).result()
        pool.submit(leaked.execute, "DELETE FROM items").result()
        with pytest.raises(GreenroomError, match="GR017"):
            database.reset()
        pool.submit(leaked.close).result()
    assert database.reset() is Reset.CLEAN


def test_a_lock_of_a_stranger_is_left_to_it(database: SqliteDatabase) -> None:
    """A connection that greenroom didn't open, in the middle of a transaction."""
    stranger = sqlite3.connect(database.path)
    with_connection(database, "INSERT INTO items (name) VALUES ('more')")
    stranger.execute("BEGIN IMMEDIATE")
    assert database.reset() is Reset.MOVED
    assert with_connection(database, "SELECT name FROM items") == [("baseline",)]
    stranger.close()


def test_the_version_moves_when_somebody_commits_and_never_waits(database: SqliteDatabase) -> None:
    """A commit that is under way is 'not known', at once."""
    before = database.version()
    assert database.version() == before
    with_connection(database, "INSERT INTO items (name) VALUES ('more')")
    assert database.version() != before
    committing = sqlite3.connect(database.path, isolation_level=None)
    committing.execute("BEGIN EXCLUSIVE")
    assert database.version() is None
    committing.close()


def test_a_wal_database_stays_one(database: SqliteDatabase) -> None:
    """An app that chooses WAL gets WAL, and a reset."""
    app = connect(database)
    assert app.execute("PRAGMA journal_mode=WAL").fetchone() == ("wal",)
    app.execute("INSERT INTO items (name) VALUES ('more')")
    app.commit()
    second = connect(database)
    database.reset()
    assert second.execute("SELECT name FROM items").fetchall() == [("baseline",)]
    for connection in (app, second):
        connection.close()


def test_a_disk_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The folder is gone."""
    database = SqliteDatabase(tmp_path / "missing" / "1.db")
    with pytest.raises(GreenroomError, match=r"GR023 .*can't be written"):
        database.take_baseline()


def test_threads_may_ask_at_once_whether_somebody_has_written(database: SqliteDatabase) -> None:
    """They share one connection, and none of them takes another's answer."""
    database.take_origin()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            answers = set(pool.map(lambda _: database.version(), range(3_000)))
    finally:
        sys.setswitchinterval(before)
    assert len(answers) == 1
    assert None not in answers
