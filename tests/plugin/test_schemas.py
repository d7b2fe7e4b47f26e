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
