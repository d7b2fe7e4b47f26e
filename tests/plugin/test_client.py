"""The clients do what tests that were written for other clients expect."""

from __future__ import annotations

import pytest

from tests.dialects import KINDS, Dialect
from tests.harness import Project

APP = """
import asyncio
from fastapi import BackgroundTasks, FastAPI, WebSocket, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from sqlalchemy import String, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("sqlite+aiosqlite:///app.db")
Session = async_sessionmaker(engine)
class Base(DeclarativeBase): pass
class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)

app = FastAPI()
sent = []
ran = []

async def save(name):
    async with Session.begin() as session:
        session.add(Item(name=name))

@app.get("/items/")
async def items() -> list[str]:
    async with Session() as session:
        return list(await session.scalars(select(Item.name).order_by(Item.name)))
@app.get("/moved")
async def moved():
    return RedirectResponse("/items/")
@app.get("/around")
async def around():
    return RedirectResponse("/around")
@app.post("/moved")
async def posted():
    return RedirectResponse("/made", status_code=307)
@app.post("/made")
async def made(body: dict) -> dict:
    return body
@app.websocket("/ws")
async def ws(socket: WebSocket):
    await socket.accept(subprotocol="echo" if socket.scope["subprotocols"] else None)
    async for text in socket.iter_text():
        await save(text)
        await socket.send_json({"saved": text, "token": socket.headers.get("x-token")})
@app.get("/endless")
async def endless():
    async def events():
        while True:
            sent.append(1)
            yield f"data: {len(sent)}\\n\\n"
            await asyncio.sleep(0)
    return StreamingResponse(events(), media_type="text/event-stream")
@app.get("/parts")
async def parts():
    async def events():
        for n in range(3):
            await save(f"part {n}")
            yield f"{n}"
    return StreamingResponse(events(), media_type="text/plain")
@app.post("/later")
async def later(tasks: BackgroundTasks):
    async def work():
        await asyncio.sleep(0.3)
        ran.append("work")
    tasks.add_task(work)
    return {"ok": True}
@app.get("/at-once")
async def at_once():
    raise RuntimeError("at once")
@app.get("/hold")
async def hold():
    async def events():
        async with Session() as session:
            session.add(Item(name="held"))
            await session.flush()
            yield "one\\n"
            await asyncio.sleep(3600)
    return StreamingResponse(events())
@app.api_route("/both", methods=["GET", "HEAD"])
async def both():
    return Response("body")
@app.websocket("/headers")
async def headers(socket: WebSocket):
    await socket.accept()
    await socket.send_json([(name.decode(), value.decode()) for name, value in socket.scope["headers"]])
    await socket.close()
@app.get("/breaks")
async def breaks():
    async def events():
        yield "one"
        raise RuntimeError("in the middle")
    return StreamingResponse(events())
"""


def run(pytester: pytest.Pytester, dialect: Dialect, test: str, count: int) -> None:
    Project({"main.py": dialect.app(APP), "test_it.py": test}, dialect.environ).run(
        pytester, "-W", "ignore"
    ).passed(count)


REDIRECTS = """
import pytest
def test_a_def_tests_client_follows(client):
    response = client.get("/moved")
    assert response.status_code == 200
    assert [one.status_code for one in response.history] == [307]
    assert str(response.url) == "http://testserver/items/"
    assert client.get("/items").json() == []
    assert client.post("/moved", json={"a": 1}).json() == {"a": 1}

def test_unless_it_is_told_not_to(client):
    response = client.get("/moved", follow_redirects=False)
    assert (response.status_code, response.headers["location"]) == (307, "/items/")
    assert str(response.next_request.url) == "http://testserver/items/"

def test_a_circle_ends(client):
    with pytest.raises(Exception, match="redirects"):
        client.get("/around")

async def test_an_async_tests_client_does_not_follow(client):
    assert (await client.get("/moved")).status_code == 307
    response = await client.get("/moved", follow_redirects=True)
    assert response.status_code == 200 and len(response.history) == 1
"""


