"""What the suite proves: each exchange is told of, however it was made, and the numbers don't depend on order."""

from __future__ import annotations

from typing import Any

import pytest

from greenroom.client import library
from tests.harness import Project, Result

APP = """
from fastapi import APIRouter, FastAPI, WebSocket, Response
from fastapi.responses import StreamingResponse
app = FastAPI()
router = APIRouter(prefix="/v1")
sub = FastAPI()

@router.get("/items/{item_id}")
async def read(item_id: int) -> int:
    return item_id

@router.get("/old")
async def old():
    from fastapi.responses import RedirectResponse
    return RedirectResponse("/v1/items/1")

@router.get("/stream")
async def stream():
    return StreamingResponse(iter(["a", "b"]), media_type="text/plain")

@router.get("/boom")
async def boom() -> int:
    raise KeyError("x")

@sub.post("/fill")
async def fill() -> int:
    return 1

@app.websocket("/ws")
async def ws(socket: WebSocket):
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()

@app.websocket("/closed")
async def closed(socket: WebSocket):
    await socket.close()

app.include_router(router)
app.mount("/sub", sub)
"""


def run(pytester: pytest.Pytester, test: str, *args: str, app: str = APP) -> Result:
    files = {"main.py": app, "pyproject.toml": "[tool.greenroom]\n", "test_main.py": test}
    result = Project(files).run(pytester, "--greenroom-report=json", *args)
    assert result.code == 0, result.out
    return result


def answers(result: Result) -> dict[tuple[str, str], dict[str, Any]]:
    """What was seen, by operation and status."""
    return {
        (one["operation"], cell["status"]): cell
        for one in result.json("greenroom.json")["operations"]
        for cell in one["answers"]
    }


WAYS = {
    "client": """
async def test_it(client):
    assert (await client.get("/v1/items/1")).status_code == 200
    assert (await client.post("/sub/fill")).json() == 1
""",
    "client, the library's own way": """
async def test_it(client):
    assert (await client.get("/v1/items/1", timeout=3)).status_code == 200
    assert (await client.post("/sub/fill", files={"a": b"x"})).json() == 1
""",
    "sync_client": """
def test_it(sync_client):
    assert sync_client.get("/v1/items/1").status_code == 200
    assert sync_client.post("/sub/fill").json() == 1
""",
    "live_server": """
import httpx2
def test_it(live_server):
    assert httpx2.get(live_server + "/v1/items/1").status_code == 200
    assert httpx2.post(live_server + "/sub/fill").json() == 1
""",
    "the project's own TestClient": """
from fastapi.testclient import TestClient
from main import app
def test_it():
    with TestClient(app) as client:
        assert client.get("/v1/items/1").status_code == 200
        assert client.post("/sub/fill").json() == 1
""",
    "the project's own AsyncClient": """
import httpx2
from main import app
async def test_it():
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/v1/items/1")).status_code == 200
        assert (await client.post("/sub/fill")).json() == 1
""",
}


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_ask_the_app_is_told_of(pytester: pytest.Pytester, way: str) -> None:
    """Operation, status, content type, test; in included routers and mounted apps."""
    found = answers(run(pytester, WAYS[way].replace("httpx2", library.load().__name__)))
    assert set(found) == {("GET /v1/items/{item_id}", "200"), ("POST /sub/fill", "200")}
    for cell in found.values():
        assert cell["looked"] == ["test_main.py::test_it"]
        assert cell["caused"] == []
        assert cell["content_types"] == ["application/json"]
        assert cell["times"] == 1


def test_an_app_that_is_made_once_more_is_the_same_app(pytester: pytest.Pytester) -> None:
    """A suite may call its factory in each test; another app isn't meant."""
    app = """
from fastapi import FastAPI
def create_app():
    app = FastAPI()
    @app.get("/a")
    async def a() -> int:
        return 1
    return app
app = create_app()
"""
    test = """
from fastapi import FastAPI
from fastapi.testclient import TestClient
from main import create_app

def test_made():
    TestClient(create_app()).get("/a")

def test_another():
    other = FastAPI()
    other.get("/a/b")(lambda: 1)
    other.get("/a")(lambda: 1)
    TestClient(other).get("/a")
"""
    found = answers(run(pytester, test, app=app))
    assert found["GET /a", "200"]["looked"] == ["test_main.py::test_made"]


