"""What goes wrong with servers and locks, and what is left of it: nothing but a message."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from greenroom.database.folder import MEMORY_DISK, user_name
from tests.dialects import KINDS_OF_SERVER, SERVERS, Dialect
from tests.harness import Project, app_source, gone

EMBEDDED = Dialect("embedded", "postgresql+asyncpg", "postgresql+psycopg")


def project(dialect: Dialect, test: str, **environ: str) -> Project:
    files = {"main.py": dialect.app(app_source("async_items")), "test_it.py": test}
    return Project({**files, "pyproject.toml": "[tool.greenroom]"}, {**dialect.environ, **environ})


def servers() -> set[Path]:
    """The folders of embedded servers that run now, whoever's they are."""
    return set(MEMORY_DISK.glob(f"greenroom-{user_name()}-pg-*"))


def folder_in(output: str) -> Path:
    """What a test has printed of its server."""
    found = re.search(r"socket (\S+)", output)
    assert found, output
    return Path(found[1])


WHERE = """
from sqlalchemy import make_url
from main import engine
def where():
    print("socket", engine.url.query["host"], flush=True)
"""

STOPPED = (
    WHERE
    + """
import asyncio, os, signal
from pathlib import Path
async def test_a_stops_the_server(client):
    assert (await client.post("/items/lamp")).status_code == 201
    where()
    pid = int((Path(engine.url.query["host"]) / "data" / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    await asyncio.sleep(0.2)
async def test_b(client): pass
async def test_c(client): pass
"""
)


def test_a_server_that_stops_in_the_middle_is_told(pytester: pytest.Pytester) -> None:
    """By each test that can't be isolated any more; without a traceback, and nothing is left."""
    run = project(EMBEDDED, STOPPED).run_subprocess(pytester, "-p", "no:randomly", "-rP")
    run.says("GR026 the PostgreSQL server embedded was lost in the middle of the run")
    run.silent_about("greenroom/database", "INTERNALERROR")
    run.counts(passed=1, errors=2)
    assert gone(folder_in(run.out))


KILLED = """
from sqlalchemy import text
from main import engine
async def test_a(client):
    assert (await client.post("/items/lamp")).json() == 1
    async with engine.connect() as connection:
        await connection.execute(text(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"))
async def test_b(client):
    assert (await client.post("/items/lamp")).json() == 1
"""


