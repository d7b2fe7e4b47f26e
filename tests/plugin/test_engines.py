"""Every engine of the app leads to a private database, wherever and whenever the app makes it."""

from __future__ import annotations

import pytest

from tests.dialects import KINDS, Dialect
from tests.harness import Project, app_source

#: An app whose engine is made as `{make}` says; `get_engine()` gives it.
APP = """
from contextlib import asynccontextmanager
import sqlite3
from fastapi import FastAPI, Request
from sqlalchemy import String, create_engine, event, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import NullPool, StaticPool

class Base(DeclarativeBase): pass

class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(20))

{make}

@app.post("/")
async def write():
    engine = get_engine()
    statement = text("INSERT INTO items (name) VALUES ('lamp')")
    if isinstance(engine, AsyncEngine):
        async with engine.begin() as connection:
            await connection.execute(statement)
    else:
        with engine.begin() as connection:
            connection.execute(statement)

@app.get("/")
async def count():
    engine = get_engine()
    statement = text("SELECT count(*) FROM items")
    if isinstance(engine, AsyncEngine):
        async with engine.connect() as connection:
            return (await connection.execute(statement)).scalar()
    else:
        with engine.connect() as connection:
            return connection.execute(statement).scalar()
"""
SUITE = """
import pytest

@pytest.mark.parametrize("attempt", [1, 2, 3])
async def test_async(client, attempt):
    assert (await client.get("/")).json() == 0
    await client.post("/")
    assert (await client.get("/")).json() == 1

@pytest.mark.parametrize("attempt", [1, 2])
def test_blocking(sync_client, attempt):
    assert sync_client.get("/").json() == 0
    sync_client.post("/")
    assert sync_client.get("/").json() == 1
"""
SIMPLE = "\napp = FastAPI()\ndef get_engine(): return engine\n"
SHAPES = {
    "at import, async": 'engine = create_async_engine("sqlite+aiosqlite:///shop.db")' + SIMPLE,
    "at import, sync": 'engine = create_engine("sqlite:///shop.db")' + SIMPLE,
    "with an absolute path": 'import os\nengine = create_engine(f"sqlite:///{os.getcwd()}/shop.db")'
    + SIMPLE,
    "by a file: URI": 'engine = create_engine("sqlite:///file:shop.db?mode=rwc&uri=true")' + SIMPLE,
    "in memory with StaticPool, async": 'engine = create_async_engine("sqlite+aiosqlite://", '
    "poolclass=StaticPool)" + SIMPLE,
    "in memory with StaticPool, sync": 'engine = create_engine("sqlite://", poolclass=StaticPool, '
    'connect_args={"check_same_thread": False})' + SIMPLE,
    "in memory with a shared cache": "engine = create_engine("
    '"sqlite:///file:shared?mode=memory&cache=shared&uri=true")' + SIMPLE,
    "with NullPool": 'engine = create_async_engine("sqlite+aiosqlite:///shop.db", '
    "poolclass=NullPool)" + SIMPLE,
    "with pre-ping and connect_args": 'engine = create_engine("sqlite:///shop.db", '
    'pool_pre_ping=True, connect_args={"timeout": 3, "check_same_thread": False})' + SIMPLE,
    "with a creator": 'engine = create_engine("sqlite://", '
    'creator=lambda: sqlite3.connect("shop.db"))' + SIMPLE,
    "with an async creator": "import aiosqlite\n"
    'engine = create_async_engine("sqlite+aiosqlite://", '
    'async_creator=lambda: aiosqlite.connect("shop.db"))' + SIMPLE,
    "through execution_options": 'base = create_engine("sqlite:///shop.db")\n'
    'engine = base.execution_options(isolation_level="SERIALIZABLE")' + SIMPLE,
    "disposed of in between": 'engine = create_engine("sqlite:///shop.db")'
    + SIMPLE
    + '@app.middleware("http")\nasync def dispose(request, call_next):\n'
    "    response = await call_next(request)\n    engine.dispose()\n    return response\n",
    "disposed of in between, async": 'engine = create_async_engine("sqlite+aiosqlite:///shop.db")'
    + SIMPLE
    + '@app.middleware("http")\nasync def dispose(request, call_next):\n'
    "    response = await call_next(request)\n    await engine.dispose()\n    return response\n",
    "in WAL mode by a listener": 'engine = create_async_engine("sqlite+aiosqlite:///shop.db")\n'
    '@event.listens_for(engine.sync_engine, "connect")\n'
    "def pragmas(connection, record):\n"
    "    cursor = connection.cursor()\n"
    '    cursor.execute("PRAGMA journal_mode=WAL")\n'
    '    cursor.execute("PRAGMA foreign_keys=ON")\n'
    "    cursor.close()\n" + SIMPLE,
    "with a real BEGIN": 'engine = create_engine("sqlite:///shop.db")\n'
    '@event.listens_for(engine, "connect")\n'
    "def no_begin(connection, record):\n    connection.isolation_level = None\n"
    '@event.listens_for(engine, "begin")\n'
    'def begin(connection):\n    connection.exec_driver_sql("BEGIN")\n' + SIMPLE,
    "lazily, at the first request": "engine = None\napp = FastAPI()\n"
    "def get_engine():\n    global engine\n    if engine is None:\n"
    '        engine = create_async_engine("sqlite+aiosqlite:///shop.db")\n    return engine\n',
    "anew for each request": "app = FastAPI()\n"
    'def get_engine(): return create_engine("sqlite:///shop.db", poolclass=NullPool)\n',
    "in the lifespan, on app.state": "@asynccontextmanager\nasync def lifespan(app):\n"
    '    app.state.engine = create_async_engine("sqlite+aiosqlite:///shop.db")\n    yield\n'
    "    await app.state.engine.dispose()\n"
    "app = FastAPI(lifespan=lifespan)\ndef get_engine(): return app.state.engine\n",
    "in the lifespan, with create_all": "@asynccontextmanager\nasync def lifespan(app):\n"
    "    global engine\n"
    '    engine = create_async_engine("sqlite+aiosqlite:///shop.db")\n'
    "    async with engine.begin() as connection:\n"
    "        await connection.run_sync(Base.metadata.create_all)\n    yield\n"
    "app = FastAPI(lifespan=lifespan)\ndef get_engine(): return engine\n",
    "with create_all at import": 'engine = create_engine("sqlite:///shop.db")\n'
    "Base.metadata.create_all(engine)" + SIMPLE,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("loops", ["session", "function"])
def test_an_engine_is_isolated(pytester: pytest.Pytester, shape: str, loops: str) -> None:
    """However it is made, on session loops and on function loops; its own file is never made."""
    project = Project({"main.py": APP.replace("{make}", SHAPES[shape]), "test_it.py": SUITE})
    options = [f"asyncio_default_{kind}_loop_scope={loops}" for kind in ("test", "fixture")]

    result = project.run(pytester, "-o", options[0], "-o", options[1])

    result.passed(5)
    assert list(result.folder.glob("shop.db*")) == []
    result.silent_about("GR021")


def test_connections_are_closed_when_their_loop_ends(pytester: pytest.Pytester) -> None:
    """Also those of a test that requests no fixture, on a loop of its own."""
    suite = """
import gc
import pytest
from main import count, write

@pytest.mark.parametrize("attempt", [1, 2, 3])
async def test_direct(attempt):
    gc.collect()
    assert await count() == 0
    await write()
    assert await count() == 1

def test_zz_collects(): gc.collect()
"""
    make = SHAPES["at import, async"]
    project = Project({"main.py": APP.replace("{make}", make), "test_it.py": suite})
    result = project.with_pyproject("[tool.greenroom]").run(
        pytester,
        "-W",
        "error",
        "-p",
        "no:randomly",
        "-o",
        "asyncio_default_test_loop_scope=function",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
    )
    result.passed(4)


def test_an_engine_that_a_factory_makes(pytester: pytest.Pytester) -> None:
    """The app is made once per run, by calling the factory."""
    make = (
        "CALLS = []\ndef create_app():\n    CALLS.append(1)\n    assert len(CALLS) == 1\n"
        "    global get_engine\n"
        '    engine = create_async_engine("sqlite+aiosqlite:///shop.db")\n'
        "    def get_engine(): return engine\n"
        "    made = FastAPI()\n    made.include_router(app.router)\n    return made\n"
        "app = FastAPI()\n"
    )
    project = Project({"main.py": APP.replace("{make}", make), "test_it.py": SUITE})
    result = project.with_pyproject('[tool.greenroom]\napp = "main:create_app()"').run(pytester)
    result.passed(5)
    result.says("app main:create_app() ([tool.greenroom])")
    assert not (result.folder / "shop.db").exists()


def test_two_databases_are_two(pytester: pytest.Pytester) -> None:
    """Engines on one database share it, by whatever spelling; another file is another database."""
    app = """
import os
from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase): pass

class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)

app = FastAPI()
one = create_engine("sqlite:///one.db")
same = create_async_engine(f"sqlite+aiosqlite:///{os.getcwd()}/./one.db")
two = create_engine("sqlite:///two.db")
"""
    test = """
import pytest
from main import one, same, two
from sqlalchemy import text

@pytest.mark.parametrize("attempt", [1, 2])
async def test_it(attempt):
    with one.begin() as connection:
        connection.execute(text("INSERT INTO items (id) VALUES (1)"))
    async with same.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM items")) == 1
    with two.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM items")) == 0
"""
    project = Project({"main.py": app, "test_it.py": test}).with_pyproject("[tool.greenroom]")
    result = project.run(pytester)
    result.passed(2)
    assert "(2 databases)" in result.header()


def test_the_tests_own_engine_on_another_database_is_theirs(pytester: pytest.Pytester) -> None:
    """A test that makes a database of its own keeps it: it isn't one of the app's."""
    test = """
from sqlalchemy import create_engine, text
from sqlalchemy.pool import StaticPool

def test_memory():
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sqlite_schema")) == 0
        path = connection.exec_driver_sql("PRAGMA database_list").fetchone()[2]
    engine.dispose()
    assert path == ""

def test_file(tmp_path, client):
    engine = create_engine(f"sqlite:///{tmp_path}/own.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE own (id INTEGER)"))
    engine.dispose()
    assert (tmp_path / "own.db").exists()
"""
    make = SHAPES["at import, sync"]
    project = Project({"main.py": APP.replace("{make}", make), "test_it.py": test})
    project.run(pytester).passed(2)


def test_models_in_several_bases_and_core_tables_are_all_made(pytester: pytest.Pytester) -> None:
    """Two declarative bases, a dataclass base and a bare MetaData."""
    app = """
from fastapi import FastAPI
from sqlalchemy import Column, Integer, MetaData, Table, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, declarative_base, mapped_column

class One(DeclarativeBase): pass
Two = declarative_base()
class Three(MappedAsDataclass, DeclarativeBase): pass
core = MetaData()

class A(One):
    __tablename__ = "a"
    id: Mapped[int] = mapped_column(primary_key=True)
class B(Two):
    __tablename__ = "b"
    id = Column(Integer, primary_key=True)
class C(Three):
    __tablename__ = "c"
    id: Mapped[int] = mapped_column(primary_key=True)
d = Table("d", core, Column("id", Integer, primary_key=True))

engine = create_engine("sqlite:///all.db")
app = FastAPI()
"""
    test = """
from main import engine
from sqlalchemy import inspect

def test_it(client):
    assert inspect(engine).get_table_names() == ["a", "b", "c", "d"]
"""
    result = Project({"main.py": app, "test_it.py": test}).run(pytester)
    result.passed(1)
    assert "metadata (4 tables)" in result.header()


def test_a_named_schema_is_the_only_one(pytester: pytest.Pytester) -> None:
    """`schema = "module:Base"` makes its tables and no others."""
    app = APP.replace("{make}", SHAPES["at import, sync"]) + (
        "\nclass Other(DeclarativeBase): pass\n"
        "class Thing(Other):\n    __tablename__ = 'things'\n"
        "    id: Mapped[int] = mapped_column(primary_key=True)\n"
    )
    test = """
from main import engine
from sqlalchemy import inspect

def test_it(client):
    assert inspect(engine).get_table_names() == ["items"]
"""
    project = Project({"main.py": app, "test_it.py": test})
    project.with_pyproject('[tool.greenroom]\nschema = "main:Base"').run(pytester).passed(1)


def run_app(pytester: pytest.Pytester, make: str, suite: str, *args: str) -> None:
    files = {"main.py": APP.replace("{make}", make), "test_it.py": suite}
    count = suite.count("def test_")
    Project(files).with_pyproject("[tool.greenroom]").run(pytester, *args).passed(count)


def test_a_read_only_engine_stays_one(pytester: pytest.Pytester) -> None:
    """What production refuses is refused."""
    make = (
        'engine = create_engine("sqlite:///shop.db")\n'
        'reader = create_engine("sqlite:///file:shop.db?mode=ro&uri=true")' + SIMPLE
    )
    suite = """
import pytest
from main import engine, reader
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

def test_it():
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO items (name) VALUES ('lamp')"))
    with reader.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM items")) == 1
        with pytest.raises(OperationalError, match="readonly"):
            connection.execute(text("DELETE FROM items"))
"""
    run_app(pytester, make, suite)


def test_the_schema_is_made_as_the_app_would_make_it(pytester: pytest.Pytester) -> None:
    """With its execution options, and with the functions that its listeners register."""
    make = (
        "from sqlalchemy import Column, Index, Integer, String, Table, func\n"
        'Table("things", Base.metadata, Column("id", Integer, primary_key=True), '
        'Column("name", String), schema="public")\n'
        "Index('folded', func.fold(Item.name))\n"
        'engine = create_async_engine("sqlite+aiosqlite:///shop.db", '
        'execution_options={"schema_translate_map": {"public": None}})\n'
        '@event.listens_for(engine.sync_engine, "connect")\n'
        "def functions(connection, record):\n"
        '    connection.create_function("fold", 1, str.casefold, deterministic=True)\n' + SIMPLE
    )
    suite = """
async def test_it(client):
    assert (await client.get("/")).json() == 0
    await client.post("/")
"""
    run_app(pytester, make, suite)


def test_scratch_paper_in_memory_is_left_alone(pytester: pytest.Pytester) -> None:
    """An in-memory engine that a request makes is empty, as in production, each time."""
    make = SHAPES["at import, sync"] + (
        '\n@app.get("/scratch")\ndef scratch():\n'
        '    paper = create_engine("sqlite://")\n'
        "    with paper.begin() as connection:\n"
        '        connection.execute(text("CREATE TABLE items (id INTEGER)"))\n'
        '        connection.execute(text("INSERT INTO items VALUES (1)"))\n'
        '        count = connection.scalar(text("SELECT count(*) FROM items"))\n'
        "    paper.dispose()\n    return count\n"
    )
    suite = """
import gc

def test_it(client):
    for _ in range(20):
        assert client.get("/scratch").json() == 1
        gc.collect()
"""
    run_app(pytester, make, suite)


def test_each_database_keeps_the_tables_that_the_app_gave_it(pytester: pytest.Pytester) -> None:
    """Two databases whose tables have the same name."""
    app = """
from fastapi import FastAPI
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class A(DeclarativeBase): pass
class B(DeclarativeBase): pass

class AUser(A):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

class BUser(B):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]

a = create_engine("sqlite:///a.db")
b = create_engine("sqlite:///b.db")
A.metadata.create_all(a)
B.metadata.create_all(b)
app = FastAPI()
"""
    suite = """
from main import AUser, BUser, a, b
from sqlalchemy.orm import Session

def test_it():
    with Session(a) as session:
        session.add(AUser(name="ada"))
        session.commit()
    with Session(b) as session:
        session.add(BUser(email="ada@example"))
        session.commit()
"""
    files = {"main.py": app, "test_it.py": suite}
    Project(files).with_pyproject("[tool.greenroom]").run(pytester).passed(1)


def test_a_conftest_that_connects_before_the_app_is_loaded_is_led_away_too(
    pytester: pytest.Pytester,
) -> None:
    """An engine of its own on the app's URL, used while the conftest is imported."""
    conftest = """
from sqlalchemy import create_engine, text
engine = create_engine("sqlite:///shop.db")
with engine.connect() as connection:
    connection.execute(text("CREATE TABLE IF NOT EXISTS early (id INTEGER)"))
"""
    make = SHAPES["at import, sync"]
    project = Project({"main.py": APP.replace("{make}", make), "test_it.py": SUITE})
    result = project.with_files(conftest=conftest).run(pytester)
    assert not (result.folder / "shop.db").exists()
    result.says("GR014")


def test_a_helper_module_of_the_tests_is_not_the_app(pytester: pytest.Pytester) -> None:
    """An engine that it makes on another database is the tests' own."""
    make = SHAPES["at import, async"]
    helper = """
from sqlalchemy.ext.asyncio import create_async_engine
own = create_async_engine("sqlite+aiosqlite:///other.db")
"""
    suite = """
from main import engine, Item
from tests.helper import own

async def test_it(client, db_session):
    assert str(own.url).endswith(":///other.db")
    await client.post("/")
    assert (await db_session.get(Item, 1)).name == "lamp"
"""
    files = {
        "main.py": APP.replace("{make}", make),
        "tests/__init__.py": "",
        "tests/helper.py": helper,
        "tests/conftest.py": "from tests.helper import own",
        "tests/test_it.py": suite,
    }
    Project(files).run_subprocess(pytester).passed(1)


def test_an_engine_that_is_older_than_the_watch_is_led_away_too(pytester: pytest.Pytester) -> None:
    """A plugin that is loaded by `-p` may import the app before greenroom has begun."""
    make = SHAPES["at import, async"]
    project = Project({"main.py": APP.replace("{make}", make), "test_it.py": SUITE})
    result = project.with_files(early="import main").run_subprocess(pytester, "-p", "early")
    result.passed(5)
    assert not (result.folder / "shop.db").exists()


def test_an_older_engine_of_somebody_else_is_not_the_apps_main_one(
    pytester: pytest.Pytester,
) -> None:
    """`db_session` is on what the app has made."""
    suite = """
from main import Item

async def test_it(client, db_session):
    await client.post("/")
    assert (await db_session.get(Item, 1)).name == "lamp"
"""
    early = "from sqlalchemy import create_engine\nengine = create_engine('sqlite:///early.db')"
    make = SHAPES["at import, async"]
    project = Project({"main.py": APP.replace("{make}", make), "test_it.py": suite})
    project.with_files(early=early).run_subprocess(pytester, "-p", "early").passed(1)


def test_an_engine_that_is_gone_breaks_nothing(pytester: pytest.Pytester) -> None:
    """Made at import for a moment, or anew for each request."""
    make = (
        "import gc\n"
        'create_engine("sqlite:///moment.db")\ngc.collect()\napp = FastAPI()\n'
        'def get_engine(): return create_engine("sqlite:///moment.db", poolclass=NullPool)\n'
    )
    suite = """
import gc

def test_it(client, db_session):
    gc.collect()
    client.post("/")
    gc.collect()
    from main import Item
    assert db_session.get(Item, 1).name == "lamp"
"""
    run_app(pytester, make, suite)


def test_the_pools_status_can_be_asked_for_anywhere(pytester: pytest.Pytester) -> None:
    """In a thread, before the first connection, after it: as an app's metrics do."""
    make = SHAPES["at import, async"] + (
        '\n@app.get("/thread")\ndef in_a_thread(): return engine.pool.status()\n'
        '@app.get("/loop")\nasync def on_the_loop(): return engine.pool.checkedin()\n'
    )
    suite = """
async def test_it(client):
    assert (await client.get("/loop")).json() >= 0
    assert (await client.get("/thread")).status_code == 200
    await client.post("/")
    assert (await client.get("/loop")).json() >= 1
"""
    run_app(pytester, make, suite)


def test_the_engines_and_sessions_of_sqlmodel(pytester: pytest.Pytester) -> None:
    """`sqlmodel.create_engine` and `sqlmodel.Session`, as its tutorial has them."""
    app = """
from typing import Annotated
from fastapi import Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, create_engine, select

engine = create_engine("sqlite:///heroes.db", connect_args={"check_same_thread": False})

class Hero(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str

def get_session():
    with Session(engine) as session:
        yield session

app = FastAPI()

@app.post("/{name}")
def create(name: str, session: Annotated[Session, Depends(get_session)]) -> int:
    hero = Hero(name=name)
    session.add(hero)
    session.commit()
    return hero.id
"""
    suite = """
import pytest
from main import Hero
from sqlmodel import select

@pytest.mark.parametrize("attempt", [1, 2])
def test_blocking(client, db_session, attempt):
    assert client.post("/ada").json() == 1
    assert db_session.exec(select(Hero)).one().name == "ada"

@pytest.mark.parametrize("attempt", [1, 2])
async def test_async(client, db_session, attempt):
    assert (await client.post("/ada")).json() == 1
    assert db_session.exec(select(Hero)).one().name == "ada"
"""
    result = Project({"main.py": app, "test_it.py": suite}).run(pytester)
    result.passed(4)
    assert not (result.folder / "heroes.db").exists()


def test_an_engine_of_the_tests_on_the_apps_database_is_led_there(
    pytester: pytest.Pytester,
) -> None:
    """It is made before the app is, when nobody can know yet whose database it names."""
    conftest = "from sqlalchemy import create_engine\nown = create_engine('sqlite:///shop.db')\n"
    suite = """
import pytest
from conftest import own
from sqlalchemy import text

@pytest.mark.parametrize("attempt", [1, 2])
def test_it(client, attempt):
    assert client.get("/").json() == 0
    with own.begin() as connection:
        connection.execute(text("INSERT INTO items (name) VALUES ('lamp')"))
    assert client.get("/").json() == 1
"""
    make = SHAPES["at import, async"]
    files = {"conftest.py": conftest, "main.py": APP.replace("{make}", make), "test_it.py": suite}
    result = Project(files).run(pytester)
    result.passed(2)
    assert not (result.folder / "shop.db").exists()


REPLICAS = """
from fastapi import FastAPI
from sqlalchemy import create_engine, text
names = {names}
engines = {name: create_engine(f"postgresql+psycopg://u@{name}/app") for name in names}
app = FastAPI()
@app.get("/")
def where() -> dict[str, str]:
    found = {}
    for name, engine in engines.items():
        with engine.connect() as connection:
            found[name] = connection.execute(text("SELECT current_database()")).scalar_one()
    return found
"""


@pytest.mark.parametrize(
    ("names", "same"),
    [
        (["orders-db", "users-db", "users-db-ro"], [{"users-db", "users-db-ro"}]),
        (
            ["users-db-ro", "orders-db-ro", "users-db", "orders-db"],
            [{"users-db", "users-db-ro"}, {"orders-db", "orders-db-ro"}],
        ),
        (["db.internal", "replica.elsewhere"], [{"db.internal", "replica.elsewhere"}]),
        (["orders.shop.ro", "users.shop.ro"], []),
        (["a.internal", "b.internal", "replica.elsewhere"], []),
    ],
)
def test_a_replica_leads_where_its_primary_does_and_nowhere_else(
    pytester: pytest.Pytester, postgresql_url: str, names: list[str], same: list[set[str]]
) -> None:
    """Whichever comes first."""
    suite = f"""
def test_it(client):
    found = client.get("/").json()
    same = {same}
    for one in found:
        for other in found:
            together = one == other or any({{one, other}} <= group for group in same)
            assert (found[one] == found[other]) is together, (one, other, found)
"""
    files = {"main.py": REPLICAS.replace("{names}", repr(names)), "test_it.py": suite}
    said = "[tool.greenroom]\nschema = 'none'\n"
    project = Project(files, {"GREENROOM_DATABASE": postgresql_url}).with_pyproject(said)
    project.run(pytester).passed(1)


@pytest.mark.parametrize("dialect", KINDS)
def test_an_engine_that_a_fixture_closes_opens_again(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """For good, as that fixture means it; the next test, and the next request, connect anew."""
    suite = """
import pytest
from main import blocking_engine, engine
@pytest.fixture(params=[1, 2])
async def closed():
    await engine.dispose()
    yield
    await engine.dispose()
    blocking_engine.dispose()
async def test_it(closed, client):
    assert (await client.get("/items")).json() == []
    await client.post("/items/lamp")
    await client.post("/thread")
@pytest.fixture(scope="module")
async def all_closed():
    yield
    await engine.dispose()
async def test_after(all_closed, client): assert (await client.get("/items")).json() == []
"""
    files = {"main.py": served.app(app_source("async_items")), "test_it.py": suite}
    Project(files, served.environ).run(pytester).passed(3)


OWN_APPS = """
import gc
import pytest
from main import create_app

@pytest.fixture(scope="{scope}")
def app(): return create_app()

@pytest.mark.parametrize("attempt", [1, 2])
class TestOfAnApp:
    async def test_asks(self, client, attempt):
        assert (await client.post("/")).status_code == 200
        assert (await client.get("/")).json() == 1

    def test_asks_too(self, sync_client, attempt):
        assert sync_client.post("/").status_code == 200
        assert sync_client.get("/").json() == 1

class TestOfAnotherApp(TestOfAnApp): pass

def test_whoever_comes_later():
    for _ in range(3): gc.collect()
"""


@pytest.mark.parametrize("isolation", ["reset", "rollback"])
@pytest.mark.parametrize("scope", ["function", "class"])
@pytest.mark.parametrize("make", ["create_async_engine", "create_engine"])
@pytest.mark.parametrize("dialect", KINDS)
def test_what_an_app_of_the_projects_own_fixture_holds_is_closed_with_it(
    pytester: pytest.Pytester, dialect: Dialect, make: str, scope: str, isolation: str
) -> None:
    """Its lifespan was started by nobody: a later test isn't told of its connections."""
    url = "sqlite+aiosqlite:///shop.db" if make == "create_async_engine" else "sqlite:///shop.db"
    router = "from fastapi import APIRouter\napp = APIRouter()"
    factory = APP.replace("{make}", router) + (
        f'\nget_engine = lambda: engine\ndef create_app():\n    global engine\n    engine = {make}("{url}")\n'
        "    made = FastAPI()\n    made.include_router(app)\n    return made\n"
    )
    files = {
        "main.py": dialect.app(factory),
        "test_it.py": OWN_APPS.replace("{scope}", scope),
    }
    project = Project(files, dialect.environ).with_pyproject(
        f'[tool.greenroom]\napp = "main:create_app()"\nisolation = "{isolation}"\n'
        '[tool.pytest.ini_options]\nfilterwarnings = ["error"]'
    )
    project.run(pytester, "-p", "no:randomly").passed(9)


@pytest.mark.parametrize("dialect", KINDS)
def test_a_listener_that_knows_its_own_driver_only(
    pytester: pytest.Pytester, dialect: Dialect
) -> None:
    """It's heard for the app's connections, and keeps nobody from making the tables by another driver."""
    make = (
        'engine = create_async_engine("sqlite+aiosqlite:///shop.db")\nget_engine = lambda: engine\nHEARD = []\n'
        '@event.listens_for(engine.sync_engine, "connect")\n'
        "def connected(connection, record):\n"
        "    cursor = connection.cursor()\n    cursor.execute('SELECT 1')\n    cursor.close()\n"
        "    async def listened(driver): HEARD.append(driver)\n"
        "    connection.run_async(listened)\n"
        "app = FastAPI()\n"
    )
    test = """
import main
from sqlalchemy import func, select
async def test_async(client, db_session):
    await client.post("/")
    assert await db_session.scalar(select(func.count()).select_from(main.Item)) == 1
    assert main.HEARD
def test_blocking(client, db_session):
    db_session.add(main.Item(name="own"))
    assert client.get("/").json() == 1
"""
    files = {"main.py": dialect.app(APP.replace("{make}", make)), "test_it.py": test}
    for _ in range(2):
        Project(files, dialect.environ).run(pytester).passed(2)


@pytest.mark.parametrize("dialect", KINDS[:2])
def test_what_listens_to_every_engine_is_heard_once(
    pytester: pytest.Pytester, dialect: Dialect
) -> None:
    """Also by what makes the tables and by a `def` test's session; an async driver's needn't know theirs."""
    make = """
from collections import Counter
from sqlalchemy.engine import Engine
engine = create_async_engine("sqlite+aiosqlite:///shop.db")
get_engine = lambda: engine
HEARD = Counter()
async def nothing(driver): pass

@event.listens_for(Engine, "connect")
def connected(connection, record):
    HEARD[id(record)] += 1
    connection.run_async(nothing)

@event.listens_for(Engine, "begin")
def begun(connection): HEARD[id(connection)] += 1

app = FastAPI()
"""
    test = """
import main
def test_it(client, db_session):
    main.HEARD.clear()
    db_session.add(main.Item(name="own"))
    db_session.commit()
    assert client.get("/").json() == 1
    assert len(main.HEARD) >= 2 and set(main.HEARD.values()) == {1}
"""
    files = {"main.py": dialect.app(APP.replace("{make}", make)), "test_it.py": test}
    # In a process of its own: the listeners stay in it.
    Project(files, dialect.environ).run_subprocess(pytester).passed(1)


def test_a_listener_that_fails_is_told_with_its_line(pytester: pytest.Pytester) -> None:
    """And without a traceback, where it would fail for the app as well."""
    make = (
        'engine = create_engine("sqlite:///shop.db")\nget_engine = lambda: engine\n'
        '@event.listens_for(engine, "connect")\n'
        "def connected(connection, record):\n    raise LookupError('no key')\n"
        "app = FastAPI()\n"
    )
    result = Project({"main.py": APP.replace("{make}", make), "test_it.py": SUITE}).run(pytester)
    result.says("GR018 the tables can't be made from the metadata: LookupError: no key")
    result.says("connected")
    result.silent_about("INTERNALERROR")
