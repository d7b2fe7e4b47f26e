"""`db_session` arranges and asserts: it hands over what it holds, and shows what is there now."""

from __future__ import annotations

import textwrap

import pytest

from tests.dialects import ASYNCMY, KINDS, Dialect, needs_mariadb
from tests.harness import Project, app_source

ASYNC = """
from main import Item, SessionLocal, engine
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session
"""


def items(test: str, app: str = "async_items") -> Project:
    return Project(
        {"main.py": app_source(app), "test_it.py": ASYNC + textwrap.dedent(test)},
    )


def test_its_kind_follows_the_apps_engine_and_the_test(pytester: pytest.Pytester) -> None:
    """An AsyncSession on an async engine, and a Session where the test can't await."""
    test = """
    async def test_async(db_session): assert isinstance(db_session, AsyncSession)
    def test_blocking(db_session): assert isinstance(db_session, Session)
    """
    items(test).run(pytester).passed(2)


def test_its_kind_on_a_sync_engine(pytester: pytest.Pytester) -> None:
    """A Session, in async tests too."""
    test = """
    async def test_async(db_session): assert isinstance(db_session, Session)
    def test_blocking(db_session): assert isinstance(db_session, Session)
    """
    items(test, "sync_items").run(pytester).passed(2)


def test_a_request_sees_what_was_added(pytester: pytest.Pytester) -> None:
    """Flushed or not: it is committed when the request goes out."""
    test = """
    import pytest

    @pytest.mark.parametrize("flush", [True, False])
    async def test_async(client, db_session, flush):
        db_session.add(Item(name="lamp"))
        if flush:
            await db_session.flush()
        assert (await client.get("/items")).json() == ["lamp"]

    @pytest.mark.parametrize("flush", [True, False])
    def test_blocking(sync_client, db_session, flush):
        db_session.add(Item(name="lamp"))
        if flush:
            db_session.flush()
        assert sync_client.get("/items").json() == ["lamp"]
    """
    items(test).run(pytester).passed(4)


def test_held_objects_show_what_a_request_has_committed(pytester: pytest.Pytester) -> None:
    """At once and without an await; an object whose row is gone keeps its last values."""
    test = """
    async def test_async(client, db_session):
        lamp, chair = Item(name="lamp"), Item(name="chair")
        db_session.add_all([lamp, chair])
        await db_session.flush()
        await client.put(f"/items/{lamp.id}/desk lamp")
        await client.delete(f"/items/{chair.id}")
        assert (lamp.name, chair.name) == ("desk lamp", "chair")
        assert chair not in db_session
        assert await db_session.get(Item, chair.id) is None
        assert await db_session.scalar(select(func.count()).select_from(Item)) == 1

    def test_blocking(sync_client, db_session):
        lamp, chair = Item(name="lamp"), Item(name="chair")
        db_session.add_all([lamp, chair])
        db_session.flush()
        sync_client.put(f"/items/{lamp.id}/desk lamp")
        sync_client.delete(f"/items/{chair.id}")
        assert (lamp.name, chair.name) == ("desk lamp", "chair")
        assert db_session.get(Item, chair.id) is None
    """
    items(test).run(pytester).passed(2)


def test_held_objects_show_what_others_have_committed_without_a_request(
    pytester: pytest.Pytester,
) -> None:
    """Each read catches up first: get, select, refresh."""
    test = """
    from sqlalchemy import update

    async def rename(name):
        async with SessionLocal() as other:
            await other.execute(update(Item).values(name=name))
            await other.commit()

    async def test_get(db_session):
        lamp = Item(name="lamp")
        db_session.add(lamp)
        await db_session.commit()
        await rename("by get")
        assert (await db_session.get(Item, lamp.id)).name == "by get"
        await rename("by select")
        assert (await db_session.scalar(select(Item))).name == lamp.name == "by select"
    """
    items(test).run(pytester).passed(1)


