"""Connections that an app opens by a driver itself, without SQLAlchemy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dialects import ASYNCPG, Dialect
from tests.harness import Project

POSTGRESQL = pytest.mark.parametrize("dialect", [pytest.param(ASYNCPG, id="postgresql")])
SHAPES = Path(__file__).parents[1] / "shapes"
POOL = (SHAPES / "apps" / "raw_asyncpg.py").read_text()
EACH = (SHAPES / "apps" / "raw_asyncpg_connect.py").read_text()


def raw(served: Dialect, app: str, suite: str) -> Project:
    shop = (SHAPES / "shop.py").read_text()
    files = {"main.py": app, "shop.py": shop, "test_it.py": suite}
    return Project(files, {"RAW_URL": served.url("postgresql"), **served.environ})


@POSTGRESQL
def test_a_pool_goes_on_after_a_test_that_changed_the_tables(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """The database is made anew under it, and the pool connects again."""
    suite = """
import pytest
@pytest.mark.parametrize("attempt", [1, 2, 3])
async def test_it(client, db_session, attempt):
    assert (await client.get("/items")).json() == []
    await client.post("/items/lamp")
    await (await db_session.connection()).exec_driver_sql("ALTER TABLE items ADD COLUMN more TEXT")
    await db_session.commit()
"""
    raw(served, POOL, suite).run(pytester).passed(3)


@POSTGRESQL
def test_a_transaction_that_was_left_open_is_ended_and_named(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """The connection is one of a pool, which goes on with another one."""
    app = (
        POOL
        + """
@app.post("/left/{name}")
async def leave(name: str, request: Request) -> None:
    request.state.left = connection = await request.state.pool.acquire()
    await connection.execute("BEGIN")
    await connection.execute("INSERT INTO items (name) VALUES ($1)", name)
    app.state.left = connection
"""
    )
    suite = """
async def test_a(client): assert (await client.post("/left/lamp")).status_code == 200
async def test_b(client): assert (await client.get("/items")).json() == []
async def test_c(client): assert (await client.post("/items/lamp")).json() == 1
"""
    result = raw(served, app, suite).run(pytester, "-p", "no:randomly")
    result.passed(3)
    result.says("GR021 test_it.py::test_a left a transaction open")


@POSTGRESQL
@pytest.mark.parametrize("isolation", ["rollback", "clone"])
def test_an_isolation_that_cannot_reach_a_pool_says_so(
    pytester: pytest.Pytester, served: Dialect, isolation: str
) -> None:
    """It would leave rows behind without a word."""
    suite = f"""
import pytest
@pytest.mark.isolation("{isolation}")
async def test_it(client): await client.get("/items")
"""
    result = raw(served, POOL, suite).run(pytester)
    assert result.code == 1
    result.says("GR034", f"the isolation {isolation} can't reach", 'isolation("reset")')
    result.silent_about("Traceback")


@POSTGRESQL
def test_a_connection_for_each_request_leads_to_the_clone(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """Under rollback it can't be: an error."""
    suite = """
import pytest
@pytest.mark.isolation("clone")
@pytest.mark.parametrize("attempt", [1, 2])
async def test_clone(client, db_session, attempt):
    await (await db_session.connection()).exec_driver_sql("INSERT INTO items (name) VALUES ('own')")
    assert (await client.get("/items")).json() == ["own"]
@pytest.mark.isolation("rollback")
async def test_rollback(client): await client.get("/items")
async def test_after(client): assert (await client.get("/items")).json() == []
"""
    result = raw(served, EACH, suite).run(pytester)
    result.counts(passed=3, failed=1)
    result.says("GR034", "asyncpg itself")


BESIDE = """
import os
import asyncpg, psycopg, psycopg2
from fastapi import FastAPI
from shop import Base
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine(os.environ["RAW_URL"].replace("://", "+asyncpg://"))
app = FastAPI()

@app.post("/{name}")
async def add(name: str) -> list[str]:
    async with engine.begin() as connection:
        await connection.exec_driver_sql("INSERT INTO items (name) VALUES ($1)", (name,))
    statement = "SELECT name FROM items"
    connection = await asyncpg.connect(os.environ["RAW_URL"])
    found = [row["name"] for row in await connection.fetch(statement)]
    await connection.close()
    with psycopg.connect(os.environ["RAW_URL"]) as connection:
        found += [name for (name,) in connection.execute(statement)]
    connection = psycopg2.connect(os.environ["RAW_URL"], connect_timeout=1)
    cursor = connection.cursor()
    cursor.execute(statement)
    found += [name for (name,) in cursor.fetchall()]
    connection.close()
    return found
"""


