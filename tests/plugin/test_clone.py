"""`@pytest.mark.isolation("clone")`: a database of its own for one test."""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from pathlib import Path

import psycopg
import pytest

from greenroom.database import made
from greenroom.facts.errors import GreenroomError
from tests.dialects import KINDS, Dialect
from tests.harness import Project

APP = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
from sqlalchemy import String, insert, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("sqlite+aiosqlite:///app.db")
Session = async_sessionmaker(engine)
class Base(DeclarativeBase): pass
class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))

@asynccontextmanager
async def lifespan(app):
    async with Session.begin() as session:
        session.add(Item(name="by start-up"))
    yield

app = FastAPI(lifespan=lifespan)
@app.get("/")
async def names() -> list[str]:
    async with Session() as session:
        return list(await session.scalars(select(Item.name).order_by(Item.id)))
@app.post("/{name}")
async def add(name: str) -> int:
    async with Session.begin() as session:
        item = Item(name=name)
        session.add(item)
        await session.flush()
        return item.id
"""
TEST = """
import psycopg
import pytest
from sqlalchemy import text
from main import engine

@pytest.mark.isolation("clone")
@pytest.mark.parametrize("attempt", [1, 2])
async def test_in_a_clone(client, attempt):
    assert (await client.get("/")).json() == ["by start-up"]
    assert (await client.post("/mine")).json() == 2
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE more (id INTEGER)"))
        await connection.execute(text("DROP TABLE items"))

@pytest.mark.parametrize("attempt", [1, 2, 3])
async def test_beside_it(client, attempt):
    assert (await client.get("/")).json() == ["by start-up"]
    assert (await client.post("/other")).json() == 2
    async with engine.begin() as connection:
        with pytest.raises(Exception):
            await connection.execute(text("SELECT * FROM more"))
"""


def project(dialect: Dialect, **files: str) -> Project:
    return Project({"main.py": dialect.app(APP), "test_it.py": TEST, **files}, dialect.environ)


@pytest.mark.parametrize("dialect", KINDS)
def test_a_clone_begins_like_every_test_and_ends_with_it(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """Rows of the start-up are in it; whatever the test does to its tables stays in it."""
    project(served).run(pytester).passed(5)


@pytest.mark.parametrize("dialect", KINDS)
def test_a_whole_run_can_be_on_clones(pytester: pytest.Pytester, served: Dialect) -> None:
    """`isolation = "clone"` is for all tests."""
    result = project(served).with_environ(GREENROOM_ISOLATION="clone").run(pytester)
    result.passed(5)
    assert " · clone · " in result.header()


@pytest.mark.parametrize("dialect", KINDS)
def test_the_tables_are_mended_after_a_test_that_changed_them(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """Under `reset` too, though a clone says what is meant."""
    test = TEST.replace('@pytest.mark.isolation("clone")\n', "")
    result = project(served, **{"test_it.py": test}).run(pytester, "-o", "log_cli=true")
    result.passed(5)
    result.silent_about("Exception closing connection")


@pytest.mark.parametrize("dialect", KINDS)
def test_the_database_of_a_failed_test_can_be_kept(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """Its address is in the report, without a password."""
    test = TEST + "    assert attempt != 2\n"
    test = test.replace(
        "async def test_beside_it", '@pytest.mark.isolation("clone")\nasync def test_beside_it'
    )
    made_of = project(served, **{"test_it.py": test})
    if (served.server or "").startswith("postgresql"):
        secret = str(served.server).replace("postgres@", "postgres:geheim@")
        made_of = made_of.with_environ(GREENROOM_DATABASE=secret)
    result = made_of.run(pytester, "--greenroom-keep")
    result.counts(passed=4, failed=1)
    result.says(
        "databases kept", "test_it.py::test_beside_it[2]: ", "clone", "its database is kept: "
    )
    assert result.out.count("test_it.py::test_beside_it[2]: ") == 1
    result.silent_about("geheim", "test_beside_it[1]: ")
    kept = re.findall(r"greenroom_clone_\w+", result.out)
    if not served.server:
        file = Path(re.findall(r"test_beside_it\[2\]: (\S+)", result.out)[0])
        with contextlib.closing(sqlite3.connect(file)) as connection:
            assert connection.execute("SELECT count(*) FROM items").fetchone() == (2,)
        shutil.rmtree(file.parent)
    else:
        there = {one.name: one.kind for one in made.find(served.server)}
        # Another worker that is done may have cleaned the server of this machine meanwhile.
        assert there.get(kept[0], "kept") == "kept"
        made.clean(served.server)
        assert kept[0] not in {one.name for one in made.find(served.server)}


def test_a_kept_database_of_the_embedded_server_can_be_opened(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server goes with the run; `greenroom db open` starts another one with what was kept."""
    # Another test's `db clean` would take it out of the cache that all of them share.
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.mkdir("cache")))
    test = TEST + "    assert attempt != 2\n"
    test = test.replace(
        "async def test_beside_it", '@pytest.mark.isolation("clone")\nasync def test_beside_it'
    )
    dialect = Dialect("asyncpg", "postgresql+asyncpg", "")
    made_of = project(dialect, **{"test_it.py": test})
    result = made_of.run_subprocess(pytester, "--greenroom-keep", "-p", "no:randomly")
    result.counts(passed=4, failed=1)
    # In the failure's own report, and once more at the end.
    name = re.findall(r"its database is kept: greenroom db open (\w+)", result.out)[0]
    result.says(f"test_it.py::test_beside_it[2]: greenroom db open {name}")
    again = project(dialect).run_subprocess(pytester)
    again.passed(5)
    with made.opened(name, pytester.path) as address, psycopg.connect(address) as connection:
        assert connection.execute("SELECT count(*) FROM items").fetchone() == (2,)
    with (
        pytest.raises(
            GreenroomError, match=f"GR029 no database nothing is kept.*\nThere is: {name}"
        ),
        made.opened("nothing", pytester.path),
    ):
        pass
    elsewhere = pytest.raises(GreenroomError, match="GR029 no database is kept for")
    with elsewhere, made.opened(name, Path("/")):
        pass