def test_what_was_loaded_of_an_object_stays_loaded(pytester: pytest.Pytester) -> None:
    """A loaded relationship is read again, and not left to a lazy load that async code can't do."""
    test = """
    from main import Line, Order
    from sqlalchemy.orm import selectinload

    async def test_it(client, db_session):
        db_session.add(Order(lines=[Line(text="lamp")]))
        await db_session.flush()
        query = select(Order).options(selectinload(Order.lines))
        order = (await db_session.scalars(query)).one()
        await client.post(f"/orders/{order.id}/lines/chair")
        assert [line.text for line in order.lines] == ["lamp", "chair"]
    """
    project = Project({"main.py": app_source("lying"), "test_it.py": ""})
    header = ASYNC.replace("Item, SessionLocal, engine", "app")
    project.with_files(test_it=header + textwrap.dedent(test)).run(pytester).passed(1)


def test_values_that_the_server_makes_are_readable(pytester: pytest.Pytester) -> None:
    """A server default can be read after a request without a lazy load."""
    app = app_source("async_items").replace(
        "    name: Mapped[str] = mapped_column(String(50), unique=True)",
        "    name: Mapped[str] = mapped_column(String(50), unique=True)\n"
        '    state: Mapped[str] = mapped_column(server_default="new")',
    )
    test = """
    async def test_it(client, db_session):
        lamp = Item(name="lamp")
        db_session.add(lamp)
        await client.get("/items")
        assert lamp.state == "new"
    """
    items(test).with_files(main=app).run(pytester).passed(1)


def test_many_requests_at_once_with_a_session_that_holds_something(
    pytester: pytest.Pytester,
) -> None:
    """A session does one thing at a time; the requests don't have to."""
    test = """
    import asyncio

    async def test_it(client, db_session):
        held = [Item(name=f"held{i}") for i in range(5)]
        db_session.add_all(held)
        answers = await asyncio.gather(*(client.post(f"/items/n{i}") for i in range(20)))
        assert {answer.status_code for answer in answers} == {201}
        assert await db_session.scalar(select(func.count()).select_from(Item)) == 25
        assert [item.name for item in held] == [f"held{i}" for i in range(5)]
    """
    items(test).run(pytester).passed(1)


def test_changes_that_are_not_flushed_survive_a_request(pytester: pytest.Pytester) -> None:
    """They are handed over; nothing that the test has changed is lost by catching up."""
    test = """
    async def test_it(client, db_session):
        lamp = Item(name="lamp")
        db_session.add(lamp)
        await db_session.flush()
        lamp.name = "desk lamp"
        await client.post("/items/chair")
        assert lamp.name == "desk lamp"
        assert (await client.get("/items")).json() == ["desk lamp", "chair"]
    """
    items(test).run(pytester).passed(1)


@pytest.mark.parametrize("scope", ["function", "module", "session"])
def test_it_is_closed_on_the_loop_of_its_test(pytester: pytest.Pytester, scope: str) -> None:
    """A test that leaves it in a transaction disturbs nobody, on whatever loop."""
    test = f"""
    import pytest

    pytestmark = pytest.mark.asyncio(loop_scope="{scope}")

    @pytest.mark.parametrize("attempt", [1, 2, 3])
    async def test_it(db_session, attempt):
        assert await db_session.scalar(select(func.count()).select_from(Item)) == 0
        db_session.add(Item(name="lamp"))
        await db_session.flush()
    """
    result = items(test).run(pytester, "-W", "error")
    result.passed(3)
    result.silent_about("GR021")


def test_an_app_without_an_engine_has_no_session(pytester: pytest.Pytester) -> None:
    """GR013 says what is missing."""
    app = "from fastapi import FastAPI\napp = FastAPI()"
    project = Project({"main.py": app, "test_it.py": "async def test_it(db_session): pass"})
    result = project.run(pytester)
    result.counts(errors=1)
    result.says("GR013 db_session was requested, but the app has made no SQLAlchemy engine")
    result.silent_about("greenroom/runtime", "greenroom/database")


