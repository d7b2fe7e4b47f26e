"""`isolation = "rollback"`: the test's transactions look real, and are undone with one of their own."""

from __future__ import annotations

import re

import psycopg
import pytest
from sqlalchemy import make_url

from greenroom.database.mark import ADOPTED, Mark
from greenroom.database.postgresql.server import marking
from tests.dialects import ASYNCMY, ASYNCPG, KINDS, SERVERS, SQLITE, Dialect, needs_mariadb
from tests.harness import Project, Result, app_source, suite_source

ROLLBACK = """
[tool.greenroom]
isolation = "rollback"
"""
COUNT = {"probes_async": 20, "probes_blocking": 18}
#: Each async driver once.
EVERY = [KINDS[0], *SERVERS[:2], *SERVERS[3:]]


def limits(dialect: Dialect, app: str) -> dict[str, str]:
    """The tests that one shared connection can't tell truthfully, and what each says."""
    known: dict[str, str] = {}
    if app == "async_items":
        # An engine on a sync driver beside the async one.
        known["test_every_way_to_write[thread]"] = "of two drivers"
    if dialect.server is not None and dialect.server.startswith("mysql"):
        known.setdefault("test_ddl", "MariaDB and MySQL commit before it")
    return known


def failed(result: Result) -> dict[str, str]:
    """The tests that didn't pass, without the number of their attempt."""
    lines = re.findall(r"^(?:FAILED|ERROR) \S+::(\S+)", result.out, re.MULTILINE)
    return {re.sub(r"\[[12]\]$", "", re.sub(r"-[12]\]$", "]", name)): name for name in lines}


@pytest.mark.parametrize("dialect", EVERY)
@pytest.mark.parametrize(
    ("app", "suite"), [("async_items", "probes_async"), ("sync_items", "probes_blocking")]
)
def test_every_write_is_gone_in_the_next_test_or_refused(
    pytester: pytest.Pytester, served: Dialect, app: str, suite: str
) -> None:
    """The probes of every isolation; those that can't hold say why, and no other fails."""
    files = {"main.py": served.app(app_source(app)), "test_probes.py": suite_source(suite)}
    result = Project(files, served.environ).with_pyproject(ROLLBACK).run(pytester)
    expected = limits(served, app)
    assert failed(result).keys() == expected.keys(), result.out
    outcomes = result.ran.parseoutcomes()
    assert outcomes.get("passed", 0) == COUNT[suite] - 2 * len(expected), result.out
    result.says(*["GR032 the isolation rollback can't be truthful here"] * bool(expected))
    result.says(*expected.values())


FUNCTION_LOOPS = """
[tool.pytest.ini_options]
asyncio_default_test_loop_scope = "function"
asyncio_default_fixture_loop_scope = "function"
"""


