"""`live_server`: the app under a real server, on the same isolated database."""

from __future__ import annotations

import sys

import pytest

from tests.dialects import KINDS, Dialect
from tests.harness import Project, app_source

TEST = """
import json
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

def call(url, method="GET"):
    with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
        return json.load(answer)

@pytest.mark.parametrize("n", [1, 2])
def test_by_a_def_test(live_server, client, n):
    assert call(live_server.url + "/items") == []
    call(live_server + "/items/lamp", "POST")
    assert call(f"{live_server}/items") == ["lamp"]
    assert client.get("/items").json() == ["lamp"]
    client.post("/items/chair")
    assert call(f"{live_server}/items") == ["lamp", "chair"]

@pytest.mark.parametrize("n", [1, 2])
async def test_by_an_async_test(live_server, client, n):
    async with type(client).__mro__[1](base_url=live_server.url) as real:
        assert (await real.get("/items")).json() == []
        await real.post("/items/lamp")
        await client.post("/items/chair")
        assert (await real.get("/items")).json() == ["lamp", "chair"]
        assert (await real.get("/nothing")).status_code == 404

def test_by_another_process(live_server):
    code = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode())"
    command = [sys.executable, "-c", code, live_server + "/items"]
    assert subprocess.run(command, capture_output=True, text=True).stdout.strip() == "[]"
"""


@pytest.mark.parametrize("dialect", KINDS)
@pytest.mark.parametrize("app", ["async_items", "sync_items"])
def test_it_serves_what_the_client_does(
    pytester: pytest.Pytester, served: Dialect, app: str
) -> None:
    """To this process and to others; each test begins from the baseline."""
    files = {"main.py": served.app(app_source(app)), "test_it.py": TEST}
    Project(files, served.environ).run(pytester).passed(5)


def test_each_worker_has_its_own(pytester: pytest.Pytester) -> None:
    """On a port that the system chooses."""
    files = {"main.py": app_source("async_items"), "test_it.py": TEST}
    Project(files).run_subprocess(pytester, "-n", "2", "--dist", "load").passed(5)


SLOW = """
import threading, time
from fastapi import BackgroundTasks

written = threading.Event()

def later():
    time.sleep(0.2)  # After the answer, as mail or a log entry is written.
    write_later()
    written.set()

@app.post("/slow")
def slow(tasks: BackgroundTasks):
    tasks.add_task(later)
"""
SLOW_TEST = """
import itertools, urllib.request, pytest
from main import written

runs = itertools.count()

@pytest.mark.parametrize("n", [1, 2])
def test_it(live_server, db_session, n):
    if next(runs):
        assert written.wait(5)
    assert not db_session.connection().exec_driver_sql("SELECT name FROM items").all()
    urllib.request.urlopen(urllib.request.Request(live_server + "/slow", method="POST"))
"""


@pytest.mark.parametrize("dialect", KINDS)
def test_the_next_test_waits_for_what_the_server_still_does(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """A client has its answer before the app is done with the request."""
    files = {"main.py": served.app(app_source("sync_items") + SLOW), "test_it.py": SLOW_TEST}
    Project(files, served.environ).run(pytester).passed(2)


STATE = """
from contextlib import asynccontextmanager
from fastapi import FastAPI, Request

@asynccontextmanager
async def lifespan(app):
    app.state.starts = getattr(app.state, "starts", 0) + 1
    yield {"greeting": "hello"}

app = FastAPI(lifespan=lifespan)
@app.get("/")
async def root(request: Request) -> list:
    return [request.state.greeting, app.state.starts]
"""
STATE_TEST = """
import json, urllib.request
def test_it(live_server, client):
    assert json.load(urllib.request.urlopen(live_server.url)) == ["hello", 1]
    assert client.get("/").json() == ["hello", 1]
"""


def test_the_app_is_started_once(pytester: pytest.Pytester) -> None:
    """The server has the state of the run's lifespan."""
    Project({"main.py": STATE, "test_it.py": STATE_TEST}).run(pytester).passed(1)


def test_without_uvicorn_the_extra_is_named(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error, and no traceback."""
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = Project({"main.py": STATE, "test_it.py": STATE_TEST}).run(pytester)
    result.counts(errors=1)
    result.says("GR030", "pip install greenroom[live]")
    result.silent_about("Traceback")


def test_a_port_that_cannot_be_bound_is_told(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error, and no traceback."""

    def refuse(address: object) -> None:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr("socket.create_server", refuse)
    result = Project({"main.py": STATE, "test_it.py": STATE_TEST}).run(pytester)
    result.counts(errors=1)
    result.says("GR010 live_server can't bind a port on 127.0.0.1", "Address already in use")
    result.silent_about("Traceback")
