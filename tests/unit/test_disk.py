"""A full disk is known by what drivers call it, and nothing else is taken for one."""

from __future__ import annotations

import sqlite3

import psycopg
import pymysql
import pytest
from sqlalchemy.exc import OperationalError

from greenroom.database import disk


def full_sqlite() -> sqlite3.Error:
    """What SQLite says where no page can be added."""
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA max_page_count = 2")
    connection.execute("CREATE TABLE t (a)")
    with pytest.raises(sqlite3.OperationalError) as raised:
        connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    connection.close()
    return raised.value


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (psycopg.errors.DiskFull("could not extend file: Kein Platz"), True),
        (pymysql.OperationalError(1114, "The table 'items' is full"), True),
        (pymysql.OperationalError(1146, "Table 'full' doesn't exist"), False),
        (psycopg.errors.UndefinedColumn("column fullname does not exist"), False),
        (sqlite3.OperationalError("no such column: fullname"), False),
        (ValueError({"items": 1114}), False),
        (KeyError(1114), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_it_is_known_by_the_code(error: Exception, is_full: bool) -> None:
    """Whatever the message says; as SQLAlchemy passes it on, too."""
    assert disk.is_full(error) is is_full
    assert disk.is_full(OperationalError("INSERT", {}, error)) is is_full


def test_sqlites_is_known() -> None:
    """And told with the place."""
    error = full_sqlite()
    assert disk.is_full(error)
    told = disk.cannot_be_written("shop.db", error)
    assert "GR023 the test database (shop.db) can't be written: database or disk is full." in str(
        told
    )
