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


ASKED_FOR = """
import importlib.util, os
from fastapi import FastAPI
THERE = importlib.util.find_spec("asyncpg") is not None
import asyncpg
app = FastAPI()
@app.get("/{form}")
async def where(form: str) -> str:
    url = os.environ["RAW_URL"]
    if form == "hosts":
        url = url.replace("db.invalid", "db.invalid:5432,other.invalid:5432")
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval("SELECT current_database()")
    finally:
        await connection.close()
"""


@POSTGRESQL
@pytest.mark.parametrize("form", ["plain", "hosts"])
def test_it_is_led_whatever_was_asked_before_and_however_it_is_written(
    pytester: pytest.Pytester, served: Dialect, form: str
) -> None:
    """A driver that a library has only looked for; a URL of several hosts."""
    suite = f"def test_it(client): assert 'greenroom' in client.get('/{form}').json()"
    project = raw(served, ASKED_FOR, suite)
    said = "[tool.greenroom]\nschema = 'none'\n"
    project.with_pyproject(said).run_subprocess(pytester).passed(1)


@POSTGRESQL
def test_after_a_refusal_the_other_tests_go_on(pytester: pytest.Pytester, served: Dialect) -> None:
    """pytest doesn't forgive a fixture that fails where it knows nothing of it."""
    suite = """
import pytest
@pytest.mark.isolation("clone")
async def test_a(client): ...
async def test_b(client): assert (await client.get("/items")).json() == []
def test_c(client): assert client.get("/items").json() == []
"""
    result = raw(served, POOL, suite).run(pytester, "-p", "no:randomly")
    result.counts(errors=1, passed=2)
    result.says("GR034")


def test_a_file_that_is_only_read_is_the_apps_if_it_writes_it_too(
    pytester: pytest.Pytester,
) -> None:
    """One that it only reads is an asset, and stays where it is; in a worker thread as well."""
    app = """
import functools, sqlite3
from contextlib import asynccontextmanager, closing
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

@asynccontextmanager
async def lifespan(app):
    connect = functools.partial(sqlite3.connect, check_same_thread=False)
    with closing(await run_in_threadpool(connect, "app.db")) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS items (name)")
    yield
app = FastAPI(lifespan=lifespan)

def names(path):
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM items")]
@app.get("/{path}")
def read(path: str) -> list[str]: return names(path)
@app.post("/{name}")
def write(name: str) -> None:
    with closing(sqlite3.connect("app.db")) as connection, connection:
        connection.execute("INSERT INTO items VALUES (?)", [name])
"""
    suite = """
import pathlib, subprocess, sys
import pytest
@pytest.fixture(scope="module", autouse=True)
def asset():
    code = "import sqlite3; c = sqlite3.connect('asset.db'); c.execute('CREATE TABLE items (name)');"
    code += "c.execute('INSERT INTO items VALUES (1)'); c.commit()"
    subprocess.run([sys.executable, "-c", code], check=True)
@pytest.mark.parametrize("attempt", [1, 2])
def test_it(client, attempt):
    assert client.get("/app.db").json() == []
    client.post("/lamp")
    assert client.get("/app.db").json() == ["lamp"]
    assert not pathlib.Path("app.db").exists()
def test_asset(client): assert len(client.get("/asset.db").json()) == 1
"""
    Project({"main.py": app.replace("list[str]: return", "list: return"), "test_it.py": suite}).run(
        pytester
    ).passed(3)


def test_an_app_of_each_tests_own_on_a_temporary_file_is_its_own(
    pytester: pytest.Pytester,
) -> None:
    """It isn't one more of the app's databases, to the end of the run."""
    app = """
import sqlite3
from flask import Flask, g
def create_app(database="app.db"):
    app = Flask(__name__)
    def connected():
        connection = sqlite3.connect(database)
        connection.execute("CREATE TABLE IF NOT EXISTS items (name)")
        return connection
    @app.get("/")
    def count():
        connection = connected()
        with connection:
            connection.execute("INSERT INTO items VALUES (1)")
            found = connection.execute("SELECT count(*) FROM items").fetchone()[0]
        connection.close()
        return {"count": found}
    return app
"""
    suite = """
import pathlib, tempfile, os
import pytest
from main import create_app
@pytest.fixture
def app():
    with tempfile.TemporaryDirectory() as folder:
        yield create_app(os.path.join(folder, "own.db"))
        assert os.listdir(folder) == ["own.db"]
@pytest.fixture
def client(app): return app.test_client()
@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_it(client, attempt): assert client.get("/").json == {"count": 1}
"""
    said = '[tool.greenroom]\napp = "main:create_app()"\n'
    Project({"main.py": app, "test_it.py": suite}).with_pyproject(said).run(pytester).passed(3)


LISTENS = """
import asyncio
from contextlib import asynccontextmanager
import asyncpg
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("postgresql+asyncpg://shop@db.invalid/shop")
class Base(DeclarativeBase): pass
class Entry(Base):
    __tablename__ = "entries"
    id: Mapped[int] = mapped_column(primary_key=True)
heard = asyncio.Queue()

@asynccontextmanager
async def lifespan(app):
    listening = await asyncpg.connect("postgresql://shop@db.invalid/shop")
    await listening.add_listener("news", lambda *told: heard.put_nowait(told[3]))
    yield
    await listening.close()

app = FastAPI(lifespan=lifespan)
@app.post("/{news}")
async def tell(news: str) -> str:
    async with engine.begin() as connection:
        await connection.execute(text("SELECT pg_notify('news', :news)"), {"news": news})
    return await asyncio.wait_for(heard.get(), 5)
"""


@POSTGRESQL
def test_who_listens_goes_on_after_a_test_that_left_a_transaction_open(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """That one's connection is ended, and no other."""
    suite = """
from main import engine
from sqlalchemy import text
left = []
async def test_a(client): assert (await client.post("/first")).json() == "first"
async def test_leaves(client):
    left.append(await engine.connect())
    await left[0].execute(text("INSERT INTO entries VALUES (1)"))
async def test_b(client): assert (await client.post("/second")).json() == "second"
"""
    files = {"main.py": LISTENS, "test_it.py": suite}
    result = Project(files, served.environ).run(pytester, "-p", "no:randomly", "-W", "ignore")
    result.counts(passed=3)
    result.says("GR021 test_it.py::test_leaves")
