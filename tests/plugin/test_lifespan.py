"""The app's lifespan really runs, on the loop that its requests run on."""

from __future__ import annotations

import pytest

from tests.harness import Project

APP = """
import asyncio
from contextlib import asynccontextmanager
from fastapi import FastAPI, Request

STARTS, STOPS = [], []

@asynccontextmanager
async def lifespan(app):
    STARTS.append(id(asyncio.get_running_loop()))
    yield {"name": "from start-up", "loop": asyncio.get_running_loop()}
    STOPS.append(id(asyncio.get_running_loop()))
    with open("stopped.txt", "a") as file:
        file.write("stopped\\n")

app = FastAPI(lifespan=lifespan)

@app.get("/")
async def read(request: Request):
    same = request.state.loop is asyncio.get_running_loop()
    return {"name": request.state.name, "same": same}
"""
ANSWER = '{"name": "from start-up", "same": True}'


def starting(**tests: str) -> Project:
    return Project({"main.py": APP}).with_files(**tests)


def test_it_runs_once_for_all_tests_on_the_session_loop(pytester: pytest.Pytester) -> None:
    """Async and `def` tests share one loop, and so one start-up; its state reaches requests."""
    test = f"""
from main import STARTS

async def test_one(client):
    assert (await client.get("/")).json() == {ANSWER}
    assert len(STARTS) == 1

async def test_two(client):
    assert (await client.get("/")).json() == {ANSWER}
    assert len(STARTS) == 1

def test_three(sync_client):
    assert sync_client.get("/").json() == {ANSWER}
    assert len(STARTS) == 1
"""
    result = starting(test_it=test).run(pytester)
    result.passed(3)
    assert (result.folder / "stopped.txt").read_text() == "stopped\n"


@pytest.mark.parametrize("scope", ["function", "class", "module", "package"])
def test_each_loop_has_a_start_up_of_its_own(pytester: pytest.Pytester, scope: str) -> None:
    """A test on another loop than the run's gets the app started on that loop."""
    test = f"""
import asyncio
import pytest
from main import STARTS, STOPS

@pytest.mark.asyncio(loop_scope="{scope}")
@pytest.mark.parametrize("attempt", [1, 2])
async def test_own_loop(client, attempt):
    assert (await client.get("/")).json() == {ANSWER}
    assert STARTS[-1] == id(asyncio.get_running_loop())
    assert len(STARTS) - len(STOPS) == 1
"""
    starting(test_it=test).run(pytester).passed(2)


def test_function_loops_that_the_project_asks_for_work(pytester: pytest.Pytester) -> None:
    """The project's own setting holds."""
    test = f"""
import pytest

@pytest.mark.parametrize("attempt", [1, 2, 3])
async def test_own_loop(client, attempt):
    assert (await client.get("/")).json() == {ANSWER}
"""
    pyproject = """
[tool.pytest.ini_options]
asyncio_default_fixture_loop_scope = "function"
"""
    project = starting(test_it=test).with_pyproject(pyproject)
    result = project.run(pytester)
    result.passed(3)
    result.says("asyncio_default_test_loop_scope=function")
    # The run's own loop, for the baseline, and three function loops.
    assert (result.folder / "stopped.txt").read_text() == "stopped\n" * 4


def test_the_app_is_never_started_twice_at_once(pytester: pytest.Pytester) -> None:
    """What a start-up keeps in a global would be closed under the other's feet."""
    app = """
from contextlib import asynccontextmanager
from fastapi import FastAPI

class Pool:
    open = None

@asynccontextmanager
async def lifespan(app):
    assert Pool.open is None
    Pool.open = True
    yield
    Pool.open = None

app = FastAPI(lifespan=lifespan)

@app.get("/")
async def read(): return Pool.open
"""
    test = """
import pytest

def test_blocking_one(client): assert client.get("/").json() is True

@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.asyncio(loop_scope="function")
async def test_function(client, attempt): assert (await client.get("/")).json() is True

async def test_session(client): assert (await client.get("/")).json() is True

def test_without_a_client():
    from main import Pool
    assert Pool.open
"""
    project = Project({"main.py": app, "test_it.py": test})
    for seed in (1, 2, 3):
        project.run(pytester, f"--randomly-seed={seed}").passed(5)


def test_a_failing_start_up_is_reported_once(pytester: pytest.Pytester) -> None:
    """With the app's own traceback, and not one of greenroom's; no other test is run."""
    app = APP.replace("    STARTS.append", "    raise RuntimeError('no broker')\n    STARTS.append")
    test = """
import pytest

@pytest.mark.parametrize("attempt", [1, 2, 3])
async def test_it(client, attempt): pass

def test_other(): pass
"""
    project = Project({"main.py": app, "test_it.py": test})

    result = project.run(pytester)

    result.counts(errors=1)
    assert result.code == 1
    result.says(
        "GR010 the app's start-up (its lifespan) raised RuntimeError: no broker",
        "main.py",
        "raise RuntimeError('no broker')",
    )
    result.silent_about("greenroom/runtime", "greenroom/app", "site-packages", "During handling")
    assert result.out.count("raise RuntimeError('no broker')") == 1