@pytest.mark.parametrize("dialect", KINDS)
def test_the_same_holds_on_a_loop_for_each_test_and_on_two_workers(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """The shared connection belongs to the loop that the test runs on."""
    source = suite_source("probes_async")
    files = {"main.py": served.app(app_source("sync_items")), "test_probes.py": source}
    project = Project(files, served.environ).with_pyproject(ROLLBACK + FUNCTION_LOOPS)
    result = project.run_subprocess(pytester, "-n", "2")
    expected = limits(served, "sync_items")
    assert failed(result).keys() == expected.keys(), result.out
    outcomes = result.ran.parseoutcomes()
    assert outcomes.get("passed", 0) == COUNT["probes_async"] - 2 * len(expected), result.out


@pytest.mark.parametrize("dialect", KINDS)
def test_an_async_app_holds_on_a_loop_for_each_test(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """Its connections die with their loops."""
    source = suite_source("probes_async")
    files = {"main.py": served.app(app_source("async_items")), "test_probes.py": source}
    project = Project(files, served.environ).with_pyproject(ROLLBACK + FUNCTION_LOOPS)
    result = project.run(pytester)
    expected = limits(served, "async_items")
    assert failed(result).keys() == expected.keys(), result.out


APP = """
import asyncio
from fastapi import FastAPI
from sqlalchemy import DateTime, String, event, func, select, text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("sqlite+aiosqlite:///app.db")
Session = async_sessionmaker(engine)
class Base(DeclarativeBase): pass
class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
    stock: Mapped[int] = mapped_column(default=0)
    at: Mapped[object] = mapped_column(DateTime(timezone=True), server_default=func.now())

app = FastAPI()
@app.get("/")
async def names() -> list[str]:
    async with Session() as session:
        return list(await session.scalars(select(Item.name).order_by(Item.id)))
@app.post("/take")
async def take() -> int:
    async with Session.begin() as session:
        item = await session.scalar(select(Item).where(Item.name == "lamp").with_for_update())
        seen = item.stock
        await asyncio.sleep(0)
        item.stock = seen - 1
    return seen
@app.post("/slowly")
async def slowly() -> None:
    async with Session.begin() as session:
        session.add(Item(name="slow"))
        await session.flush()
        await asyncio.sleep(60)
@app.post("/try/{what}")
async def attempt(what: str) -> str:
    try:
        async with Session.begin() as session:
            await session.execute(text(what))
    except Exception as error:
        return type(error).__name__
    return "done"
@app.post("/{name}")
async def add(name: str) -> int:
    async with Session.begin() as session:
        item = Item(name=name)
        session.add(item)
        await session.flush()
        return item.id
"""


def project(dialect: Dialect, test: str) -> Project:
    files = {"main.py": dialect.app(APP), "test_it.py": test}
    return Project(files, dialect.environ).with_pyproject(ROLLBACK)


MIXED = """
import pytest
async def add_three(client):
    assert [(await client.post(f"/{name}")).json() for name in "abc"] == [1, 2, 3]
    assert (await client.get("/")).json() == ["a", "b", "c"]
@pytest.mark.parametrize("attempt", range(3))
async def test_rolled_back(client, attempt):
    await add_three(client)
@pytest.mark.isolation("reset")
@pytest.mark.parametrize("attempt", range(3))
async def test_reset(client, attempt):
    await add_three(client)
"""


@pytest.mark.parametrize("dialect", KINDS)
def test_it_mixes_with_reset_and_ids_start_again(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """Sequences too: they aren't part of a transaction, so they are set back by the reset."""
    project(served, MIXED).run(pytester).passed(6)


AT_ONCE = """
import asyncio
from main import Item
async def test_requests_that_take_turns(client, db_session):
    db_session.add(Item(name="lamp", stock=20))
    answers = await asyncio.gather(*(client.post("/take") for _ in range(20)))
    assert sorted(answer.json() for answer in answers) == list(range(1, 21))
    assert (await db_session.get(Item, 1)).stock == 0
"""


@pytest.mark.parametrize("dialect", SERVERS)
def test_transactions_that_write_wait_for_each_other(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """Twenty requests read, think and write: none is lost, as with the real lock of FOR UPDATE."""
    project(served, AT_ONCE).run(pytester).passed(1)


CANCELLED = """
import asyncio
import pytest
@pytest.mark.parametrize("attempt", [1, 2])
async def test_it(client, attempt):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await client.post("/slowly")
    assert (await client.get("/")).json() == []
    await client.post("/lamp")
    assert (await client.get("/")).json() == ["lamp"]
"""


@pytest.mark.parametrize("dialect", EVERY)
def test_a_request_that_is_cancelled_has_written_nothing(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """The next one uses the same real connection, and finds it in order."""
    project(served, CANCELLED).run(pytester).passed(2)


UNCOMMITTED = """
from main import Item, Session
async def test_it(client):
    async with Session() as session:
        session.add(Item(name="not yet"))
        await session.flush()
        assert (await client.get("/")).json() == []
"""
TWO_LOOPS = """
import asyncio
from main import Item, Session
def test_it(sync_client):
    async def write():
        async with Session.begin() as session:
            session.add(Item(name="elsewhere"))
    sync_client.post("/lamp")
    asyncio.run(write())
"""
OLD_SNAPSHOT = """
from sqlalchemy import text
from main import Session
async def test_it(client):
    async with Session() as session:
        assert (await session.execute(text("SELECT count(*) FROM items"))).scalar() == 0
        await client.post("/lamp")
        assert (await session.execute(text("SELECT count(*) FROM items"))).scalar() == 0
"""
ORDERED = """
from sqlalchemy import select
from main import Item
async def test_it(client, db_session):
    await client.post("/a")
    await client.post("/b")
    list(await db_session.scalars(select(Item.name).order_by(Item.at)))
"""
BY_LABEL = ORDERED.replace("select(Item.name)", "select(Item.name, Item.at.label('ts'))").replace(
    "order_by(Item.at)", "order_by(__import__('sqlalchemy').text('ts DESC'))"
)
BY_PLACE = BY_LABEL.replace("'ts DESC'", "'2 DESC'")
SERIALIZABLE = """
from sqlalchemy import text
from main import engine
async def test_it(client):
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="SERIALIZABLE")
        await connection.execute(text("SELECT 1"))
"""
BLOCKING_SESSION = """
from main import Item
def test_it(client, db_session):
    db_session.add(Item(name="mine"))
"""
DRIVER = """
from main import engine
async def test_it(client):
    async with engine.connect() as connection:
        raw = await connection.get_raw_connection()
        raw.driver_connection
"""


READ_ONLY = """
from sqlalchemy import text
from main import engine
async def test_it(client):
    async with engine.connect() as connection:
        connection = await connection.execution_options(postgresql_readonly=True)
        await connection.execute(text("SELECT 1"))
"""


def sends(statement: str) -> str:
    """A test whose app sends a statement, and catches what comes of it."""
    return f"async def test_it(client):\n    await client.post('/try/{statement}')\n"


@pytest.mark.parametrize(
    ("dialect", "test", "why"),
    [
        pytest.param(dialect, test, why, id=f"{dialect.name}-{why}", marks=marks)
        for dialect, marks, test, why in [
            (SQLITE, [], UNCOMMITTED, "another transaction has written and not committed"),
            (ASYNCPG, [], UNCOMMITTED, "another transaction has written and not committed"),
            (ASYNCMY, [needs_mariadb], UNCOMMITTED, "has written and not committed"),
            (ASYNCPG, [], TWO_LOOPS, "on two event loops"),
            (ASYNCMY, [needs_mariadb], OLD_SNAPSHOT, "as it was at its first read"),
            (ASYNCPG, [], ORDERED, "compared by a column of times"),
            (ASYNCPG, [], BY_LABEL, "compared by a column of times"),
            (ASYNCPG, [], BY_PLACE, "compared by a column of times"),
            (ASYNCPG, [], SERIALIZABLE, "can't be SERIALIZABLE"),
            (ASYNCPG, [], DRIVER, "past SQLAlchemy"),
            (SQLITE, [], BLOCKING_SESSION, "the db_session of a def test"),
            (ASYNCPG, [], sends("SELECT id FROM items FOR UPDATE SKIP LOCKED"), "SKIP LOCKED"),
            (ASYNCPG, [], sends("NOTIFY changed"), "NOTIFY is sent by a real commit"),
            (ASYNCPG, [], sends("SELECT pg_advisory_lock(1)"), "a lock of the application"),
            (ASYNCPG, [], sends("CREATE TEMPORARY TABLE t (id int)"), "a temporary table"),
            (ASYNCPG, [], sends("VACUUM"), "can't be done in a transaction"),
            (ASYNCMY, [needs_mariadb], sends("ALTER TABLE items ADD x int"), "commit before it"),
            (ASYNCMY, [needs_mariadb], sends("SELECT @x"), "a user variable"),
            (SQLITE, [], sends("VACUUM"), "can't be done in a transaction"),
            (ASYNCPG, [], sends("SELECT id FROM items WHERE at <= now()"), "now() is compared"),
            (ASYNCPG, [], sends("SET TRANSACTION READ ONLY"), "of another kind"),
            (ASYNCPG, [], READ_ONLY, "readonly is set on one"),
            (ASYNCPG, [], sends("SELECT lastval()"), "what its own connection did last"),
            (ASYNCMY, [needs_mariadb], sends("SELECT last_insert_id()"), "did last"),
            (SQLITE, [], sends("SELECT last_insert_rowid()"), "did last"),
        ]
    ],
)
def test_what_it_cannot_tell_is_an_error_that_names_the_marker(
    pytester: pytest.Pytester, served: Dialect, test: str, why: str
) -> None:
    """Also where the app catches the error: the test doesn't pass."""
    result = project(served, test).run(pytester, "-W", "ignore")
    assert result.code == 1, result.out
    assert "passed" not in result.ran.parseoutcomes() or "errors" in result.ran.parseoutcomes()
    result.says("GR032", why, '@pytest.mark.isolation("reset")')


LOST = """
from sqlalchemy import text
async def test_it(client, greenroom_kill):
    await client.post("/lamp")
    greenroom_kill()
    await client.post("/try/SELECT 1")
    assert (await client.get("/")).json() == ["lamp"]
async def test_next(client):
    assert (await client.get("/")).json() == []
    await client.post("/lamp")
"""
KILL = """
import psycopg, pytest
@pytest.fixture
def greenroom_kill():
    def kill():
        with psycopg.connect({url!r}, autocommit=True) as server:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname LIKE 'greenroom_test%' AND state = 'idle in transaction'"
            )
    return kill
"""


def test_a_connection_that_is_lost_takes_the_test_with_it(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """And not the next one."""
    dialect = Dialect("named", "postgresql+asyncpg", "postgresql+psycopg", postgresql_url)
    made = project(dialect, LOST).with_files(conftest=KILL.format(url=postgresql_url))
    result = made.run(pytester, "-p", "no:randomly", "-W", "ignore")
    result.counts(failed=1, passed=1)
    result.says("GR032", "the test's one connection was lost")


OWNED = """
CREATE TABLE items (id serial PRIMARY KEY, name varchar(40) NOT NULL, stock int NOT NULL,
    at timestamptz NOT NULL DEFAULT now());
INSERT INTO items (name, stock) VALUES ('there before', 1);
GRANT SELECT, INSERT, UPDATE ON items TO "{user}";
GRANT USAGE ON items_id_seq TO "{user}";
"""


def test_where_the_rights_allow_no_reset_tests_are_rolled_back(
    pytester: pytest.Pytester, limited_url: str
) -> None:
    """The tables of an adopted database are the administrator's; the header says what is missing."""
    url = make_url(limited_url)
    with psycopg.connect(
        host=str(url.query["host"]), user="postgres", dbname=url.database, autocommit=True
    ) as admin:
        admin.execute(OWNED.format(user=url.username).encode())
        admin.execute(marking(str(url.database), Mark(ADOPTED)).encode())
    test = """
import pytest
@pytest.mark.parametrize("attempt", range(3))
async def test_it(client, attempt):
    await client.post("/mine")
    assert (await client.get("/")).json() == ["there before", "mine"]
"""
    dialect = Dialect("limited", "postgresql+asyncpg", "postgresql+psycopg2", limited_url)
    made = project(dialect, test).with_pyproject('[tool.greenroom]\nschema = "none"\n')
    result = made.run(pytester)
    result.passed(3)
    assert "rollback (reset would need DELETE on items)" in result.header()


LEVEL = """
import pytest
from sqlalchemy import text
from main import engine
async def test_it(client):
    async with engine.connect() as connection:
        await connection.execute(text("SELECT 1"))
"""


@pytest.mark.parametrize(
    "option",
    [
        'isolation_level="REPEATABLE READ"',
        'connect_args={"server_settings": {"default_transaction_isolation": "serializable"}}',
    ],
    ids=["by the engine", "by the server"],
)
def test_a_level_that_is_set_for_all_is_refused(
    pytester: pytest.Pytester, postgresql_url: str, option: str
) -> None:
    """A shared transaction sees what others commit."""
    dialect = Dialect("named", "postgresql+asyncpg", "postgresql+psycopg", postgresql_url)
    made = project(dialect, LEVEL)
    main = made.files["main.py"].replace('/shop")', f'/shop", {option})')
    assert option in main
    result = made.with_files(main=main).run(pytester, "-W", "ignore")
    result.counts(failed=1)
    result.says("GR032", "transactions can't be")


HELD = """
import pytest
from sqlalchemy import text
from main import Session, engine
held = []

async def count(connection):
    number = (await connection.execute(text("SELECT count(*) FROM items"))).scalar()
    await connection.rollback()
    return number

@pytest.mark.isolation("{first}")
async def test_a(client):
    held.append(await engine.connect())
    assert await count(held[0]) == 0

@pytest.mark.isolation("{second}")
async def test_b(client):
    await client.post("/lamp")
    await count(held[0])

@pytest.mark.isolation("{second}")
async def test_c(client):
    await client.post("/lamp")
    assert (await client.get("/")).json() == ["lamp"]
"""


@pytest.mark.parametrize("dialect", KINDS)
@pytest.mark.parametrize(("first", "second"), [("reset", "rollback"), ("rollback", "reset")])
def test_a_connection_that_is_held_from_one_isolation_to_the_other_is_refused(
    pytester: pytest.Pytester, served: Dialect, first: str, second: str
) -> None:
    """It would see nothing of the test; and the next test is as if nothing had been."""
    test = HELD.format(first=first, second=second)
    result = project(served, test).run(pytester, "-p", "no:randomly", "-W", "ignore")
    result.counts(failed=1, passed=2)
    result.says("GR032")


SETTINGS = """
from sqlalchemy import text
from main import Item, Session

async def test_it(client):
    for statement in ("SET LOCAL TIME ZONE 'Europe/Vienna'", "SET LOCAL statement_timeout = 5000"):
        async with Session.begin() as session:
            await session.execute(text(statement))
            session.add(Item(name=statement[:30]))
    async with Session() as session:
        assert (await session.execute(text("SHOW timezone"))).scalar() != "Europe/Vienna"
        assert (await session.execute(text("SHOW statement_timeout"))).scalar() == "0"
"""


def test_settings_of_a_transaction_end_with_it(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """Whatever their names are."""
    dialect = Dialect("named", "postgresql+asyncpg", "postgresql+psycopg", postgresql_url)
    project(dialect, SETTINGS).run(pytester).passed(1)


LEFT = """
from main import Item, Session
held = []
async def test_a(client):
    session = Session()
    held.append(session)
    session.add(Item(name="left"))
    await session.flush()
async def test_b(client):
    assert (await client.get("/")).json() == []
"""


@pytest.mark.parametrize("dialect", KINDS)
def test_a_transaction_that_is_left_open_is_named(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """As under the other isolations."""
    result = project(served, LEFT).run(pytester, "-p", "no:randomly", "-W", "ignore")
    result.passed(2)
    result.says("GR021 test_it.py::test_a left a transaction open")


LISTENER = """
from sqlalchemy import event
@event.listens_for(engine.sync_engine, "connect")
def connected(connection, record):
    connection.isolation_level = None
"""
AUTOCOMMIT = """
from main import Item, Session
async def test_it(client):
    async with Session() as session:
        session.add(Item(name="kept"))
        await session.flush()
        await session.rollback()
    assert (await client.get("/")).json() == ["kept"]
"""


@pytest.mark.parametrize("isolation", ["reset", "rollback"])
def test_what_a_listener_sets_on_a_connection_holds(
    pytester: pytest.Pytester, isolation: str
) -> None:
    """A driver's autocommit undoes no flush."""
    made = Project({"main.py": APP + LISTENER, "test_it.py": AUTOCOMMIT})
    made.with_pyproject(f'[tool.greenroom]\nisolation = "{isolation}"\n').run(pytester).passed(1)


@pytest.mark.parametrize("dialect", KINDS)
@pytest.mark.parametrize("app", ["async_items", "sync_items"])
def test_a_clone_between_two_of_them_changes_nothing(
    pytester: pytest.Pytester, served: Dialect, app: str
) -> None:
    """What the first has opened isn't used by the second."""
    suite = """
import pytest
@pytest.mark.parametrize("isolation", [
    pytest.param(name, marks=pytest.mark.isolation(name))
    for name in ["rollback", "clone", "rollback", "reset", "clone", "rollback"]
])
async def test_it(client, isolation):
    assert (await client.post("/items/lamp")).status_code == 201
    assert (await client.get("/items")).json() == ["lamp"]
"""
    files = {"main.py": served.app(app_source(app)), "test_it.py": suite}
    Project(files, served.environ).run(pytester, "-p", "no:randomly").passed(6)
