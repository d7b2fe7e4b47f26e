"""The sandbox: many connections on one, exactly like real ones or with a loud error."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pymysql
import pytest
from sqlalchemy import URL, Connection, Engine, create_engine, make_url
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import greenlet_spawn

from tests.dialects import MARIADB, MARIADB_PORT, needs_mariadb
from tests.fuzz.schedules import Tally, compare

TABLES = (
    "CREATE TABLE things (id int PRIMARY KEY, n int)",
    "CREATE TABLE parts (id int PRIMARY KEY, thing_id int, "
    "FOREIGN KEY (thing_id) REFERENCES things (id))",
)
LATE = (
    "CREATE TABLE late (id int PRIMARY KEY, "
    "thing_id int REFERENCES things DEFERRABLE INITIALLY DEFERRED)"
)


def engine(url: URL, *, is_async: bool, **options: Any) -> Engine:
    if is_async:
        return create_async_engine(url, **options).sync_engine
    return create_engine(url, **options)


def run(
    url: URL,
    clean: Callable[[], None],
    seeds: range,
    *,
    is_async: bool,
    first: tuple[str, ...],
    **options: Any,
) -> Tally:
    """Compare, on engines with their own kind of driver."""

    def on_connect(connection: Connection) -> None:
        for statement in first:
            connection.exec_driver_sql(statement)
        connection.commit()

    def both() -> Tally:
        engines = [engine(url, is_async=is_async, **options) for _ in range(2)]
        try:
            return compare(engines[0], engines[1], clean, on_connect, seeds)
        finally:
            for one in engines:
                one.dispose()

    return asyncio.run(greenlet_spawn(both)) if is_async else both()


@pytest.fixture
def on_postgresql(postgresql_url: str) -> Iterator[tuple[URL, Callable[[], None]]]:
    name = f"schedules_{secrets.token_hex(4)}"
    url = make_url(postgresql_url)
    with psycopg.connect(postgresql_url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
        here = url.set(database=name)
        with psycopg.connect(here.render_as_string(hide_password=False), autocommit=True) as own:
            for table in (*TABLES, LATE):
                own.execute(table.encode())
            extra = ", ".join(f"extra_{key}" for key in range(4))

            def clean() -> None:
                own.execute(
                    f"DELETE FROM late; DELETE FROM parts; DELETE FROM things; DROP TABLE IF EXISTS {extra}".encode()
                )

            yield here, clean
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def on_mariadb() -> Iterator[tuple[URL, Callable[[], None]]]:
    name = f"schedules_{secrets.token_hex(4)}"
    server = pymysql.connect(
        host=MARIADB.host, port=MARIADB_PORT, user=MARIADB.username, autocommit=True
    )
    with server as own, own.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        cursor.execute(f"USE {name}")
        cursor.execute("SET innodb_lock_wait_timeout = 1")
        for table in TABLES:
            cursor.execute(table)

        def clean() -> None:
            cursor.execute("DELETE FROM parts")
            cursor.execute("DELETE FROM things")

        yield MARIADB.set(database=name), clean
        cursor.execute(f"DROP DATABASE {name}")


@pytest.mark.parametrize(
    ("driver", "is_async", "seeds"),
    [
        ("psycopg", False, range(400)),
        ("psycopg", True, range(400, 600)),
        ("psycopg2", False, range(600, 800)),
        ("asyncpg", True, range(800, 1200)),
    ],
)
def test_random_schedules_on_postgresql_are_exact_or_loud(
    driver: str,
    is_async: bool,
    seeds: range,
    on_postgresql: tuple[URL, Callable[[], None]],
) -> None:
    url, clean = on_postgresql
    tally = run(
        url.set(drivername=f"postgresql+{driver}"),
        clean,
        seeds,
        is_async=is_async,
        first=("SET lock_timeout = '20ms'", "RESET application_name"),
    )
    assert tally.exact > len(seeds) // 5, tally
    assert tally.loud > len(seeds) // 10, tally


@needs_mariadb
@pytest.mark.parametrize(
    ("driver", "is_async", "seeds"),
    [
        ("pymysql", False, range(500)),
        ("asyncmy", True, range(500, 800)),
        ("aiomysql", True, range(800, 1100)),
    ],
)
def test_random_schedules_on_mariadb_are_exact_or_loud(
    driver: str,
    is_async: bool,
    seeds: range,
    on_mariadb: tuple[URL, Callable[[], None]],
) -> None:
    url, clean = on_mariadb
    tally = run(
        url.set(drivername=f"mysql+{driver}"),
        clean,
        seeds,
        is_async=is_async,
        first=("SET SESSION innodb_lock_wait_timeout = 0",),
    )
    assert tally.exact > len(seeds) // 5, tally
    assert tally.loud > len(seeds) // 10, tally


@pytest.mark.parametrize(
    ("driver", "is_async", "seeds"),
    [("pysqlite", False, range(700)), ("aiosqlite", True, range(700, 1000))],
)
def test_random_schedules_on_sqlite_are_exact_or_loud(
    driver: str,
    is_async: bool,
    seeds: range,
    tmp_path: Path,
) -> None:
    url = make_url(f"sqlite+{driver}:///{tmp_path / 'test.db'}")
    admin = create_engine(url.set(drivername="sqlite"), isolation_level="AUTOCOMMIT")
    with admin.connect() as own:
        for table in TABLES:
            own.exec_driver_sql(table)

        def clean() -> None:
            own.exec_driver_sql("DELETE FROM parts")
            own.exec_driver_sql("DELETE FROM things")

        tally = run(
            url,
            clean,
            seeds,
            is_async=is_async,
            first=("PRAGMA cache_size = 100",),
            connect_args={"timeout": 0, "check_same_thread": False},
        )
    admin.dispose()
    assert tally.exact > len(seeds) // 5, tally
    assert tally.loud > len(seeds) // 10, tally
