"""Layers: what a fixture of a higher scope commits is there for its scope, and nothing else is."""

from __future__ import annotations

import pytest

from tests.dialects import KINDS, KINDS_OF_SERVER, Dialect
from tests.harness import Project

APP = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
from sqlalchemy import ForeignKey, String, delete, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("sqlite+aiosqlite:///app.db")
Session = async_sessionmaker(engine)
class Base(DeclarativeBase): pass
class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    price: Mapped[int] = mapped_column(default=1)
class Part(Base):
    __tablename__ = "parts"
    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))

@asynccontextmanager
async def lifespan(app):
    async with Session.begin() as session:
        session.add(Item(name="start-up"))
    yield

app = FastAPI(lifespan=lifespan)
@app.get("/")
async def names() -> list[str]:
    async with Session() as session:
        return list(await session.scalars(select(Item.name).order_by(Item.name)))
@app.post("/{name}")
async def add(name: str) -> int:
    async with Session.begin() as session:
        item = Item(name=name)
        session.add(item)
        await session.flush()
        return item.id
"""
FIXTURES = """
import pytest
from sqlalchemy import delete, select, update
from main import Item, Part, Session

async def put(name):
    async with Session.begin() as session:
        session.add(Item(name=name))

async def everything():
    async with Session() as session:
        return set(await session.scalars(select(Item.name))) - {"start-up"}

@pytest.fixture(scope="session")
async def by_session():
    await put("session")

@pytest.fixture(scope="package")
async def by_package():
    await put("package")

@pytest.fixture(scope="module")
async def by_module():
    await put("module")
    async with Session.begin() as session:
        await session.execute(update(Item).where(Item.name == "start-up").values(price=7))
    yield
    # What a test has added is gone by now; else the foreign key would be in the way.
    async with Session.begin() as session:
        await session.execute(delete(Item).where(Item.name == "module"))

@pytest.fixture(scope="class")
async def by_class():
    await put("class")

@pytest.fixture
async def prices():
    async with Session() as session:
        return dict((await session.execute(select(Item.name, Item.price))).all())
"""
FIRST = """
from conftest import everything, put
from main import Item, Part, Session
from sqlalchemy import select

async def test_a_nothing_yet(client):
    assert await everything() == set()
    await put("own")

async def test_b_the_modules(client, by_module, prices):
    assert await everything() == {"module"}
    assert prices["start-up"] == 7
    await put("own")
    async with Session.begin() as session:
        item = await session.scalar(select(Item).where(Item.name == "module"))
        session.add(Part(item_id=item.id))

class TestClass:
    async def test_c_the_classs_too(self, client, by_class):
        assert await everything() == {"module", "class"}
        await client.post("/own")

    async def test_d_the_session_s_is_needed_late(self, by_session, client, by_class):
        assert await everything() == {"module", "class", "session"}
        await client.post("/own")

    async def test_e_it_stays(self, client):
        assert await everything() == {"module", "class", "session"}

async def test_f_the_class_is_over(client, prices):
    assert await everything() == {"module", "session"}
    assert prices["start-up"] == 7
    # The module's fixture deletes its row: what this test has added must not be in its way.
    async with Session.begin() as session:
        item = await session.scalar(select(Item).where(Item.name == "module"))
        session.add(Part(item_id=item.id))
"""
SECOND = """
from conftest import everything

async def test_g_another_module(client, prices):
    assert await everything() == {"session"}
    assert prices["start-up"] == 1
    await client.post("/own")

async def test_h_its_own_modules(client, by_module, by_package):
    assert await everything() == {"session", "module", "package"}

def test_i_in_a_def_test(sync_client):
    assert sync_client.get("/").json() == ["module", "package", "session", "start-up"]
"""


@pytest.mark.parametrize("dialect", KINDS)
def test_rows_are_there_for_their_scope_and_gone_after_it(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """Nested, in any order of beginning and end, and whatever the tests add."""
    files = {
        "main.py": served.app(APP),
        "conftest.py": FIXTURES,
        "test_1.py": FIRST,
        "test_2.py": SECOND,
    }
    Project(files, served.environ).run(pytester, "-p", "no:randomly").passed(9)


UNORDERED = """
import pytest
from conftest import everything, put

@pytest.mark.parametrize("n", range(4))
async def test_module(client, by_module, n):
    assert "module" in await everything()
    assert (await client.post("/own")).status_code == 200