def test_sqlmodel_sessions_have_exec(pytester: pytest.Pytester) -> None:
    """Where the app uses SQLModel, so does its tests' session."""
    app = """
from fastapi import FastAPI
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlalchemy.ext.asyncio import create_async_engine

engine = create_async_engine("sqlite+aiosqlite:///hero.db")
app = FastAPI()

class Hero(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str

@app.post("/{name}")
async def create(name: str):
    async with AsyncSession(engine) as session:
        session.add(Hero(name=name))
        await session.commit()
"""
    test = """
import pytest
from main import Hero
from sqlmodel import select

@pytest.mark.parametrize("attempt", [1, 2])
async def test_async(client, db_session, attempt):
    await client.post("/ada")
    assert [hero.name for hero in await db_session.exec(select(Hero))] == ["ada"]

def test_blocking(sync_client, db_session):
    sync_client.post("/ada")
    assert [hero.name for hero in db_session.exec(select(Hero))] == ["ada"]
"""
    result = Project({"main.py": app, "test_it.py": test}).run(pytester)
    result.passed(3)
    assert not (result.folder / "hero.db").exists()


def test_a_deferred_column_that_was_loaded_is_read_again(pytester: pytest.Pytester) -> None:
    """And one that wasn't stays deferred."""
    app = app_source("async_items").replace(
        "    name: Mapped[str] = mapped_column(String(50), unique=True)",
        "    name: Mapped[str] = mapped_column(unique=True, deferred=True)",
    )
    test = """
    from sqlalchemy import inspect
    from sqlalchemy.orm import undefer

    async def test_loaded(client, db_session):
        db_session.add(Item(name="lamp"))
        await db_session.commit()
        item = await db_session.scalar(select(Item).options(undefer(Item.name)))
        await client.put("/items/1/desk lamp")
        assert item.name == "desk lamp"

    async def test_not_loaded(client, db_session):
        await client.post("/items/lamp")
        item = await db_session.scalar(select(Item))
        await client.put("/items/1/desk lamp")
        assert "name" in inspect(item).unloaded
    """
    items(test).with_files(main=app).run(pytester).passed(2)


def test_in_a_def_test_it_is_like_the_apps_engine(pytester: pytest.Pytester) -> None:
    """Its listeners run, and its JSON is the app's."""
    app = """
import json
from decimal import Decimal
from fastapi import FastAPI
from sqlalchemy import JSON, ForeignKey, event
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(
    "sqlite+aiosqlite:///shop.db", json_serializer=lambda value: json.dumps(value, default=str)
)

@event.listens_for(engine.sync_engine, "connect")
def pragmas(connection, record):
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()

class Base(DeclarativeBase): pass

class Parent(Base):
    __tablename__ = "parents"
    id: Mapped[int] = mapped_column(primary_key=True)

class Child(Base):
    __tablename__ = "children"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("parents.id"))
    data: Mapped[dict] = mapped_column(JSON)

app = FastAPI()
"""
    test = """
import pytest
from decimal import Decimal
from main import Child, Parent
from sqlalchemy.exc import IntegrityError

def test_json(db_session):
    db_session.add(Parent(id=1))
    db_session.flush()
    db_session.add(Child(id=1, parent_id=1, data={"price": Decimal("1.50")}))
    db_session.commit()

def test_foreign_keys(db_session):
    db_session.add(Child(id=1, parent_id=99, data={}))
    with pytest.raises(IntegrityError):
        db_session.commit()
"""
    Project({"main.py": app, "test_it.py": test}).run(pytester).passed(2)


def test_it_is_on_the_apps_main_database(pytester: pytest.Pytester) -> None:
    """That is the one that the app made an engine on first, whatever the driver."""
    app = (
        app_source("sync_items")
        + """
from sqlalchemy.ext.asyncio import create_async_engine
audit = create_async_engine("sqlite+aiosqlite:///audit.db")
"""
    )
    test = """
    async def test_async(client, db_session):
        await client.post("/items/lamp")
        assert db_session.scalar(select(Item.name)) == "lamp"

    def test_blocking(client, db_session):
        client.post("/items/lamp")
        assert db_session.scalar(select(Item.name)) == "lamp"
    """
    items(test).with_files(main=app).run(pytester).passed(2)


