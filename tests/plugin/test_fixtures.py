"""The public fixtures, one behaviour at a time."""

from __future__ import annotations

import pytest

from tests.harness import Project

APP = """
import asyncio, contextvars, threading
from fastapi import APIRouter, Depends, FastAPI, Request

def who(): return "nobody"

WHO = contextvars.ContextVar("who", default="unset")
app = FastAPI()
mounted = FastAPI()
deep = FastAPI()
router = APIRouter(prefix="/router")

@app.get("/who")
@mounted.get("/who")
@deep.get("/who")
@router.get("/who")
def read(name=Depends(who)): return name

mounted.mount("/deep", deep)
app.include_router(router)
app.mount("/mounted", mounted)

@app.get("/boom")
def boom(): raise LookupError("in the app")

@app.get("/thread")
def thread(): return threading.get_ident()

@app.get("/context")
async def context(): return WHO.get()

@app.post("/echo")
async def echo(request: Request): return (await request.body()).decode()

@app.get("/header")
async def header(request: Request): return [request.url.hostname, request.client.host]
"""
PATHS = ["/who", "/mounted/who", "/mounted/deep/who", "/router/who"]


def project(test: str) -> Project:
    return Project({"main.py": APP, "test_it.py": f"PATHS = {PATHS}\n{test}"})


def test_app_is_the_projects_own_object(pytester: pytest.Pytester) -> None:
    """Not a copy, not a wrapper."""
    project("import main\ndef test_it(app): assert app is main.app").run(pytester).passed(1)


def test_the_clients_are_of_the_http_library_that_is_there(pytester: pytest.Pytester) -> None:
    """`client` fits the test: an AsyncClient in an async one, a Client in a `def` one."""
    test = """
from greenroom.client.library import load
httpx = load()

async def test_async(client): assert isinstance(client, httpx.AsyncClient)
def test_blocking(client): assert isinstance(client, httpx.Client)
def test_sync(sync_client): assert isinstance(sync_client, httpx.Client)
async def test_response(client): assert isinstance(await client.get("/who"), httpx.Response)
"""
    project(test).run(pytester).passed(4)


def test_an_error_in_the_app_is_raised_in_the_test(pytester: pytest.Pytester) -> None:
    """With the app's own traceback."""
    test = """
async def test_async(client): await client.get("/boom")
def test_blocking(sync_client): sync_client.get("/boom")
"""
    result = project(test).run(pytester)
    result.counts(failed=2)
    assert result.out.count('def boom(): raise LookupError("in the app")') == 2
    result.silent_about("greenroom/runtime", "greenroom/client")


def test_def_endpoints_share_their_threads_between_requests(pytester: pytest.Pytester) -> None:
    """A blocking request costs no thread of its own."""
    test = """
import threading

def test_it(sync_client):
    threads = {sync_client.get("/thread").json() for _ in range(20)}
    assert len(threads) == 1
    assert threading.get_ident() not in threads
"""
    project(test).run(pytester).passed(1)


def test_a_context_variable_of_the_test_reaches_the_app(pytester: pytest.Pytester) -> None:
    """A request runs in a copy of the test's context."""
    test = """
from main import WHO

def test_blocking(sync_client):
    token = WHO.set("test")
    assert sync_client.get("/context").json() == "test"
    WHO.reset(token)

async def test_async(client):
    WHO.set("test")
    assert (await client.get("/context")).json() == "test"

def test_another(sync_client): assert sync_client.get("/context").json() == "unset"
"""
    project(test).run(pytester, "-p", "no:randomly").passed(3)


def test_bodies_of_every_kind_reach_the_app(pytester: pytest.Pytester) -> None:
    """Bytes, forms and generators, from blocking code too."""
    test = """
def test_blocking(sync_client):
    assert sync_client.post("/echo", content=b"bytes").json() == "bytes"
    assert sync_client.post("/echo", data={"a": "1"}).json() == "a=1"
    assert sync_client.post("/echo", content=(part for part in [b"x", b"y"])).json() == "xy"
    assert "upload" in sync_client.post("/echo", files={"f": b"upload"}).json()

async def test_async(client):
    async def parts():
        yield b"x"
        yield b"y"
    assert (await client.post("/echo", content=parts())).json() == "xy"
"""
    project(test).run(pytester).passed(2)