@pytest.mark.parametrize("n", range(4))
async def test_session(client, by_session, n):
    found = await everything()
    assert "session" in found and "own" not in found
    await put("own")

class TestOne:
    @pytest.mark.parametrize("n", range(3))
    async def test_class(self, client, by_class, by_session, n):
        assert {"class", "session"} <= await everything()
        await put("own")
"""


@pytest.mark.parametrize("dialect", KINDS)
def test_they_hold_in_random_order_and_on_two_workers(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """Two modules of the same names."""
    files = {
        "main.py": served.app(APP),
        "conftest.py": FIXTURES,
        "test_1.py": UNORDERED,
        "test_2.py": UNORDERED,
    }
    project = Project(files, served.environ)
    project.run_subprocess(pytester, "-n", "2", "--randomly-seed=1").passed(22)


FUNCTION_LOOPS = """
[tool.pytest.ini_options]
asyncio_default_test_loop_scope = "function"
asyncio_default_fixture_loop_scope = "session"
"""
ISOLATED = """
import pytest
from conftest import everything, put

@pytest.mark.isolation("{isolation}")
async def test_a(client, by_module):
    assert await everything() == {{"module"}}
    await put("own")
@pytest.mark.isolation("{isolation}")
async def test_b(client, by_module, by_session):
    assert await everything() == {{"module", "session"}}
    await put("own")
async def test_c(client):
    assert await everything() == {{"module", "session"}}
"""


@pytest.mark.parametrize("dialect", KINDS)
@pytest.mark.parametrize("isolation", ["rollback", "clone"])
@pytest.mark.parametrize("loops", ["", FUNCTION_LOOPS], ids=["session", "function"])
def test_the_other_isolations_see_them_too(
    pytester: pytest.Pytester, served: Dialect, isolation: str, loops: str
) -> None:
    """Also where such a test is the first that needs them."""
    files = {
        "main.py": served.app(APP),
        "conftest.py": FIXTURES,
        "test_1.py": ISOLATED.format(isolation=isolation),
    }
    project = Project(files, served.environ).with_pyproject(loops)
    project.run(pytester, "-p", "no:randomly").passed(3)


LATE = """
import pytest
from conftest import put
@pytest.fixture(scope="module")
def late(client_of_all):
    client_of_all.post("/late")
@pytest.fixture(scope="session")
def client_of_all(client_factory):
    return client_factory(blocking=True)
@pytest.mark.isolation("clone")
def test_it(sync_client, request):
    request.getfixturevalue("late")
"""


def test_a_fixture_that_is_first_needed_within_a_clone_is_refused(
    pytester: pytest.Pytester,
) -> None:
    """Its rows would go with the clone, and it isn't set up again."""
    files = {"main.py": APP, "conftest.py": FIXTURES, "test_1.py": LATE}
    result = Project(files).run(pytester)
    result.counts(failed=1)
    result.says("GR033", "late (module)", "in the test's parameters")


FACTORIES = """
import pytest
from sqlalchemy import select
from main import Item

@pytest.fixture(scope="session")
async def seeded(session_factory, client_factory):
    async with session_factory() as session:
        session.add(Item(name="by session_factory"))
        await session.commit()
    async with client_factory() as client:
        await client.post("/by client_factory")

@pytest.fixture(scope="module")
def seeded_blocking(session_factory, client_factory):
    with session_factory(blocking=True) as session:
        session.add(Item(name="blocking session"))
        session.commit()
    with client_factory(blocking=True) as client:
        client.post("/blocking client")

@pytest.mark.parametrize("n", [1, 2])
async def test_it(client, seeded, seeded_blocking, n):
    assert (await client.get("/")).json() == [
        "blocking client", "blocking session", "by client_factory", "by session_factory", "start-up"]
"""


