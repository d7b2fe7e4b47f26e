"""Suites that start the app by clients of their own, or run their tests by another plugin."""

from __future__ import annotations

import pytest

from tests.harness import Project, app_source

SAYS_SO = "[tool.greenroom]\n"
ONCE = """
import asyncio
from contextlib import asynccontextmanager
from fastapi import FastAPI, Request

class Scheduler:
    running = False
    def start(self):
        if self.running: raise RuntimeError("it runs already")
        self.running = True
    def shutdown(self): self.running = False

scheduler = Scheduler()

@asynccontextmanager
async def lifespan(app):
    scheduler.start()
    app.state.queue = asyncio.Queue()
    async def worker():
        while True:
            (await app.state.queue.get()).set_result("done")
    task = asyncio.create_task(worker())
    yield
    task.cancel()
    del app.state.queue
    scheduler.shutdown()

app = FastAPI(lifespan=lifespan)
@app.post("/job")
async def job(request: Request) -> str:
    done = asyncio.get_running_loop().create_future()
    await request.app.state.queue.put(done)
    return await done
"""
OWN = """
import pytest
from fastapi.testclient import TestClient
from main import app, scheduler
"""


@pytest.mark.parametrize("scope", ["function", "module", "session"])
def test_a_client_of_the_suites_own_starts_an_app_that_starts_once(
    pytester: pytest.Pytester, scope: str
) -> None:
    """Nobody asks for one of greenroom's."""
    suite = f"""{OWN}
@pytest.fixture(scope="{scope}")
def client():
    with TestClient(app) as client:
        yield client
@pytest.mark.parametrize("attempt", [1, 2])
def test_it(client, attempt): assert client.post("/job").json() == "done"
def test_without(): pass
"""
    files = {"main.py": ONCE, "test_it.py": suite}
    Project(files).with_pyproject(SAYS_SO).run(pytester).passed(3)


@pytest.mark.parametrize("attempt", range(3))
def test_it_does_so_between_tests_with_greenrooms(pytester: pytest.Pytester, attempt: int) -> None:
    """Whichever comes first, and both in one test; the app is started by one at a time."""
    suite = f"""{OWN}
def test_own():
    with TestClient(app) as own: assert own.post("/job").json() == "done"
def test_greenrooms(client): assert client.post("/job").json() == "done"
def test_both(client):
    assert client.post("/job").json() == "done"
    with TestClient(app) as own: assert own.post("/job").json() == "done"
async def test_async(client): assert (await client.post("/job")).json() == "done"
def test_later(request):
    assert request.getfixturevalue("client").post("/job").json() == "done"
"""
    files = {"main.py": ONCE, "test_it.py": suite}
    Project(files).with_pyproject(SAYS_SO).run(pytester).passed(5)


def test_a_fixture_that_is_asked_for_late_has_the_app_started(pytester: pytest.Pytester) -> None:
    """Where nothing in the source says that it will be."""
    suite = f"""{OWN}
def test_it(request):
    assert request.getfixturevalue("client").post("/job").json() == "done"
    assert scheduler.running
"""
    files = {"main.py": ONCE, "test_it.py": suite}
    Project(files).with_pyproject(SAYS_SO).run(pytester).passed(1)


ANYIO = """
import asyncio
import pytest
from main import SessionLocal
from sqlalchemy import text
pytestmark = pytest.mark.anyio

@pytest.fixture(scope="session")
def anyio_backend(): return "asyncio"
@pytest.fixture(scope="session")
async def outer(anyio_backend): return asyncio.get_running_loop()
@pytest.fixture
async def inner(outer): return asyncio.get_running_loop()
async def test_one_loop(outer, inner): assert outer is inner is asyncio.get_running_loop()
@pytest.mark.parametrize("attempt", [1, 2])
async def test_rows(inner, attempt):
    async with SessionLocal() as session:
        await session.execute(text("INSERT INTO items (name) VALUES ('lamp')"))
        await session.commit()
"""


def test_a_suite_on_anyios_plugin_stays_there(pytester: pytest.Pytester) -> None:
    """pytest-asyncio's auto mode would take its fixtures, and run them on another loop."""
    files = {"main.py": app_source("async_items"), "test_it.py": ANYIO}
    Project(files).with_pyproject(SAYS_SO).run(pytester).passed(3)


def test_the_client_is_what_starlettes_is(pytester: pytest.Pytester) -> None:
    """It knows its app, and may be entered again."""
    suite = """
from main import app
def test_it(client):
    assert client.app is app
    for attempt in range(2):
        with client as same: assert same.get("/items").json() == []
    assert client.get("/items").json() == []
async def test_async(client):
    assert client.app is app and client._transport.app is app
"""
    files = {"main.py": app_source("async_items"), "test_it.py": suite}
    Project(files).run(pytester).passed(2)
