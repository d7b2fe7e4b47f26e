"""What a test leaves behind doesn't reach the next one, and is named."""

from __future__ import annotations

import textwrap

import pytest

from tests.harness import Project, Result, app_source

IMPORTS = """
import asyncio
import pytest
from main import BlockingSession, Item, SessionLocal, blocking_engine, engine
from sqlalchemy import select, text

HELD = []

async def names():
    async with SessionLocal() as session:
        return list(await session.scalars(select(Item.name)))

async def write_later(delay):
    await asyncio.sleep(delay)
    async with SessionLocal() as session:
        session.add(Item(name="late"))
        await session.commit()
"""


def run(pytester: pytest.Pytester, suite: str, app: str = "async_items", *args: str) -> Result:
    source = app_source(app) if app.endswith("items") else app
    files = {"main.py": source, "test_it.py": IMPORTS + textwrap.dedent(suite)}
    project = Project(files).with_pyproject("[tool.greenroom]")
    return project.run(pytester, "-p", "no:randomly", "-W", "default", *args)


def test_a_task_that_is_not_awaited_finishes_before_the_next_test(
    pytester: pytest.Pytester,
) -> None:
    """A fire-and-forget write belongs to the test that caused it."""
    suite = """
    async def test_a(): HELD.append(asyncio.create_task(write_later(0.02)))

    async def test_b():
        assert HELD[0].done()
        await asyncio.sleep(0.05)
        assert await names() == []
    """
    result = run(pytester, suite)
    result.passed(2)
    result.silent_about("GR025")


def test_a_task_that_goes_on_is_named_and_left_alone(pytester: pytest.Pytester) -> None:
    """An app may start a task at its first request, and keep it."""
    suite = """
    async def test_a(): HELD.append(asyncio.create_task(asyncio.sleep(3600)))
    async def test_b(): assert not HELD[0].done()
    """
    result = run(pytester, suite)
    result.passed(2)
    result.says("GR025 test_it.py::test_a left work running")
    result.silent_about("GR025 test_it.py::test_b")


def test_a_task_of_a_fixture_of_higher_scope_is_no_leftover(pytester: pytest.Pytester) -> None:
    """It was there before the test's own code ran."""
    suite = """
    @pytest.fixture(scope="session", autouse=True)
    async def consumer():
        task = asyncio.create_task(asyncio.sleep(3600))
        yield
        task.cancel()

    async def test_a(): pass
    """
    run(pytester, suite).silent_about("GR025")


@pytest.mark.parametrize(
    "url", ["sqlite+aiosqlite:///./app.db", "sqlite+aiosqlite://"], ids=["file", "memory"]
)
def test_an_open_transaction_is_rolled_back_and_its_owner_goes_on(
    pytester: pytest.Pytester, url: str
) -> None:
    """A session that outlives its test, as a fixture of higher scope holds one."""
    suite = """
    async def test_a():
        session = SessionLocal()
        HELD.append(session)
        session.add(Item(name="leaked"))
        await session.flush()

    async def test_b():
        assert await names() == []
        await HELD[0].rollback()
        HELD[0].add(Item(name="again"))
        await HELD[0].commit()
        assert await names() == ["again"]

    async def test_c():
        assert await names() == []
        await HELD[0].close()
    """
    app = app_source("async_items").replace("sqlite+aiosqlite:///./app.db", url)
    result = run(pytester, suite, app)
    result.passed(3)
    result.says("GR021 test_it.py::test_a left a transaction open")


def test_a_result_that_was_not_read_to_its_end_disturbs_nobody(pytester: pytest.Pytester) -> None:
    """It holds a lock for as long as it lives."""
    suite = """
    @pytest.mark.parametrize("kind", ["async", "blocking"])
    async def test_a(kind):
        async with engine.begin() as connection:
            rows = ", ".join(f"('n{number}')" for number in range(2000))
            await connection.execute(text(f"INSERT INTO items (name) VALUES {rows}"))
        if kind == "async":
            connection = await engine.connect()
            result = await connection.stream(text("SELECT * FROM items"))
            HELD.append((connection, result, await result.fetchmany(2)))
        else:
            connection = blocking_engine.connect()
            result = connection.execution_options(yield_per=1).execute(text("SELECT * FROM items"))
            HELD.append((connection, result, result.fetchmany(2)))

    @pytest.mark.parametrize("attempt", [1, 2])
    async def test_b(attempt):
        assert await names() == []
        async with SessionLocal() as session:
            session.add(Item(name="lamp"))
            await session.commit()
        with BlockingSession() as session:
            assert list(session.scalars(select(Item.name))) == ["lamp"]
    """
    result = run(pytester, suite)
    result.passed(4)
    result.says("GR021 test_it.py::test_a[")


def test_an_app_that_exits_in_a_request_disturbs_nobody(pytester: pytest.Pytester) -> None:
    """Nor one that is cancelled there."""
    app = app_source("async_items") + textwrap.dedent("""
    @app.get("/exit")
    async def leave(): raise SystemExit(3)

    @app.get("/cancel")
    async def cancel():
        import asyncio
        raise asyncio.CancelledError
    """)
    suite = """
    def test_a(sync_client):
        with pytest.raises(SystemExit):
            sync_client.get("/exit")

    def test_b(sync_client):
        with pytest.raises(asyncio.CancelledError):
            sync_client.get("/cancel")

    def test_c(sync_client):
        assert sync_client.get("/items").json() == []
        assert sync_client.post("/thread").status_code == 200
    """
    run(pytester, suite, app).passed(3)