@pytest.mark.parametrize("dialect", KINDS)
def test_fixtures_of_a_higher_scope_have_factories(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """`client` and `db_session` belong to one test."""
    project = Project({"main.py": served.app(APP), "test_1.py": FACTORIES}, served.environ)
    project.run(pytester).passed(2)


SYNC_SEED = """
import pytest
from main import Item

@pytest.fixture(scope="module")
def seeded(session_factory):
    with session_factory(blocking=True) as session:
        session.add(Item(name="seeded"))
        session.commit()

@pytest.mark.parametrize("n", [1, 2])
async def test_it(client, seeded, n):
    assert (await client.get("/")).json() == ["seeded", "start-up"]
    await client.post("/own")
"""


@pytest.mark.parametrize("dialect", KINDS)
def test_they_outlive_a_restart_of_the_app(pytester: pytest.Pytester, served: Dialect) -> None:
    """A test on a loop of its own has the app started there."""
    project = Project({"main.py": served.app(APP), "test_1.py": SYNC_SEED}, served.environ)
    project.with_pyproject(FUNCTION_LOOPS).run(pytester).passed(2)


AUTOUSE = """
import pytest
from conftest import everything, put

@pytest.fixture(scope="session", autouse=True)
async def aaa_first_of_all():
    await put("first")

@pytest.mark.parametrize("n", [1, 2])
async def test_it(client, n):
    assert await everything() == {"first"}
    assert (await client.get("/")).json() == ["first", "start-up"]
"""


@pytest.mark.parametrize("dialect", KINDS)
def test_an_autouse_fixture_of_the_session_comes_after_the_start_up(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """Its rows lie on top of the baseline, whatever its name."""
    files = {"main.py": served.app(APP), "conftest.py": FIXTURES, "test_1.py": AUTOUSE}
    Project(files, served.environ).run(pytester).passed(2)


XUNIT = """
import pytest
from main import Item

class TestIt:
    @pytest.fixture(scope="class", autouse=True)
    def rows(self, session_factory):
        with session_factory(blocking=True) as session:
            session.add(Item(name="of the class"))
            session.commit()
    def test_a(self, sync_client):
        assert sync_client.get("/").json() == ["of the class", "start-up"]
        sync_client.post("/own")
    def test_b(self, sync_client):
        assert sync_client.get("/").json() == ["of the class", "start-up"]

def test_c(sync_client):
    assert sync_client.get("/").json() == ["start-up"]
"""


def test_autouse_fixtures_of_a_class_count_too(pytester: pytest.Pytester) -> None:
    """No test names them."""
    project = Project({"main.py": APP, "test_1.py": XUNIT})
    project.run(pytester, "-p", "no:randomly", "-W", "ignore").passed(3)


TABLES = """
import pytest
from sqlalchemy import text
from main import Session, engine
from conftest import everything

@pytest.fixture(scope="module")
async def table():
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE extra (id int PRIMARY KEY)"))
        await connection.execute(text("INSERT INTO extra VALUES (1)"))

async def count():
    async with Session() as session:
        return (await session.execute(text("SELECT count(*) FROM extra"))).scalar()

async def test_a(client, table):
    assert await count() == 1
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO extra VALUES (2)"))
async def test_b(client, table):
    assert await count() == 1
"""
NO_TABLES = """
import pytest
from test_1 import count
async def test_c(client):
    with pytest.raises(Exception, match="extra"):
        await count()
"""


@pytest.mark.parametrize("dialect", KINDS)
def test_a_fixture_may_make_a_table(pytester: pytest.Pytester, served: Dialect) -> None:
    """Which is gone after its scope."""
    files = {
        "main.py": served.app(APP),
        "conftest.py": FIXTURES,
        "test_1.py": TABLES,
        "test_2.py": NO_TABLES,
    }
    Project(files, served.environ).run(pytester, "-p", "no:randomly").passed(3)


CHANGED = (
    TABLES
    + """
async def test_c_changes_tables(client, table):
    async with engine.begin() as connection:
        await connection.execute(text("ALTER TABLE items ADD COLUMN more int"))
async def test_d(client, table): pass
@pytest.mark.isolation("clone")
async def test_e(client, table): pass
"""
)


@pytest.mark.parametrize("dialect", KINDS_OF_SERVER)
def test_a_table_of_a_fixture_that_cannot_be_made_again_is_told_until_its_scope_ends(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """By each test of the scope, with the name of the one that changed the others; then all is well."""
    files = {
        "main.py": served.app(APP),
        "conftest.py": FIXTURES,
        "test_1.py": CHANGED,
        "test_2.py": NO_TABLES,
        "test_3.py": TABLES,
    }
    result = Project(files, served.environ).run(pytester, "-p", "no:randomly")
    result.counts(passed=6, errors=2)
    told = "GR033 test_1.py::test_c_changes_tables has changed tables, and what table (module) committed"
    assert result.out.count(told) == 2, result.out


PARAMETERS = """
import pytest
from conftest import everything, put

@pytest.fixture(scope="module", params=["a", "b", "c"])
async def seeded(request):
    await put(request.param)
    return request.param

async def test_one(seeded, client):
    assert await everything() == {seeded}
    await put("own")
async def test_two(seeded, client):
    assert await everything() == {seeded}
"""
NESTED = """
import pytest
from conftest import everything, put

class TestNested:
    @pytest.fixture(scope="class", autouse=True)
    async def rows(self, request, by_package):
        await put("class")
    async def test_three(self, client):
        assert await everything() == {"class", "package"}
async def test_four(client):
    assert await everything() <= {"package"}

class TestDynamic:
    @pytest.fixture(scope="class", autouse=True)
    def rows(self, request, session_factory):
        from main import Item
        with session_factory(blocking=True) as session:
            session.add(Item(name="outer"))
            session.commit()
        request.getfixturevalue("late")
        with session_factory(blocking=True) as session:
            session.add(Item(name="outer again"))
            session.commit()
    def test_five(self, sync_client):
        names = set(sync_client.get("/").json()) - {"start-up", "package"}
        assert names == {"outer", "outer again", "late"}
def test_six(sync_client):
    assert set(sync_client.get("/").json()) - {"start-up", "package"} == {"late"}

@pytest.fixture(scope="session")
def late(session_factory):
    from main import Item
    with session_factory(blocking=True) as session:
        session.add(Item(name="late"))
        session.commit()
"""


@pytest.mark.parametrize("dialect", KINDS)
def test_each_parameter_begins_without_the_last_ones_rows(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """pytest ends the one while it sets up the other; and fixtures that request fixtures."""
    files = {
        "main.py": served.app(APP),
        "conftest.py": FIXTURES,
        "test_1.py": PARAMETERS,
        "test_2.py": NESTED,
    }
    Project(files, served.environ).run(pytester, "-p", "no:randomly").passed(10)


CONFLICTS = {
    "the same row": (
        "update(Item).where(Item.name == 'start-up').values(price=8)",
        "has changed rows of",
    ),
    "a row that refers to it": ("insert(Part).values(item_id=99)", "refer to rows that ended"),
    "a table": ("text('CREATE TABLE extra (id int)')", "has made or changed tables"),
}
CONFLICT = """
import pytest
from sqlalchemy import insert, text, update
from main import Item, Part, Session

async def send(statement):
    async with Session.begin() as session:
        await session.execute(statement)

@pytest.fixture(scope="session")
async def upper():
    await send({statement})

class TestOne:
    @pytest.fixture(scope="class", autouse=True)
    async def lower(self):
        await send(update(Item).where(Item.name == "start-up").values(price=7))
        await send(insert(Item).values(id=99, name="lower", price=1))
    async def test_a(self, client): pass
    async def test_b(self, client, upper): pass
async def test_c(client, upper): pass
async def test_d(client, upper): pass
"""


@pytest.mark.parametrize("dialect", KINDS)
@pytest.mark.parametrize("kind", CONFLICTS)
def test_a_layer_that_depends_on_one_that_ended_is_told(
    pytester: pytest.Pytester, served: Dialect, kind: str
) -> None:
    """By name, in each test that would begin without its rows."""
    statement, why = CONFLICTS[kind]
    main = served.app(APP).replace(
        "Session = async_sessionmaker(engine)",
        FOREIGN_KEYS + "Session = async_sessionmaker(engine)",
    )
    files = {
        "main.py": main if served.name == "sqlite" else served.app(APP),
        "test_1.py": CONFLICT.format(statement=statement),
    }
    result = Project(files, served.environ).run(pytester, "-p", "no:randomly")
    result.counts(passed=2, errors=2)
    result.says("GR033 upper (session) can't go on without the fixture that ended", why)
    result.says(
        "ERROR test_1.py::test_c - Failed: GR033", "ERROR test_1.py::test_d - Failed: GR033"
    )
    result.silent_about("Traceback")


FOREIGN_KEYS = """
from sqlalchemy import event
@event.listens_for(engine.sync_engine, "connect")
def connected(connection, record):
    connection.execute("PRAGMA foreign_keys = ON")
"""
