"""One suite, every dialect: whatever the app does with its database, the next test doesn't see it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.dialects import KINDS, KINDS_OF_SERVER, SERVERS, Dialect
from tests.harness import Project, app_source, suite_source

APPS = ["async_items", "sync_items"]
COUNT = {"probes_async": 20, "probes_blocking": 18}
FUNCTION_LOOPS = """
[tool.pytest.ini_options]
asyncio_default_test_loop_scope = "function"
asyncio_default_fixture_loop_scope = "function"
"""
QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart"


def probes(dialect: Dialect, app: str, suite: str) -> Project:
    files = {"main.py": dialect.app(app_source(app)), "test_probes.py": suite_source(suite)}
    return Project(files, dialect.environ)


def quickstart(dialect: Dialect) -> Project:
    """The example, moved to another database by one line: its URL."""
    url = dialect.url(dialect.asynchronous)
    main = (QUICKSTART / "main.py").read_text()
    files = {file.name: file.read_text() for file in QUICKSTART.glob("*.toml")}
    files |= {f"tests/{file.name}": file.read_text() for file in QUICKSTART.glob("tests/*.py")}
    if dialect.name == "sqlite":
        files["main.py"] = main
    else:
        files["main.py"] = re.sub(r"sqlite\+aiosqlite:///[^\"]*", url, main)
        assert files["main.py"].count(url) == 1
    return Project(files, dialect.environ)


@pytest.mark.parametrize("dialect", SERVERS)
@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("suite", COUNT)
@pytest.mark.parametrize("loops", ["", FUNCTION_LOOPS], ids=["session", "function"])
def test_every_write_is_gone_in_the_next_test(
    pytester: pytest.Pytester, served: Dialect, app: str, suite: str, loops: str
) -> None:
    """The five probes, in random order, on the run's loop and on one for each test."""
    result = probes(served, app, suite).with_pyproject(loops).run(pytester)
    result.passed(COUNT[suite])
    result.silent_about("geheim")


@pytest.mark.parametrize("dialect", SERVERS)
def test_the_example_moves_to_another_database_by_its_url(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """One line is changed, and its 18 tests pass."""
    quickstart(served).run(pytester).passed(18)


def test_the_example_moves_to_postgresql_with_no_server_named(pytester: pytest.Pytester) -> None:
    """An embedded one is started for it; nothing but the URL says PostgreSQL."""
    made = quickstart(Dialect("embedded", "postgresql+asyncpg", ""))
    assert made.environ == {}
    result = made.run(pytester)
    result.passed(18)
    assert ", embedded · reset" in result.header()


#: What of the example awaits, and what a sync driver has in its place.
BLOCKING_WORDS = [
    (
        r"from sqlalchemy\.ext\.asyncio import AsyncSession, async_sessionmaker, create_async_engine",
        "from sqlalchemy import create_engine\nfrom sqlalchemy.orm import Session, sessionmaker",
    ),
    (r"from sqlalchemy\.ext\.asyncio import AsyncSession", "from sqlalchemy.orm import Session"),
    (r"AsyncSession", "Session"),
    (r"create_async_engine", "create_engine"),
    (r"async_sessionmaker", "sessionmaker"),
    (r"async with (SessionLocal|engine)", r"with \1"),
    (r"await connection\.run_sync\((.*create_all)\)", r"\1(connection)"),
    (r"await (engine|db|db_session)\.", r"\1."),
]


def blocking(source: str, dialect: Dialect) -> str:
    """A source of the example, for a sync driver."""
    for word, its in BLOCKING_WORDS:
        source = re.sub(word, its, source)
    return source.replace(f'"{dialect.asynchronous}:', f'"{dialect.blocking}:')


@pytest.mark.parametrize("dialect", [*KINDS[:1], *SERVERS])
def test_the_example_runs_on_a_sync_driver(pytester: pytest.Pytester, served: Dialect) -> None:
    """sqlite3, psycopg2, psycopg and pymysql: the same 18 tests, with a sync engine and session."""
    made = quickstart(served)
    files = {
        name: blocking(source, served) if name.endswith(".py") else source
        for name, source in made.files.items()
    }
    assert f'"{served.blocking}://' in files["main.py"]
    assert "AsyncSession" not in files["main.py"]
    replace(made, files=files).run(pytester).passed(18)


@pytest.mark.parametrize("dialect", KINDS_OF_SERVER)
def test_the_example_runs_on_two_workers(pytester: pytest.Pytester, served: Dialect) -> None:
    """Each has a database of its own."""
    result = quickstart(served).run_subprocess(pytester, "-n", "2")
    result.passed(18)


READS = """
async def test_what_is_written_by_one_engine_is_read_by_the_other(client):
    await client.post("/items/by_async")
    await client.post("/thread")
    assert (await client.get("/items")).json() == ["by_async", "thread"]
    await client.post("/thread_after_read")
"""


@pytest.mark.parametrize("dialect", SERVERS)
def test_a_sync_and_an_async_engine_see_each_others_commits(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """They lead to one database, since their URLs name one."""
    main = served.app(app_source("async_items")) + (
        '\n\n@app.post("/thread_after_read")\n'
        "async def thread_after_read(db: Db) -> None:\n"
        "    with BlockingSession() as blocking:\n"
        "        blocking.add(Item(name='more'))\n"
        "        blocking.commit()\n"
        "    assert list(await db.scalars(select(Item.name).where(Item.name == 'more')))\n"
    )
    Project({"main.py": main, "test_it.py": READS}, served.environ).run(pytester).passed(1)


NOW = """
from fastapi import FastAPI
from sqlalchemy import DateTime, String, func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("sqlite+aiosqlite:///./app.db")
Session = async_sessionmaker(engine)
app = FastAPI()
class Base(DeclarativeBase): pass
class Note(Base):
    __tablename__ = "notes"
    text: Mapped[str] = mapped_column(String(50), primary_key=True)
    at: Mapped[object] = mapped_column(DateTime(timezone=True), server_default=func.now())
@app.post("/{text}")
async def add(text: str) -> None:
    async with Session.begin() as session:
        session.add(Note(text=text))
@app.get("/")
async def newest() -> list[str]:
    async with Session() as session:
        return list(await session.scalars(select(Note.text).order_by(Note.at.desc())))
"""


@pytest.mark.parametrize("dialect", [*SERVERS[:3]])
def test_rows_of_two_requests_have_two_times(pytester: pytest.Pytester, served: Dialect) -> None:
    """`now()` is the transaction's start: real commits show the order, as production does.

    Not on SQLite and MariaDB, whose `now()` counts seconds.
    """
    test = """
async def test_it(client):
    for text in "cabd":
        await client.post(f"/{text}")
    assert (await client.get("/")).json() == ["d", "b", "a", "c"]
"""
    project = Project({"main.py": served.app(NOW), "test_it.py": test}, served.environ)
    project.run(pytester).passed(1)