def test_the_last_test_is_named_too(pytester: pytest.Pytester) -> None:
    """Also if it is the only one."""
    suite = """
    async def test_a():
        session = SessionLocal()
        HELD.append(session)
        session.add(Item(name="leaked"))
        await session.flush()
    """
    result = run(pytester, suite)
    result.passed(1)
    result.says("GR021 test_it.py::test_a left a transaction open")


def test_an_unread_result_does_not_stop_the_app_from_moving(pytester: pytest.Pytester) -> None:
    """A lock in the way when the app is started on another loop."""
    suite = """
    @pytest.fixture(scope="module", autouse=True)
    def unread():
        with blocking_engine.begin() as connection:
            rows = ", ".join(f"('n{number}')" for number in range(2000))
            connection.execute(text(f"INSERT INTO items (name) VALUES {rows}"))
        connection = blocking_engine.connect()
        result = connection.execution_options(yield_per=1).execute(text("SELECT * FROM items"))
        HELD.append((connection, result, result.fetchmany(2)))

    @pytest.mark.asyncio(loop_scope="function")
    async def test_a(client): assert (await client.get("/items")).status_code == 200

    async def test_b(client): assert len((await client.get("/items")).json()) == 2000
    """
    run(pytester, suite).passed(2)


CHANGES = """
import os
from main import app

class Settings: ...
def dependency(): ...

def test_a_sets(monkeypatch):
    os.environ["STAGE"] = "changed"
    os.environ.update(LEVEL="changed")
    os.environ.pop("REGION")
    del os.environ["ZONE"]
    monkeypatch.setenv("PATCHED", "1")
    app.dependency_overrides[dependency] = dependency

def test_b_finds_it_as_it_was():
    assert os.environ["STAGE"] == "given"
    assert "LEVEL" not in os.environ and "PATCHED" not in os.environ
    assert (os.environ["REGION"], os.environ["ZONE"]) == ("here", "one")
    assert not app.dependency_overrides

def test_c_restores_it():
    os.environ["STAGE"] = "changed"
    app.dependency_overrides[dependency] = dependency
    app.dependency_overrides.clear()
    os.environ["STAGE"] = "given"

@pytest.fixture
def own():
    os.environ["LEVEL"] = "own"
    app.dependency_overrides[dependency] = dependency
    yield
    del os.environ["LEVEL"]
    app.dependency_overrides = {}

def test_d_by_a_fixture(own): assert os.environ["LEVEL"] == "own"
"""


def test_what_a_test_sets_directly_is_put_back(pytester: pytest.Pytester) -> None:
    """And named; what it or a fixture restores isn't."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"STAGE": "given", "REGION": "here", "ZONE": "one"}.items():
            patch.setenv(name, value)
        result = run(pytester, CHANGES, "async_items")
    result.passed(4)
    for what in (
        *(f"os.environ['{name}']" for name in ("STAGE", "LEVEL", "REGION", "ZONE")),
        "the override of dependency",
    ):
        result.says(f"GR036 test_it.py::test_a_sets left {what} changed; it was put back.")
    assert result.out.count("GR036") == 5, result.out


def test_what_a_fixture_of_a_higher_scope_sets_stays_for_its_scope(
    pytester: pytest.Pytester,
) -> None:
    """Also where it is first needed by a later test, and where the app or a library sets something."""
    suite = """
    import os
    from main import app

    def dependency(): ...

    @pytest.fixture(scope="module")
    def stage():
        os.environ["STAGE"] = "module"
        app.dependency_overrides[dependency] = dependency
        yield
        del os.environ["STAGE"]
        app.dependency_overrides.pop(dependency)

    def test_a(monkeypatch):
        monkeypatch.setenv("OTHER", "1")
        app.dependency_overrides["own"] = dependency
        del app.dependency_overrides["own"]
    def test_b(stage): assert os.environ["STAGE"] == "module"
    def test_c():
        assert os.environ["STAGE"] == "module"
        assert dependency in app.dependency_overrides
    class TestIt:
        @classmethod
        def setup_class(cls): os.environ["CLASS"] = "1"
        @classmethod
        def teardown_class(cls): del os.environ["CLASS"]
        def test_one(self): assert os.environ["CLASS"] == "1"
        def test_two(self): assert os.environ["CLASS"] == "1"
    """
    result = run(pytester, suite)
    result.passed(5)
    result.silent_about("GR036")


def test_a_connection_that_is_not_returned_is_named(pytester: pytest.Pytester) -> None:
    """One that a fixture of a higher scope holds isn't the test's."""
    suite = """
    @pytest.fixture(scope="module")
    def held():
        with blocking_engine.connect() as connection:
            yield connection

    def test_a(held): held.execute(text("SELECT 1"))
    def test_b():
        HELD.append(blocking_engine.connect())
    def test_c(held): held.execute(text("SELECT 1"))
    async def test_d():
        HELD.append(await engine.connect())
    async def test_e():
        HELD.pop(0).close()
        await HELD.pop().close()
    def test_f(): pass
    """
    result = run(pytester, suite)
    result.passed(6)
    for name in ("test_b", "test_d"):
        result.says(f"GR037 test_it.py::{name} left a connection checked out of its pool")
    assert result.out.count("GR037") == 2, result.out