def test_what_cannot_be_handed_over_is_the_tests_own_fault_and_says_so(
    pytester: pytest.Pytester,
) -> None:
    """Two rows of one unique name, and a request: the request isn't to blame."""
    test = """
    async def test_async(client, db_session):
        db_session.add_all([Item(name="lamp"), Item(name="lamp")])
        await client.get("/items")

    def test_blocking(client, db_session):
        db_session.add_all([Item(name="lamp"), Item(name="lamp")])
        client.get("/items")
    """
    result = items(test).run(pytester)
    result.counts(failed=2)
    result.says("This was raised while what db_session holds was committed for a request.")
    result.silent_about("greenroom/runtime", "greenroom/database")


@pytest.mark.parametrize("dialect", KINDS)
def test_sessions_of_threads_work_side_by_side(pytester: pytest.Pytester, served: Dialect) -> None:
    """Each asks whether somebody has written meanwhile."""
    test = """
from concurrent.futures import ThreadPoolExecutor
import pytest
from main import Item
@pytest.mark.parametrize("attempt", range(10))
def test_it(session_factory, db_session, attempt):
    db_session.add(Item(name="lamp"))
    db_session.commit()
    def read(_):
        with session_factory(blocking=True) as session: return session.get(Item, 1).name
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(read, range(8))) == ["lamp"] * 8
"""
    files = {"main.py": served.app(app_source("sync_items")), "test_it.py": test}
    Project({**files, "pyproject.toml": "[tool.greenroom]\n"}, served.environ).run(pytester).passed(
        10
    )


@needs_mariadb
def test_a_def_tests_session_is_set_as_an_async_apps_are(pytester: pytest.Pytester) -> None:
    """By what `connect_args` says of a session."""
    app = """
    from fastapi import FastAPI
    from sqlalchemy import Column, Integer, MetaData, Table
    from sqlalchemy.ext.asyncio import create_async_engine
    app = FastAPI()
    metadata = MetaData()
    items = Table("items", metadata, Column("id", Integer, primary_key=True))
    engine = create_async_engine("mysql+asyncmy://shop@db.invalid/shop",
        connect_args={"init_command": "SET time_zone = '+09:00'"})
    """
    test = """
    from sqlalchemy import text
    def test_it(db_session):
        assert db_session.scalar(text("SELECT @@time_zone")) == "+09:00"
    """
    files = {"main.py": textwrap.dedent(app), "test_it.py": textwrap.dedent(test)}
    Project(files, ASYNCMY.environ).run(pytester).passed(1)


@pytest.mark.parametrize("dialect", KINDS[:2])
def test_a_def_tests_session_writes_json_as_an_async_app_does(
    pytester: pytest.Pytester, dialect: Dialect
) -> None:
    """By the serializer that the app's engine was given; PostgreSQL's addresses are what it was told, too."""
    app = """
    import json
    from decimal import Decimal
    from fastapi import FastAPI
    from sqlalchemy import JSON, String
    from sqlalchemy.dialects.postgresql import INET
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
    app = FastAPI()
    class Base(DeclarativeBase): pass
    class Document(Base):
        __tablename__ = "documents"
        id: Mapped[int] = mapped_column(primary_key=True)
        body: Mapped[dict] = mapped_column(JSON)
        sender: Mapped[str] = mapped_column(String(40).with_variant(INET(), "postgresql"))
    def read(text): return json.loads(text, parse_float=Decimal)
    def write(value): return json.dumps(value, default=str)
    engine = create_async_engine("sqlite+aiosqlite:///app.db", json_serializer=write, json_deserializer=read)
    """
    test = """
    from decimal import Decimal
    from uuid import UUID
    from main import Document
    from sqlalchemy import select
    def test_it(db_session):
        db_session.add(Document(body={"id": UUID(int=5), "price": 1.5}, sender="10.0.0.1"))
        db_session.commit()
        db_session.expire_all()
        found = db_session.scalars(select(Document)).one()
        assert found.body == {"id": str(UUID(int=5)), "price": Decimal("1.5")}
        assert found.sender == "10.0.0.1"
    """
    main = dialect.app(textwrap.dedent(app))
    if dialect.name != "sqlite":
        main = main.replace(
            "json_serializer=write", "json_serializer=write, native_inet_types=False"
        )
    Project({"main.py": main, "test_it.py": textwrap.dedent(test)}, dialect.environ).run(
        pytester
    ).passed(1)