@POSTGRESQL
def test_a_driver_beside_an_engine_leads_to_the_same_database(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """Of each of PostgreSQL's drivers."""
    suite = """
import pytest
from sqlalchemy.ext.asyncio import AsyncSession
@pytest.mark.parametrize("attempt", [1, 2])
async def test_it(client, db_session, attempt):
    assert isinstance(db_session, AsyncSession)
    assert (await client.post("/lamp")).json() == ["lamp"] * 3
"""
    raw(served, BESIDE, suite).run(pytester).passed(2)


@POSTGRESQL
def test_a_service_that_only_libpq_knows_is_refused(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """Which database it is can't be known, so nobody connects to it."""
    app = """
import psycopg
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
def root() -> None: psycopg.connect("service=shop")
"""
    suite = "async def test_it(client): await client.get('/')"
    result = raw(served, app, suite).run(pytester)
    result.counts(failed=1)
    result.says("GR034", "by a service's name", ".env.test")


def test_a_string_that_cannot_be_read_is_the_drivers_own_error(pytester: pytest.Pytester) -> None:
    """It says best what is wrong with it."""
    app = """
import asyncpg, psycopg
from fastapi import FastAPI
app = FastAPI()
@app.get("/asyncpg")
async def by_asyncpg() -> None: await asyncpg.connect("nonsense://")
@app.get("/psycopg")
def by_psycopg() -> None: psycopg.connect("nonsense")
"""
    suite = """
import asyncpg, psycopg, pytest
async def test_it(client):
    with pytest.raises(asyncpg.exceptions.ClientConfigurationError): await client.get("/asyncpg")
    with pytest.raises(psycopg.ProgrammingError): await client.get("/psycopg")
"""
    Project({"main.py": app, "test_it.py": suite}).run(pytester).passed(1)


def test_what_is_not_the_apps_database_is_left_alone(pytester: pytest.Pytester) -> None:
    """Files of the tests' own and of libraries, memory, and files that are only read."""
    app = (SHAPES / "apps" / "raw_sqlite3.py").read_text()
    suite = """
import sqlite3
import main, pytest
def test_it(client, tmp_path):
    own = tmp_path / "own.db"
    for attempt in range(2):
        connection = sqlite3.connect(own)
        connection.execute("CREATE TABLE IF NOT EXISTS own (id)")
        connection.close()
    assert own.stat().st_size
    main.sqlite3.connect(":memory:").close()
    assert client.post("/items/lamp").json() == 1

def test_the_apps_own_is_led_there_for_the_tests_too(client):
    client.post("/items/chair")
    connection = sqlite3.connect("shop.db")
    assert connection.execute("SELECT name FROM items").fetchall() == [("chair",)]
    connection.close()
"""
    Project({"main.py": app, "test_it.py": suite}).run(pytester).passed(2)


def test_a_driver_that_is_imported_late_is_watched_from_then_on(pytester: pytest.Pytester) -> None:
    """And nothing of the driver is imported before; its loader is its own."""
    app = """
import sys
assert "asyncpg" not in sys.modules and "psycopg" not in sys.modules
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
async def root() -> list[str]:
    import asyncpg
    import psycopg
    return [
        asyncpg.connect_utils._connect.__module__,
        psycopg.Connection.connect.__func__.__code__.co_filename.rpartition("greenroom")[1],
        type(asyncpg.__loader__).__module__, type(asyncpg.__spec__.loader).__module__,
    ]
"""
    suite = """
async def test_it(client):
    found = (await client.get("/")).json()
    assert found[:2] == ["greenroom.database.raw.drivers", "greenroom"]
    assert not any(name.startswith("greenroom") for name in found[2:])
"""
    Project({"main.py": app, "test_it.py": suite}).run_subprocess(pytester).passed(1)