def test_the_app_believes_to_be_on_testserver(pytester: pytest.Pytester) -> None:
    """As with Starlette's own test client, so that links and host checks stay as they were."""
    test = """
async def test_async(client): assert (await client.get("/header")).json()[0] == "testserver"
def test_blocking(client): assert client.get("/header").json()[0] == "testserver"
"""
    project(test).run(pytester).passed(2)


def test_an_override_holds_for_the_app_and_for_mounted_apps(pytester: pytest.Pytester) -> None:
    """A mounted app looks only at its own overrides, so each gets them."""
    test = """
import pytest
from main import who

@pytest.mark.parametrize("path", PATHS)
async def test_overridden(client, overrides, path):
    overrides[who] = lambda: "somebody"
    assert who in overrides and len(overrides) == 1
    assert (await client.get(path)).json() == "somebody"

@pytest.mark.parametrize("path", PATHS)
def test_deleted(client, overrides, path):
    overrides[who] = lambda: "somebody"
    del overrides[who]
    assert client.get(path).json() == "nobody"
"""
    project(test).run(pytester).passed(8)


def test_overrides_are_restored_whatever_the_test_does(pytester: pytest.Pytester) -> None:
    """It fails, it clears the app's own dictionary, it adds to it directly."""
    test = """
from main import app, mounted, who
import pytest

app.dependency_overrides[who] = lambda: "by the project"

def test_fails(overrides):
    overrides[who] = lambda: "somebody"
    raise RuntimeError

def test_clears(overrides):
    app.dependency_overrides.clear()
    mounted.dependency_overrides[who] = lambda: "left behind"

@pytest.mark.parametrize("path", PATHS)
def test_zz_restored(client, path):
    expected = "by the project" if path in {"/who", "/router/who"} else "nobody"
    assert client.get(path).json() == expected
"""
    result = project(test).run(pytester, "-p", "no:randomly")
    result.counts(passed=5, failed=1)


def test_hypothesis_and_classes_and_methods_are_tests_too(pytester: pytest.Pytester) -> None:
    """The fixtures work in methods, sync and async."""
    test = """
class TestIt:
    async def test_async(self, client): assert (await client.get("/who")).json() == "nobody"
    def test_blocking(self, client): assert client.get("/who").json() == "nobody"
"""
    project(test).run(pytester).passed(2)


def test_a_higher_scoped_fixture_can_use_the_app(pytester: pytest.Pytester) -> None:
    """`app` is there for the whole session."""
    test = """
import pytest

@pytest.fixture(scope="session")
def title(app): return app.title

def test_it(title): assert title == "FastAPI"
"""
    project(test).run(pytester).passed(1)


def test_an_app_of_the_projects_own_fixture_is_served(pytester: pytest.Pytester) -> None:
    """`client` and `overrides` are on what `app` gives."""
    test = """
import pytest
from fastapi import Depends, FastAPI
from main import who

@pytest.fixture
def app():
    other = FastAPI()

    @other.get("/other")
    def read(name=Depends(who)): return f"other {name}"

    return other

async def test_async(client, overrides):
    overrides[who] = lambda: "somebody"
    assert (await client.get("/other")).json() == "other somebody"

def test_blocking(client): assert client.get("/other").json() == "other nobody"
"""
    project(test).with_pyproject("[tool.greenroom]").run(pytester).passed(2)


def test_an_override_reaches_an_app_mounted_in_an_included_router(
    pytester: pytest.Pytester,
) -> None:
    """However deep."""
    app = (
        APP
        + """
inner = APIRouter()
deepest = FastAPI()

@deepest.get("/who")
def read_deepest(name=Depends(who)): return name

inner.mount("/deepest", deepest)
outer = APIRouter()
outer.include_router(inner, prefix="/inner")
app.include_router(outer, prefix="/outer")
"""
    )
    test = """
from main import who

async def test_it(client, overrides):
    overrides[who] = lambda: "somebody"
    assert (await client.get("/outer/inner/deepest/who")).json() == "somebody"
"""
    project(test).with_files(main=app).run(pytester).passed(1)
