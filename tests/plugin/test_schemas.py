"""PostgreSQL's schemas and materialized views: made as the app expects them, and as they were for each test."""

from __future__ import annotations

import pytest

from tests.harness import Project, Result

APP = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("postgresql+asyncpg://shop@db.invalid/shop"{options})
class Base(DeclarativeBase): pass
class Entry(Base):
    __tablename__ = "entries"
    __table_args__ = {{"schema": {schema!r}}}
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

async def send(*statements):
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))

@asynccontextmanager
async def lifespan(app):
    await send(*{start_up!r})
    yield

app = FastAPI(lifespan=lifespan)

@app.post("/{{name}}")
async def add(name: str) -> int:
    async with engine.begin() as connection:
        await connection.execute(Entry.__table__.insert().values(name=name))
        return (await connection.execute(text({count!r}))).scalar_one()
"""


def app(
    *,
    schema: str | None = None,
    options: str = "",
    start_up: tuple[str, ...] = (),
    count: str = "SELECT count(*) FROM entries",
) -> str:
    return APP.format(schema=schema, options=options, start_up=start_up, count=count)


def run(pytester: pytest.Pytester, url: str, main: str, test: str, *, build: str = "") -> Result:
    files = {"main.py": main, "test_it.py": "import pytest\nfrom main import send\n" + test}
    environ = {"GREENROOM_DATABASE": url}
    if build:
        files["tables.py"] = build
        environ["GREENROOM_SCHEMA"] = "tables:build"
    return Project(files, environ).run(pytester, "-p", "no:randomly", "-rA")


TWICE = """
@pytest.mark.parametrize("attempt", range(2))
async def test_it(client, attempt):
    assert (await client.post("/lamp")).json() == 1
"""


@pytest.mark.parametrize(
    ("schema", "translated", "found_in"),
    [
        ("audit", "", "audit.entries"),
        ("tenant", '{"tenant": "t1"}', "t1.entries"),
        ("tenant", '{"tenant": None}', "public.entries"),
        (None, '{None: "t1"}', "t1.entries"),
    ],
)
def test_the_schemas_of_the_tables_are_made(
    pytester: pytest.Pytester, postgresql_url: str, schema: str, translated: str, found_in: str
) -> None:
    """Those that the models name, or what the app's engine writes in the place of them."""
    options = f', execution_options={{"schema_translate_map": {translated}}}' if translated else ""
    main = app(schema=schema, options=options, count=f"SELECT count(*) FROM {found_in}")
    run(pytester, postgresql_url, main, TWICE).passed(2)


