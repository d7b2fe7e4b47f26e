"""A handler that hangs fails its test after a limit, and says where it stands."""

from __future__ import annotations

import pytest

from tests.harness import Project

APP = """
import asyncio, threading, time
from fastapi import Depends, FastAPI, Request
from fastapi.responses import StreamingResponse

never = threading.Event()
app = FastAPI()

async def gateway():
    await asyncio.Event().wait()

@app.post("/awaits")
async def awaits():
    await gateway()

@app.get("/blocks")
async def blocks():
    never.wait(20)

@app.get("/spins")
async def spins():
    until = time.monotonic() + 20
    while time.monotonic() < until:
        pass

@app.get("/thread")
def thread():
    never.wait(20)

@app.get("/depends")
async def depends(value: None = Depends(gateway)): ...

@app.get("/swallows")
async def swallows():
    try:
        await gateway()
    except asyncio.CancelledError:
        return "swallowed"

@app.get("/stream")
async def stream():
    await gateway()

@app.get("/late")
async def late():
    async def pieces():
        yield "a"
        await asyncio.sleep(0.6)
        yield "b"
    return StreamingResponse(pieces())

@app.get("/fine")
async def fine() -> str: return "fine"
"""
MIDDLEWARE = """
@app.middleware("http")
async def passes_on(request: Request, call_next):
    return await call_next(request)
"""
SUITE = """
import main, pytest

@pytest.fixture(autouse=True)
def ends():
    yield
    main.never.set()
    main.never.clear()

ALL = pytest.mark.parametrize("path", ["blocks", "spins", "thread", "depends", "swallows"])

@ALL
async def test_async(client, path): await client.get(f"/{path}")
@ALL
def test_blocking(client, path): client.get(f"/{path}")
async def test_post(client): await client.post("/awaits", json={})
async def test_stream(client):
    async with client.stream("GET", "/stream"): ...

async def test_an_answer_that_has_begun_may_go_on(client):
    async with client.stream("GET", "/late") as response:
        assert await response.aread() == b"ab"
async def test_fine(client): assert (await client.get("/fine")).json() == "fine"
def test_fine_blocking(client): assert client.get("/fine").json() == "fine"
"""
SAYS = "[tool.greenroom]\nlimit = 0.4\n"


@pytest.mark.parametrize("middleware", ["", MIDDLEWARE], ids=["bare", "behind a middleware"])
def test_each_way_to_hang(pytester: pytest.Pytester, middleware: str) -> None:
    """Waiting, blocking the loop, spinning, in a thread; what is fine stays fine."""
    files = {"main.py": APP + middleware, "test_it.py": SUITE}
    result = Project(files).with_pyproject(SAYS).run(pytester)
    result.counts(passed=3, failed=12)
    for path, line in [
        ("POST /awaits", "in gateway: await asyncio.Event().wait()"),
        ("GET /blocks", "in blocks: never.wait(20)"),
        ("GET /spins", "in spins: "),
        ("GET /thread", "in thread: never.wait(20)"),
        ("GET /depends", "in gateway: await asyncio.Event().wait()"),
        ("GET /swallows", "in swallows: await gateway()"),
        ("GET /stream", "in stream: await gateway()"),
    ]:
        result.says(f"GR035 {path} hasn't been answered within 0.4 s.", "main.py:", line)


def test_a_wsgi_apps_handler(pytester: pytest.Pytester) -> None:
    """It's interrupted where it stands."""
    app = """
import time
from flask import Flask
app = Flask(__name__)
@app.get("/blocks")
def blocks(): time.sleep(20)
"""
    test = 'def test_it(client): client.get("/blocks")'
    files = {"app.py": app, "test_it.py": test}
    result = Project(files).with_pyproject(SAYS).run(pytester)
    result.counts(failed=1)
    result.says("GR035 GET /blocks hasn't", "in blocks: def blocks(): time.sleep(20)")


def test_the_client_goes_on_after_it(pytester: pytest.Pytester) -> None:
    """Its test may catch the error, and the database is as it is for everybody."""
    test = """
import asyncio, greenroom, pytest
async def test_it(client):
    with pytest.raises(greenroom.GreenroomError, match="GR035"):
        await client.get("/depends")
    async with asyncio.timeout(5):
        assert (await client.get("/fine")).json() == "fine"
"""
    files = {"main.py": APP, "test_it.py": test}
    Project(files).with_pyproject(SAYS).run(pytester).passed(1)


def test_without_a_limit_it_may_take_as_long_as_it_takes(pytester: pytest.Pytester) -> None:
    """Zero is none."""
    test = """
import threading
def test_it(client):
    assert client.get("/fine").json() == "fine"
    assert not [one for one in threading.enumerate() if one.name == "greenroom-limit"]
"""
    files = {"main.py": APP, "test_it.py": test}
    said = "[tool.greenroom]\nlimit = 0\n"
    Project(files).with_pyproject(said).run(pytester).passed(1)


@pytest.mark.parametrize("value", ['"soon"', "-1", "true", "inf"])
def test_what_is_not_a_time_is_refused(pytester: pytest.Pytester, value: str) -> None:
    """With the form that it takes."""
    files = {"main.py": APP, "test_it.py": "def test_it(client): pass"}
    result = Project(files).with_pyproject(f"[tool.greenroom]\nlimit = {value}\n").run(pytester)
    result.says("GR005", "[tool.greenroom] limit: ", "a number of seconds; 0 for none")