def test_a_test_of_an_adopted_database_cannot_have_a_clone(
    pytester: pytest.Pytester, limited_url: str
) -> None:
    """It says why, and what to do."""
    dialect = Dialect("limited", "postgresql+asyncpg", "", limited_url)
    result = project(dialect).run(pytester, "-p", "no:randomly", "-k", "in_a_clone")
    result.says("GR028 a clone can't be made")


def made_by_start_up(more: str = "") -> str:
    """The app, whose start-up makes the tables, and more in the same transaction."""
    adds = (
        '    async with Session.begin() as session:\n        session.add(Item(name="by start-up"))'
    )
    assert adds in APP
    return APP.replace(
        adds,
        "    async with engine.begin() as connection:\n"
        f"        await connection.run_sync(Base.metadata.create_all)\n{more}{adds}",
    )


@pytest.mark.parametrize("dialect", KINDS)
def test_tables_that_the_start_up_makes_are_there_again(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """The app starts again after a test that dropped them."""
    app = made_by_start_up()
    test = TEST.replace('@pytest.mark.isolation("clone")\n', "")
    made = Project({"main.py": served.app(app), "test_it.py": test}, served.environ)
    made.with_environ(GREENROOM_SCHEMA="none").run(pytester).passed(5)


@pytest.mark.parametrize("dialect", KINDS)
def test_a_clone_has_the_views_that_the_start_up_makes(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """And the rows that it writes: a view that stands on another among them."""
    app = made_by_start_up(
        "        from sqlalchemy import text\n"
        "        for view in ('z_names AS SELECT name FROM items', 'a_names AS SELECT name FROM z_names'):\n"
        "            await connection.execute(text(f'CREATE VIEW {view}'))\n"
    )
    test = """
import pytest
from sqlalchemy import text

@pytest.mark.isolation("clone")
@pytest.mark.parametrize("attempt", range(2))
async def test_it(client, db_session, attempt):
    found = await db_session.scalars(text("SELECT name FROM a_names"))
    assert list(found) == ["by start-up"]
"""
    made_of = Project({"main.py": served.app(app), "test_it.py": test}, served.environ)
    made_of.with_environ(GREENROOM_SCHEMA="none").run(pytester).passed(2)