@pytest.mark.parametrize("dialect", KINDS[:1])
def test_redirects_are_followed_as_by_the_client_that_is_replaced(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """Starlette's test client follows; httpx2's `AsyncClient` doesn't."""
    run(pytester, served, REDIRECTS, 4)


SOCKETS = """
import pytest
from starlette.websockets import WebSocketDisconnect

@pytest.mark.parametrize("n", [1, 2])
def test_it(client, n):
    client.headers["x-token"] = "secret"
    with client.websocket_connect("/ws", subprotocols=["echo"]) as socket:
        assert socket.accepted_subprotocol == "echo"
        for text in "ab":
            socket.send_text(text)
            assert socket.receive_json() == {"saved": text, "token": "secret"}
        assert client.get("/items/").json() == ["a", "b"]

def test_the_handshake_is_a_browsers(client):
    client.headers["Authorization"] = "Bearer A"
    with client.websocket_connect("/headers", headers={"authorization": "Bearer B"}) as socket:
        headers = socket.receive_json()
    assert [value for name, value in headers if name == "authorization"] == ["Bearer B"]
    assert dict(headers)["connection"] == "upgrade"

def test_what_the_session_holds_is_read_again(client, db_session):
    from main import Item
    with client.websocket_connect("/ws") as socket:
        socket.send_text("by socket")
        socket.receive_json()
        item = db_session.get(Item, 1)
        item.name = "by session"
    assert item.name == "by session"

def test_a_plain_operation_refuses(client):
    with pytest.raises(WebSocketDisconnect):
        with client.websocket_connect("/items/"):
            pass
"""


@pytest.mark.parametrize("dialect", KINDS)
def test_a_def_tests_client_speaks_websocket(pytester: pytest.Pytester, served: Dialect) -> None:
    """As Starlette's does; what it writes is isolated."""
    run(pytester, served, SOCKETS, 5)


ASYNC_SOCKETS = """
import asyncio
import pytest
import greenroom
from main import Item, app
from starlette.websockets import WebSocketDisconnect

@pytest.mark.parametrize("n", [1, 2])
async def test_it(client, n):
    client.headers["x-token"] = "secret"
    async with client.websocket_connect("/ws", subprotocols=["echo"]) as socket:
        assert socket.accepted_subprotocol == "echo"
        for text in "ab":
            await socket.send_text(text)
            assert await socket.receive_json() == {"saved": text, "token": "secret"}
        assert (await client.get("/items/")).json() == ["a", "b"]

async def test_two_at_once(client):
    connect = client.websocket_connect
    async with connect("/ws") as one, connect("/ws") as other:
        await one.send_text("one")
        await other.send_text("other")
        assert (await other.receive_json(timeout=5))["saved"] == "other"
        assert (await one.receive_json())["saved"] == "one"

async def test_the_handshake_is_a_browsers(client):
    client.headers["Authorization"] = "Bearer A"
    client.cookies.set("who", "ada")
    headers = {"authorization": "Bearer B"}
    async with client.websocket_connect("/headers", headers=headers) as socket:
        headers = await socket.receive_json()
    assert [value for name, value in headers if name == "authorization"] == ["Bearer B"]
    assert dict(headers)["connection"] == "upgrade"
    assert dict(headers)["cookie"] == "who=ada"

async def test_what_the_session_holds_is_committed_and_read_again(client, db_session):
    async with client.websocket_connect("/ws") as socket:
        db_session.add(Item(name="by session"))
        await socket.send_text("by socket")
        await socket.receive_json()
    item = await db_session.get(Item, 1)
    assert item.name == "by session"
    assert (await client.get("/items/")).json() == ["by session", "by socket"]

async def test_a_plain_operation_refuses(client):
    with pytest.raises(WebSocketDisconnect):
        async with client.websocket_connect("/items/"):
            pass

async def test_what_never_comes_is_told(client):
    with pytest.raises(greenroom.GreenroomError, match="GR035 nothing came from WEBSOCKET /ws within 0.1"):
        async with client.websocket_connect("/ws") as socket:
            await socket.receive_text(timeout=0.1)

async def test_an_error_in_the_app_is_raised(client):
    with pytest.raises(RuntimeError, match="in the socket"):
        async with client.websocket_connect("/breaks-socket") as socket:
            await socket.receive_text()

async def test_the_app_closes(client):
    async with client.websocket_connect("/closes") as socket:
        assert [text async for text in socket] == ["1", "2"]
    async with client.websocket_connect("/closes") as socket:
        await socket.receive_text()
        await socket.receive_bytes()
        with pytest.raises(WebSocketDisconnect) as closed:
            await socket.receive_text()
        assert (closed.value.code, closed.value.reason) == (4000, "enough")

async def test_leaving_leaves_nothing(client):
    before = asyncio.all_tasks()
    async with client.websocket_connect("/ws"):
        pass
    assert not asyncio.all_tasks() - before
"""
MORE_SOCKETS = """
@app.websocket("/breaks-socket")
async def breaks_socket(socket: WebSocket):
    await socket.accept()
    raise RuntimeError("in the socket")
@app.websocket("/closes")
async def closes(socket: WebSocket):
    await socket.accept()
    await socket.send_text("1")
    await socket.send_text("2")
    await socket.close(4000, "enough")
@app.websocket("/silent")
async def silent(socket: WebSocket):
    await socket.accept()
    await asyncio.sleep(20)
"""


@pytest.mark.parametrize("dialect", KINDS)
@pytest.mark.parametrize("loops", ["session", "function"])
def test_an_async_tests_client_speaks_websocket(
    pytester: pytest.Pytester, served: Dialect, loops: str
) -> None:
    """On the test's own loop."""
    files = {"main.py": served.app(APP + MORE_SOCKETS), "test_it.py": ASYNC_SOCKETS}
    scopes = [f"-oasyncio_default_{kind}_loop_scope={loops}" for kind in ("test", "fixture")]
    Project(files, served.environ).run(pytester, *scopes).passed(10)


def test_what_a_def_test_waits_for_in_vain_is_told(pytester: pytest.Pytester) -> None:
    """Its WebSocket has the limit of a request."""
    test = """
def test_it(client):
    with client.websocket_connect("/silent") as socket:
        socket.receive_text()
"""
    files = {"main.py": APP + MORE_SOCKETS, "test_it.py": test}
    said = "[tool.greenroom]\nlimit = 0.4\n"
    result = Project(files).with_pyproject(said).run(pytester)
    result.counts(failed=1)
    result.says("GR035 WEBSOCKET /silent hasn't been answered within 0.4 s.")


STREAMS = """
import asyncio
import pytest
from main import ran, sent

async def test_an_endless_stream_ends_with_the_block(client):
    sent.clear()
    found = []
    async with client.stream("GET", "/endless") as response:
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        async for line in response.aiter_lines():
            if line:
                found.append(line)
            if len(found) == 3:
                break
    assert found == ["data: 1", "data: 2", "data: 3"]
    # It was never more than a piece or two ahead, and it has stopped.
    assert len(sent) <= 6
    count = len(sent)
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(sent) == count

async def test_a_stream_is_read_while_the_app_works(client):
    found = []
    async with client.stream("GET", "/parts") as response:
        async for part in response.aiter_text():
            found.append(part)
    assert "".join(found) == "012"
    assert (await client.get("/items/")).json() == ["part 0", "part 1", "part 2"]

async def test_it_can_be_read_whole(client):
    async with client.stream("GET", "/parts") as response:
        assert await response.aread() == b"012"
    assert response.text == "012"

async def test_an_error_in_the_middle_is_raised(client):
    with pytest.raises(RuntimeError, match="in the middle"):
        async with client.stream("GET", "/breaks") as response:
            async for part in response.aiter_text():
                assert part == "one"

async def test_background_tasks_run_to_their_end(client):
    async with client.stream("POST", "/later") as response:
        assert response.status_code == 200
    assert ran.pop() == "work"

async def test_an_error_is_raised_though_nobody_reads(client):
    with pytest.raises(RuntimeError, match="at once"):
        async with client.stream("GET", "/at-once") as response:
            assert response.status_code == 500
    with pytest.raises(RuntimeError, match="in the middle"):
        async with client.stream("GET", "/breaks") as response:
            pass
    client.raise_app_exceptions = False
    async with client.stream("GET", "/at-once") as response:
        assert response.status_code == 500

async def test_a_handler_is_ended_whoever_is_cancelled(client):
    before = asyncio.all_tasks()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            async with client.stream("GET", "/hold") as response:
                async for line in response.aiter_lines():
                    await asyncio.sleep(3600)
    while asyncio.all_tasks() - before:
        await asyncio.sleep(0.01)
    assert (await client.get("/items/")).json() == []

async def test_a_head_has_no_body(client):
    async with client.stream("HEAD", "/both") as response:
        assert await response.aread() == b""

async def test_leaving_at_once_leaves_nothing(client):
    before = asyncio.all_tasks()
    async with client.stream("GET", "/endless"):
        pass
    assert not asyncio.all_tasks() - before
"""


@pytest.mark.parametrize("dialect", KINDS)
def test_a_stream_is_read_piece_by_piece(pytester: pytest.Pytester, served: Dialect) -> None:
    """While the handler runs; it ends when the test leaves the block."""
    run(pytester, served, STREAMS, 9)


FAILING = """
from fastapi import FastAPI
from fastapi.responses import JSONResponse
app = FastAPI()
@app.get("/")
async def broken():
    raise KeyError("what")
@app.exception_handler(Exception)
async def handler(request, error):
    return JSONResponse({"detail": "sorry"}, status_code=500)
"""
FAILING_TEST = """
import pytest
async def test_async(client):
    with pytest.raises(KeyError):
        await client.get("/")
    client.raise_app_exceptions = False
    for _ in range(2):
        response = await client.get("/")
        assert (response.status_code, response.json()) == (500, {"detail": "sorry"})
    assert (await client.get("/", params={"a": 1})).status_code == 500

def test_blocking(client):
    client.raise_app_exceptions = False
    assert client.get("/").json() == {"detail": "sorry"}
    assert client.get("/", params={"a": 1}).status_code == 500

async def test_another_clients_are_raised(client):
    with pytest.raises(KeyError):
        await client.get("/")
"""
RAW = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    raise ValueError("no answer")
"""
RAW_TEST = """
def test_it(client):
    client.raise_app_exceptions = False
    response = client.get("/")
    assert (response.status_code, response.text) == (500, "Internal Server Error")
"""


@pytest.mark.parametrize(
    ("app", "test", "count"),
    [(FAILING, FAILING_TEST, 3), (RAW, RAW_TEST, 1)],
    ids=["fastapi", "raw"],
)
def test_an_error_can_be_the_500_that_production_would_send(
    pytester: pytest.Pytester, app: str, test: str, count: int
) -> None:
    """If the test asks for it; else it is raised, with the app's own traceback."""
    project = Project({"main.py": app, "test_it.py": test})
    project.with_pyproject('[tool.greenroom]\napp = "main:app"\n').run(pytester).passed(count)


THREADED = """
from fastapi import FastAPI
app = FastAPI()
box = {}

@app.get("/items/{number}")
async def read(number: int) -> int:
    return number

@app.get("/calls-itself")
def calls_itself() -> int:
    return box["client"].get("/items/1").json()
"""


def test_threads_of_a_test_take_turns(pytester: pytest.Pytester) -> None:
    """The blocking client drives one loop; nobody's request is lost."""
    test = """
from concurrent.futures import ThreadPoolExecutor

def test_it(client):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda number: client.get(f"/items/{number}").json(), range(40)))
    assert answers == list(range(40))
"""
    files = {"main.py": THREADED, "pyproject.toml": "[tool.greenroom]\n", "test_main.py": test}
    result = Project(files).run(pytester, "--greenroom-report=json")
    result.passed(1)
    (items, _) = sorted(result.json("greenroom.json")["operations"], key=lambda one: -one["times"])
    assert items["times"] == 40
    assert result.json("greenroom.json")["problems"] == []


def test_an_app_that_uses_the_blocking_client_itself_is_told(pytester: pytest.Pytester) -> None:
    """It would wait for itself."""
    test = """
import main

def test_it(client):
    main.box["client"] = client
    client.get("/calls-itself")
"""
    files = {"main.py": THREADED, "pyproject.toml": "[tool.greenroom]\n", "test_main.py": test}
    result = Project(files).run(pytester)
    result.counts(failed=1)
    assert "GR019 a blocking client was used by the app itself" in result.out