def test_what_a_test_looks_at_and_what_it_only_causes(pytester: pytest.Pytester) -> None:
    """Its status, its body, its stream; not the redirect on the way, nor what nobody reads."""
    test = """
import pytest

async def test_caused(client):
    await client.get("/v1/items/1")

async def test_headers(client):
    assert (await client.get("/v1/items/1")).headers

async def test_body(client):
    assert (await client.get("/v1/items/2")).text == "2"

async def test_status(client):
    assert (await client.get("/v1/items/x")).is_client_error

def test_read(client):
    assert client.get("/v1/items/3").read() == b"3"

async def test_aread(client):
    assert await (await client.get("/v1/items/3")).aread() == b"3"

async def test_history(client):
    last = await client.get("/v1/old", follow_redirects=True)
    assert [one.status_code for one in last.history] == [307]

async def test_redirect(client):
    assert (await client.get("/v1/old", follow_redirects=True)).json() == 1

async def test_stream(client):
    async with client.stream("GET", "/v1/stream") as response:
        assert [piece async for piece in response.aiter_text()]

async def test_unread_stream(client):
    async with client.stream("GET", "/v1/stream") as response:
        pass

async def test_boom(client):
    with pytest.raises(KeyError):
        await client.get("/v1/boom")
"""
    found = answers(run(pytester, test))
    names = {
        key: (
            [one.partition("::")[2] for one in cell["looked"]],
            [one.partition("::")[2] for one in cell["caused"]],
        )
        for key, cell in found.items()
    }
    assert names == {
        ("GET /v1/items/{item_id}", "200"): (
            ["test_aread", "test_body", "test_read", "test_redirect"],
            ["test_caused", "test_headers", "test_history"],
        ),
        ("GET /v1/items/{item_id}", "422"): (["test_status"], []),
        ("GET /v1/old", "307"): (["test_history"], ["test_redirect"]),
        ("GET /v1/stream", "200"): (["test_stream"], ["test_unread_stream"]),
        ("GET /v1/boom", "500"): (["test_boom"], []),
    }


def test_sockets_are_operations_too(pytester: pytest.Pytester) -> None:
    """Accepted ones and refused ones, of both kinds of tests."""
    test = """
import pytest
from starlette.websockets import WebSocketDisconnect

async def test_async(client):
    async with client.websocket_connect("/ws") as socket:
        assert await socket.receive_text() == "hello"

def test_sync(sync_client):
    with sync_client.websocket_connect("/ws") as socket:
        assert socket.receive_text() == "hello"

async def test_refused(client):
    with pytest.raises(WebSocketDisconnect):
        async with client.websocket_connect("/closed"):
            pass
"""
    found = answers(run(pytester, test))
    assert found["WEBSOCKET /ws", "101"]["times"] == 2
    assert found["WEBSOCKET /closed", "403"]["times"] == 1


def test_what_a_fixture_of_a_higher_scope_asks_is_no_tests(pytester: pytest.Pytester) -> None:
    """It comes again in each process, and belongs to whichever test is first."""
    test = """
import pytest

@pytest.fixture(scope="session")
async def ready(client_factory):
    await client_factory().get("/v1/items/7")

async def test_one(ready, client):
    await client.get("/v1/items/1")
"""
    found = answers(run(pytester, test))
    assert found["GET /v1/items/{item_id}", "200"]["times"] == 1


MANY = """
import pytest

@pytest.mark.parametrize("number", range(12))
async def test_many(client, number):
    response = await client.get(f"/v1/items/{number if number % 3 else 'x'}")
    if number % 2:
        assert response.status_code

async def test_wrong(client):
    await client.get("/v1/stream")

def test_fill(client):
    assert client.post("/sub/fill").json() == 1
"""