def test_connections_that_are_killed_are_opened_again(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """Greenroom's own and the app's: the next test has a clean database and a pool that works."""
    dialect = Dialect("named", "postgresql+asyncpg", "postgresql+psycopg", postgresql_url)
    project(dialect, KILLED).run(pytester, "-p", "no:randomly").passed(2)


KILLED_IN_THE_POOL = """
import pytest
from sqlalchemy import text
from main import engine, BlockingSession
@pytest.mark.parametrize("attempt", range(3))
async def test_a(client, attempt):
    # Somebody else ends what waits in the app's pools, and nothing of greenroom's.
    assert (await client.post("/items/lamp")).json() == 1
    await client.post("/thread")
    kill(engine.url)
"""


@pytest.mark.parametrize("dialect", [*SERVERS])
def test_a_connection_that_is_killed_in_a_pool_is_none_of_the_next_tests(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """Whatever the driver; where it can't be seen, the driver sees it itself."""
    if (served.server or "").startswith("mysql"):
        kill = """
def kill(url):
    import pymysql
    with pymysql.connect(host=url.host, port=url.port, user=url.username) as own, own.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE db = %s", url.database)
        for (number,) in cursor.fetchall():
            cursor.execute(f"KILL {number}")
"""
    else:
        kill = """
def kill(url):
    import psycopg
    host = url.query.get("host") or url.host
    with psycopg.connect(host=host, port=url.port, user="postgres", dbname="postgres", autocommit=True) as own:
        own.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s "
                    "AND application_name <> 'greenroom'", [url.database])
"""
    project(served, kill + KILLED_IN_THE_POOL).run(pytester, "-p", "no:randomly").passed(3)


OPEN = """
import pytest
from sqlalchemy import text
from main import SessionLocal, engine
left = []
async def test_a(client):
    session = SessionLocal()
    left.append(session)
    await session.execute(text("INSERT INTO items (name) VALUES ('left')"))
@pytest.mark.parametrize("attempt", [1, 2])
async def test_b(client, attempt):
    assert (await client.get("/items")).json() == []
    assert (await client.post("/items/left")).json() == 1
"""


@pytest.mark.parametrize("dialect", KINDS_OF_SERVER)
def test_a_transaction_that_is_left_open_is_ended_and_its_test_named(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """The next test doesn't wait for it."""
    run = project(served, OPEN).run(pytester, "-p", "no:randomly", "-W", "ignore")
    run.counts(passed=3)
    run.says("GR021 test_it.py::test_a left a transaction open")


DEADLOCK = """
import asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from main import SessionLocal
import pytest

@pytest.mark.parametrize("attempt", [1, 2])
async def test_a_deadlock(client, attempt):
    for name in "ab":
        await client.post(f"/items/{name}")
    met = asyncio.Barrier(2)
    async def change(first, second):
        async with SessionLocal() as session:
            await session.execute(text(f"UPDATE items SET name = name || '' WHERE id = {first}"
                if "postgresql" in str(session.bind.url) else
                f"UPDATE items SET name = concat(name, '!') WHERE id = {first}"))
            await met.wait()
            await session.execute(text(f"UPDATE items SET name = 'x{second}' WHERE id = {second}"))
            await session.commit()
    ended = await asyncio.gather(change(1, 2), change(2, 1), return_exceptions=True)
    assert sorted(isinstance(one, DBAPIError) for one in ended) == [False, True]
    assert len((await client.get("/items")).json()) == 2
"""


@pytest.mark.parametrize("dialect", KINDS_OF_SERVER)
def test_a_deadlock_is_the_servers_to_solve(pytester: pytest.Pytester, served: Dialect) -> None:
    """One of the two is refused, as in production, and the next test starts clean."""
    project(served, DEADLOCK).run(pytester, "-W", "ignore").passed(2)


LOCKED = """
import pytest
from sqlalchemy import text
from main import engine
left = []
async def test_a(client):
    connection = await engine.connect()
    left.append(connection)
    await connection.execute(text("LOCK TABLE items IN ACCESS EXCLUSIVE MODE"))
async def test_b(client):
    assert (await client.post("/items/lamp")).json() == 1
"""


def test_a_lock_that_is_left_is_ended(pytester: pytest.Pytester, postgresql_url: str) -> None:
    """No test waits for it."""
    dialect = Dialect("named", "postgresql+asyncpg", "postgresql+psycopg", postgresql_url)
    run = project(dialect, LOCKED).run(pytester, "-p", "no:randomly", "-W", "ignore")
    run.counts(passed=2)
    run.says("GR021 test_it.py::test_a")


OTHER_DATABASES = """
import pytest
from sqlalchemy import text
from main import engine

@pytest.mark.parametrize("statement", [
    "DROP DATABASE {name}", "drop database if exists {name}", "/* all */ ALTER DATABASE {name} {change}",
    "CREATE DATABASE {name}_more", *{more}])
async def test_it(client, statement):
    async with engine.connect() as connection:
        with pytest.raises(Exception, match="GR029 the app sent"):
            await connection.execute(text(statement))

async def test_its_own_may_be_changed(client):
    async with engine.connect() as connection:
        own = await connection.scalar(text("{own}"))
        await connection.execute(text(f"ALTER DATABASE {{own}} {change}"))
"""


@pytest.mark.parametrize("dialect", KINDS_OF_SERVER)
def test_the_app_reaches_no_other_database_of_a_named_server(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """What makes, changes, drops or enters one isn't sent on: the app's own may be there."""
    is_mysql = served.name == "asyncmy"
    test = OTHER_DATABASES.format(
        name="the_apps_own",
        more=["USE the_apps_own", "DROP SCHEMA `the_apps_own`"] if is_mysql else [],
        change="CHARACTER SET utf8mb4" if is_mysql else "SET work_mem = '5MB'",
        own="SELECT database()" if is_mysql else "SELECT current_database()",
    )
    project(served, test).run(pytester).passed(7 if is_mysql else 5)


WAITED_FOR = """
import pytest
from main import SessionLocal
from sqlalchemy import text

async def test_a_waits(client):
    assert (await client.post("/items/lamp")).json() == 1
    async with SessionLocal() as session:
        await session.execute(text("UPDATE items SET name = 'held' WHERE id = 1"))
        await client.put("/items/1/other")

@pytest.mark.parametrize("attempt", [1, 2])
async def test_b(client, attempt):
    assert (await client.post("/items/lamp")).json() == 1
    assert (await client.put("/items/1/other")).status_code == 200
    assert (await client.get("/items")).json() == ["other"]
"""


@pytest.mark.parametrize("dialect", KINDS_OF_SERVER)
def test_a_request_that_waits_for_a_lock_of_its_test_is_told(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """With what the test holds; the next ones have a database that nobody holds."""
    waiting = project(served, WAITED_FOR, GREENROOM_LIMIT="1")
    run = waiting.run(pytester, "-p", "no:randomly", "-W", "ignore")
    run.counts(passed=2, failed=1)
    run.says("GR035 ", "PUT /items/1/other")


def test_without_the_right_to_create_an_adopted_database_is_used(
    pytester: pytest.Pytester, limited_url: str
) -> None:
    """The header says so; a second run finds its tables."""
    test = """
import pytest
@pytest.mark.parametrize("attempt", [1, 2])
async def test_it(client, attempt):
    assert (await client.post("/items/lamp")).json() == 1
"""
    dialect = Dialect("limited", "postgresql+asyncpg", "postgresql+psycopg2", limited_url)
    first = project(dialect, test).run(pytester)
    first.passed(2)
    assert "(adopted)" in first.header()
    second = project(dialect, test).run(pytester)
    second.passed(2)
    assert "template reused" in second.header()


def test_without_an_adopted_database_both_ways_out_are_told(
    pytester: pytest.Pytester, limited_url: str
) -> None:
    """Once, and without a traceback."""
    url = make_url(limited_url)
    with psycopg.connect(
        host=str(url.query["host"]), user="postgres", dbname="postgres", autocommit=True
    ) as server:
        server.execute(f'COMMENT ON DATABASE "{url.database}" IS NULL'.encode())
    dialect = Dialect("limited", "postgresql+asyncpg", "postgresql+psycopg2", limited_url)
    run = project(dialect, "async def test_it(client): pass").run(pytester)
    run.says("GR028", "CREATEDB", "greenroom db adopt")
    run.silent_about("Traceback")
    assert run.out.count("GR028") == 1