def test_the_schemas_of_types_and_sequences_are_made(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """Also of those that no table lies in."""
    main = app(count="SELECT count(*) FROM entries WHERE kind = 'good' AND number = 7")
    main = main.replace(
        "    name: Mapped[str]",
        "    name: Mapped[str]\n"
        "    kind: Mapped[str] = mapped_column(Enum('good', name='kind', schema='types'), default='good')\n"
        "    number: Mapped[int] = mapped_column(Sequence('numbers', start=7, schema='counters'))",
    ).replace("import text\n", "import Enum, Sequence, text\n", 1)
    run(pytester, postgresql_url, main, TWICE).passed(2)


def test_another_name_for_a_schema_makes_another_template(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """The models are the same."""
    for translated, found_in in (("None", "public.entries"), ("'t1'", "t1.entries")):
        options = f', execution_options={{"schema_translate_map": {{"tenant": {translated}}}}}'
        main = app(schema="tenant", options=options, count=f"SELECT count(*) FROM {found_in}")
        run(pytester, postgresql_url, main, TWICE).passed(2)


BUILD = """
from sqlalchemy import text
from main import Base
def build(connection):
    Base.metadata.create_all(connection)
    connection.execute(text("CREATE MATERIALIZED VIEW names AS SELECT name FROM entries"))
"""
SEEDS_AND_REFRESHES = (
    "INSERT INTO entries (name) VALUES ('seed')",
    "REFRESH MATERIALIZED VIEW names",
)
COUNTS = "SELECT count(*) FROM names"
CHANGES = """
async def test_before(client):
    assert (await client.post("/lamp")).json() == 1

async def test_changes_a_definition(client):
    await send("ALTER TABLE entries ADD more integer")

async def test_refreshes(client):
    await client.post("/lamp")
    await send("REFRESH MATERIALIZED VIEW names")
    assert (await client.post("/chair")).json() == 2

@pytest.mark.isolation("clone")
async def test_in_a_clone(client):
    assert (await client.post("/lamp")).json() == 1

async def test_after(client):
    assert (await client.post("/lamp")).json() == 1
"""


def test_a_view_that_the_start_up_refreshes_is_as_it_left_it(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """Also after tests that changed a definition or refreshed it themselves, and in a clone."""
    main = app(start_up=SEEDS_AND_REFRESHES, count=COUNTS)
    run(pytester, postgresql_url, main, CHANGES, build=BUILD).passed(5)


FIXTURE = """
@pytest.fixture(scope="session", autouse=True)
async def seeded(app):
    await send("INSERT INTO entries (name) VALUES ('seed')", "REFRESH MATERIALIZED VIEW names")
"""


def test_a_view_that_a_fixture_does_nothing_but_refresh_stays_as_it_is(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """Of numbers: nothing else tells that it was written to."""
    test = """
@pytest.fixture(scope="module", autouse=True)
async def refreshed(app):
    await send("REFRESH MATERIALIZED VIEW names")

@pytest.mark.parametrize("attempt", range(3))
async def test_it(client, attempt):
    assert (await client.post("/lamp")).json() == 1
"""
    main = app(start_up=("INSERT INTO entries (name) VALUES ('seed')",), count=COUNTS)
    build = BUILD.replace("SELECT name FROM", "SELECT id FROM")
    run(pytester, postgresql_url, main, test, build=build).passed(3)


def test_a_view_that_a_fixture_of_a_higher_scope_refreshes_cannot_be_had_again(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """A clone has it; after a test that changed definitions each one says so."""
    without = CHANGES.replace(
        "async def test_changes", '@pytest.mark.isolation("clone")\nasync def test_changes'
    )
    without = without.replace(
        "async def test_refreshes", '@pytest.mark.isolation("clone")\nasync def test_refreshes'
    )
    run(pytester, postgresql_url, app(count=COUNTS), FIXTURE + without, build=BUILD).passed(5)

    result = run(pytester, postgresql_url, app(count=COUNTS), FIXTURE + CHANGES, build=BUILD)
    result.counts(passed=2, errors=3)
    told = (
        "GR033 test_it.py::test_changes_a_definition has changed tables, and what seeded (session)"
    )
    assert result.out.count(f"\n{told}") == 3, result.out


#: How an app says where its sessions look for tables: its source, with `{path}`.
ASYNCPG = """
from sqlalchemy.ext.asyncio import create_async_engine
engine = create_async_engine("postgresql+asyncpg://shop@db.invalid/shop",
    connect_args={{"server_settings": {{"search_path": {path!r}, "timezone": "Asia/Tokyo"}}}})
"""
PSYCOPG2 = """
from sqlalchemy import create_engine
engine = create_engine("postgresql+psycopg2://shop@db.invalid/shop",
    connect_args={{"options": "-csearch_path=" + {path!r}.replace(" ", "\\\\ ") + " -c timezone=Asia/Tokyo"}})
"""
URL = """
from sqlalchemy import create_engine
from urllib.parse import quote
options = quote("-csearch_path=" + {path!r}.replace(" ", "\\\\ ") + " -c timezone=Asia/Tokyo")
engine = create_engine("postgresql+psycopg://shop@db.invalid/shop?options=" + options)
"""
LISTENER = """
from sqlalchemy import create_engine, event
engine = create_engine("postgresql+psycopg://shop@db.invalid/shop")
@event.listens_for(engine, "connect", insert=True)
def look_there(connection, record):
    before, connection.autocommit = connection.autocommit, True
    connection.execute("SET SESSION search_path = " + {path!r})
    connection.execute("SET SESSION timezone = 'Asia/Tokyo'")
    connection.autocommit = before
"""
DO_CONNECT = """
from sqlalchemy import create_engine, event
engine = create_engine("postgresql+psycopg://shop@db.invalid/shop")
@event.listens_for(engine, "do_connect")
def look_there(dialect, record, arguments, keywords):
    keywords["options"] = "-csearch_path=" + {path!r}.replace(" ", "\\\\ ") + " -c timezone=Asia/Tokyo"
"""
LOOKING = """
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase): pass
class Entry(Base):
    __tablename__ = "entries"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

app = FastAPI()
send = engine

def write(connection):
    connection.execute(Entry.__table__.insert().values(name="lamp"))
    where = "SELECT schemaname FROM pg_tables WHERE tablename = 'entries'"
    return connection.scalars(text(where)).all(), connection.scalar(text("SELECT max(id) FROM entries"))

@app.post("/")
async def add() -> tuple[list[str], int]:
    if isinstance(engine, AsyncEngine):
        async with engine.begin() as connection:
            return await connection.run_sync(write)
    with engine.begin() as connection:
        return write(connection)
"""
LOOKED_FOR = """
import inspect
from main import Entry
from sqlalchemy import func, select, text

@pytest.mark.parametrize("attempt", range(2))
async def test_async(client, db_session, attempt):
    assert (await client.post("/")).json() == [[{schema!r}], 1]
    found = db_session.scalar(select(func.count()).select_from(Entry))
    assert (await found if inspect.isawaitable(found) else found) == 1

@pytest.mark.parametrize("attempt", range(2))
def test_blocking(client, db_session, attempt):
    db_session.add(Entry(name="own"))
    db_session.commit()
    assert client.post("/").json() == [[{schema!r}], 2]
    assert db_session.scalar(text("SHOW timezone")) == "Asia/Tokyo"
"""


@pytest.mark.parametrize(
    ("path", "schema"), [("tenant", "tenant"), ('"My ""Own"" Place", public', 'My "Own" Place')]
)
@pytest.mark.parametrize(
    "how",
    [ASYNCPG, PSYCOPG2, URL, LISTENER, DO_CONNECT],
    ids=["asyncpg", "psycopg2", "url", "listener", "do_connect"],
)
def test_the_tables_are_made_where_the_apps_sessions_look_for_them(
    pytester: pytest.Pytester, postgresql_url: str, how: str, path: str, schema: str
) -> None:
    """By whatever means it tells the server; a `def` test's session is set as the app's are."""
    main = how.format(path=path) + LOOKING
    test = LOOKED_FOR.format(schema=schema)
    run(pytester, postgresql_url, main, test).passed(4)


@pytest.mark.parametrize("how", [ASYNCPG, LISTENER], ids=["asyncpg", "listener"])
def test_another_search_path_makes_another_template(
    pytester: pytest.Pytester, postgresql_url: str, how: str
) -> None:
    """The tables of the earlier run aren't looked for elsewhere."""
    for schema in ("one", "two", "two"):
        main = how.format(path=schema) + LOOKING
        test = LOOKED_FOR.format(schema=schema)
        run(pytester, postgresql_url, main, test).passed(4)


def test_an_engine_that_only_reads_may_be_the_first(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """What makes the tables writes nonetheless."""
    reads = PSYCOPG2.replace("timezone=Asia/Tokyo", "default_transaction_read_only=on")
    main = reads.format(path="tenant").replace("engine =", "reader =") + PSYCOPG2.format(
        path="tenant"
    )
    test = """
async def test_it(client):
    assert (await client.post("/")).json() == [["tenant"], 1]
"""
    run(pytester, postgresql_url, main + LOOKING, test).passed(1)