def test_the_outcome_is_the_same_for_any_order_and_any_split(pytester: pytest.Pytester) -> None:
    """In one process and in two, in 1, 2 and 7 shards: byte by byte, but for times."""
    from greenroom.cli.main import main

    ids = [f"test_main.py::test_many[{number}]" for number in range(12)]
    ids += ["test_main.py::test_wrong", "test_main.py::test_fill"]

    def text(name: str) -> str:
        plain = Result(None, pytester.path).json(name)  # type: ignore[arg-type]
        del plain["times"]
        return repr(plain)

    run(pytester, MANY, "-p", "no:randomly")
    whole = text("greenroom.json")
    assert "looked" in whole
    for seed in ("1", "2"):
        run(pytester, MANY, "-p", "randomly", "-p", "no:xdist", f"--randomly-seed={seed}")
        assert text("greenroom.json") == whole
    files = {"main.py": APP, "pyproject.toml": "[tool.greenroom]\n", "test_main.py": MANY}
    both = Project(files).run_subprocess(pytester, "-n", "2", "--greenroom-report=two.json")
    assert both.code == 0, both.out
    assert text("two.json") == whole
    for shards in (2, 7):
        names = []
        for shard in range(shards):
            names.append(f"shard-{shard}.json")
            chosen = ids[shard::shards]
            Project(files).run(pytester, *chosen, f"--greenroom-report={names[-1]}")
        folder = pytester.path
        paths = [str(folder / name) for name in reversed(names)]
        assert main(["combine", *paths, "-o", str(folder / "combined.json")]) == 0
        assert text("combined.json") == whole


def test_a_run_without_a_request_says_nothing(pytester: pytest.Pytester) -> None:
    """And one that collects only."""
    files = {"main.py": APP, "pyproject.toml": "[tool.greenroom]\n"}
    result = Project({**files, "test_main.py": "def test_x(): pass"}).run(pytester)
    assert "what the suite proves" not in result.out
    result = Project({**files, "test_main.py": MANY}).run(pytester, "--collect-only")
    assert "what the suite proves" not in result.out


def test_a_failing_test_that_used_its_own_client_tells_its_exchanges(
    pytester: pytest.Pytester,
) -> None:
    """As one that used greenroom's."""
    test = """
from fastapi.testclient import TestClient
from main import app

def test_it():
    assert TestClient(app).get("/v1/items/3").json() == 4
"""
    files = {"main.py": APP, "pyproject.toml": "[tool.greenroom]\n", "test_main.py": test}
    result = Project(files).run(pytester)
    result.counts(failed=1)
    assert "GET /v1/items/3 -> 200" in result.out


def test_a_path_with_a_question_mark_in_it_is_a_path(pytester: pytest.Pytester) -> None:
    """As it is after decoding."""
    app = """
from fastapi import FastAPI
app = FastAPI()

@app.get("/names/{name}/x")
async def read(name: str) -> str:
    return name
"""
    test = """
from fastapi.testclient import TestClient
from main import app

async def test_it(client):
    assert (await client.get("/names/a%3Fb/x")).json() == "a?b"
    assert TestClient(app).get("/names/a%3Fb/x").json() == "a?b"
"""
    found = answers(run(pytester, test, app=app))
    assert found["GET /names/{name}/x", "200"]["times"] == 2


def test_a_response_is_copied_and_pickled_as_the_librarys_own(pytester: pytest.Pytester) -> None:
    """A suite may keep one, or send it to another process."""
    test = """
import copy
import pickle

async def test_it(client):
    for response in (await client.get("/v1/items/1"), await client.get("/v1/items/1", timeout=3)):
        for again in (copy.deepcopy(response), pickle.loads(pickle.dumps(response))):
            assert type(again).__module__.startswith("httpx")
            assert (again.status_code, again.json()) == (200, 1)
            assert again.request.url == response.request.url
            assert again.headers == response.headers
"""
    run(pytester, test)