def test_a_failing_shut_down_is_reported(pytester: pytest.Pytester) -> None:
    """It would go wrong in production too."""
    app = APP.replace("    STOPS.append", "    raise RuntimeError('half closed')\n    STOPS.append")
    project = Project({"main.py": app, "test_it.py": "async def test_it(client): pass"})
    result = project.run(pytester)
    result.counts(passed=1, errors=1)
    result.says("GR010 the app's shut-down (its lifespan) raised RuntimeError: half closed")
    result.silent_about("greenroom/runtime", "greenroom/app")


def test_an_app_without_a_lifespan_is_served_all_the_same(pytester: pytest.Pytester) -> None:
    """A bare ASGI app may know nothing of the protocol."""
    app = """
async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"bare"})
"""
    test = 'async def test_it(client): assert (await client.get("/")).text == "bare"'
    project = Project({"main.py": app, "test_it.py": test})
    project.with_pyproject('[tool.greenroom]\napp = "main:app"').run(pytester).passed(1)


def test_rows_that_the_start_up_wrote_are_there_in_every_test(pytester: pytest.Pytester) -> None:
    """The baseline is the state after start-up, whichever test is the first, in whichever way."""
    app = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase): pass

class Role(Base):
    __tablename__ = "roles"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

@asynccontextmanager
async def lifespan(app):
    app.state.engine = create_async_engine("sqlite+aiosqlite:///roles.db")
    async with app.state.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(text("INSERT INTO roles (name) VALUES ('admin')"))
    yield
    await app.state.engine.dispose()

app = FastAPI(lifespan=lifespan)

@app.get("/")
async def read():
    async with app.state.engine.connect() as connection:
        return list((await connection.execute(select(Role.name))).scalars())

@app.delete("/")
async def delete():
    async with app.state.engine.begin() as connection:
        await connection.execute(text("DELETE FROM roles"))
"""
    test = """
import pytest
from main import app
from sqlalchemy import text

async def test_by_client(client):
    assert (await client.get("/")).json() == ["admin"]
    await client.delete("/")

def test_by_sync_client(sync_client):
    assert sync_client.get("/").json() == ["admin"]
    sync_client.delete("/")

async def test_by_session(db_session):
    assert (await db_session.scalar(text("SELECT name FROM roles"))) == "admin"
    await db_session.execute(text("DELETE FROM roles"))
    await db_session.commit()

async def test_by_engine():
    async with app.state.engine.begin() as connection:
        assert (await connection.scalar(text("SELECT count(*) FROM roles"))) == 1
        await connection.execute(text("DELETE FROM roles"))
"""
    project = Project({"main.py": app, "test_it.py": test})
    for seed in (1, 2):
        result = project.run(pytester, f"--randomly-seed={seed}")
        result.passed(4)
        assert not (result.folder / "roles.db").exists()


COUNTING = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase): pass

class Start(Base):
    __tablename__ = "starts"
    id: Mapped[int] = mapped_column(primary_key=True)

@asynccontextmanager
async def lifespan(app):
    app.state.engine = create_async_engine("sqlite+aiosqlite:///starts.db")
    async with app.state.engine.begin() as connection:
        await connection.execute(text("INSERT INTO starts DEFAULT VALUES"))
    yield
    await app.state.engine.dispose()
    del app.state.engine

app = FastAPI(lifespan=lifespan)

@app.get("/")
async def count():
    async with app.state.engine.connect() as connection:
        return await connection.scalar(text("SELECT max(id) FROM starts"))
"""
MIXED = """
import pytest

@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.asyncio(loop_scope="function")
async def test_function(client, attempt): assert (await client.get("/")).json() == 1

@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.asyncio(loop_scope="module")
async def test_module(client, attempt): assert (await client.get("/")).json() == 1

@pytest.mark.parametrize("attempt", [1, 2])
async def test_session(client, attempt): assert (await client.get("/")).json() == 1

@pytest.mark.parametrize("attempt", [1, 2])
def test_blocking(client, attempt): assert client.get("/").json() == 1

@pytest.mark.parametrize("attempt", [1, 2])
def test_without(attempt): pass
"""


@pytest.mark.parametrize("seed", range(4))
def test_every_start_up_finds_the_database_as_the_first_one_did(
    pytester: pytest.Pytester, seed: int
) -> None:
    """Loops of every kind in one file, in any order: the baseline is the same, ids included."""
    project = Project({"main.py": COUNTING, "test_it.py": MIXED})
    project.run(pytester, f"--randomly-seed={seed}").passed(10)


def test_a_failing_start_up_on_another_loop_ends_the_run_too(pytester: pytest.Pytester) -> None:
    """It is told once, and no further test is run."""
    app = COUNTING.replace(
        "    yield\n",
        "    app.state.n = getattr(app.state, 'n', 0) + 1\n    assert app.state.n == 1\n    yield\n",
    )
    test = """
import pytest

@pytest.mark.parametrize("attempt", [1, 2, 3])
async def test_it(client, attempt): pass
"""
    project = Project({"main.py": app, "test_it.py": test})
    result = project.run(pytester, "-o", "asyncio_default_fixture_loop_scope=function")
    result.counts(errors=1)
    result.says("GR010 the app's start-up (its lifespan) raised AssertionError")
