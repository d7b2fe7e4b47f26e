"""The shorter way of an ordinary request: the app and the test see what they see by the longer one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from greenroom.client import library, transports
from greenroom.client.quick import MOST, Prototypes
from greenroom.observe.ledger import Ledger
from greenroom.runtime.limit import Limit

LIBRARY = library.load()


class Door:
    """Nobody listens."""

    callers: Any = None

    limit = Limit(0, lambda file: True)
    app: Any = None

    async def before_request(self) -> None:
        pass

    async def after_request(self) -> None:
        pass

    def websocket(self, app: Any, scope: Any) -> Any:
        raise NotImplementedError

    def asked(self) -> Any:
        return Ledger().asked()


class BlockingDoor:
    """Runs the app on a loop for each request."""

    callers: Any = None

    limit = Limit(0, lambda file: True)
    app: Any = None

    def before_request(self) -> None:
        pass

    def after_request(self) -> None:
        pass

    def asked(self) -> Any:
        return Ledger().asked()

    def run(self, function: Any) -> Any:
        return asyncio.run(function())

    def websocket_connect(self, base_url: str, url: str, *arguments: Any, **options: Any) -> Any:
        raise NotImplementedError


class App:
    """Answers what it is told to, and keeps what it was asked."""

    def __init__(
        self, status: int = 200, *headers: tuple[bytes, bytes], body: bytes = b"{}"
    ) -> None:
        self.seen: list[tuple[dict[str, Any], bytes]] = []
        self._status = status
        self._headers = list(headers) or [(b"content-type", b"application/json")]
        self._body = body

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        self.seen.append((dict(scope, headers=sorted(scope["headers"])), message["body"]))
        scope["path"] = scope["asgi"]["version"] = "changed by the app"
        scope["headers"].clear()
        await send(
            {"type": "http.response.start", "status": self._status, "headers": self._headers}
        )
        await send({"type": "http.response.body", "body": self._body})


def client(app: App, prototypes: Prototypes | None = None) -> Any:
    return transports.async_client(LIBRARY, app, Door(), prototypes or Prototypes())


def shown(response: Any) -> dict[str, Any]:
    """What a test may look at."""
    request = response.request
    return {
        "status": response.status_code,
        "headers": response.headers.raw,
        "content": response.content,
        "text": response.text,
        "url": response.url,
        "cookies": dict(response.cookies),
        "redirect": response.next_request and str(response.next_request.url),
        "history": response.history,
        "encoding": response.encoding,
        "closed": (response.is_closed, response.is_stream_consumed),
        "method": request.method,
        "request": sorted((name.lower(), value) for name, value in request.headers.raw),
        "sent": request.read(),
        "again": sorted(request.headers),
    }


ORDINARY = [
    ("GET", "/", {}),
    ("GET", "/a b/ü?x=1&y=%20z#part", {}),
    ("get", "/", {}),
    ("HEAD", "/", {}),
    ("DELETE", "/1", {}),
    ("POST", "/", {}),
    ("POST", "/", {"json": {"name": "ü", "n": [1, 2.5, None]}}),
    ("POST", "/", {"json": {}}),
    ("PUT", "/", {"json": [], "headers": {"X-One": "1", "accept": "text/plain"}}),
    ("PATCH", "/", {"json": "x", "headers": {"Authorization": "Bearer x"}}),
    ("GET", "/", {"headers": {"Host": "elsewhere.test"}}),
    ("GET", "/x", {"params": {"page": 1, "all": True, "q": "a b&ü", "least": 1.5}}),
    ("GET", "/x?page=1", {"params": {"page": 2}}),
    ("GET", "/x?page=1", {"params": {}}),
    ("POST", "/", {"content": b"<x/>", "headers": {"Content-Type": "application/xml"}}),
    ("POST", "/", {"content": "ü"}),
    ("POST", "/", {"content": b""}),
    ("POST", "/", {"data": {"name": "a b", "n": 1, "yes": True}}),
    ("POST", "/", {"data": {}}),
    ("POST", "/", {"json": {}, "headers": {"content-type": "application/merge-patch+json"}}),
]


@pytest.mark.parametrize(("method", "url", "options"), ORDINARY)
@pytest.mark.parametrize(
    "app",
    [
        App(),
        App(201, (b"Content-Type", b"text/plain; charset=latin-1"), body=b"\xfc"),
        App(200, (b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2")),
        App(307, (b"location", b"/there")),
        App(204, (b"x", b"y"), body=b""),
    ],
    ids=["json", "latin-1", "cookies", "redirect", "empty"],
)
def test_an_ordinary_request_is_seen_as_by_the_longer_way(
    method: str, url: str, options: dict[str, Any], app: App
) -> None:
    """By the app and by the test, the first time and when its prototype is known."""

    async def both() -> None:
        prototypes = Prototypes()
        longer = client(app)
        request = longer.build_request(method.upper(), url, **options)
        expected = await longer.send(request)
        for _ in range(2):
            app.seen.clear()
            own = client(app, prototypes)
            got = await own.request(method, url, **options)
            shorter = app.seen.pop()
            longer.cookies.clear()
            await longer.send(longer.build_request(method.upper(), url, **options))
            assert shown(got) == shown(expected)
            assert shorter == app.seen.pop()
            assert got.elapsed.total_seconds() > 0
            assert isinstance(got, LIBRARY.Response)
            assert dict(own.cookies) == dict(got.cookies)

    asyncio.run(both())


def test_values_that_are_equal_and_written_differently_are_not_confused() -> None:
    """1, True and 1.0 are one key of a dictionary."""
    app = App()

    async def go() -> None:
        own = client(app)
        for value in (1, True, 1.0, "1"):
            await own.get("/", params={"n": value})

    asyncio.run(go())
    assert [scope["query_string"] for scope, _ in app.seen] == [b"n=1", b"n=true", b"n=1.0", b"n=1"]


def test_cookies_are_sent_with_the_next_request() -> None:
    """A login by a cookie holds for the client's other requests, and not for another client's."""
    app = App(200, (b"set-cookie", b"session=1"))

    async def go() -> None:
        prototypes = Prototypes()
        own = client(app, prototypes)
        await own.get("/")
        await own.get("/")
        await client(app, prototypes).get("/")

    asyncio.run(go())
    sent = [dict(scope["headers"]).get(b"cookie") for scope, _ in app.seen]
    assert sent == [None, b"session=1", None]


def test_what_a_client_is_told_holds_for_its_requests() -> None:
    """Headers, parameters, a base URL, authentication, redirects and hooks."""
    app = App()
    hooked: list[str] = []

    async def hook(request: Any) -> None:
        hooked.append(request.method)

    async def go() -> None:
        own = client(app)
        await own.get("/items")
        own.headers["X-Token"] = "secret"
        await own.get("/items")
        own.params = {"page": "2"}
        await own.get("/items")
        own.params = {}
        own.base_url = "https://shop.test/api"
        await own.get("/items")
        own.auth = ("user", "pass")
        await own.get("/items")
        own.auth = None
        own.event_hooks = {"request": [hook]}
        await own.get("/items")

    asyncio.run(go())
    first, token, page, base, auth, _ = [scope for scope, _ in app.seen]
    assert b"x-token" not in dict(first["headers"])
    assert dict(token["headers"])[b"x-token"] == b"secret"
    assert page["query_string"] == b"page=2"
    assert (base["scheme"], base["server"][0], base["path"]) == ("https", "shop.test", "/api/items")
    assert dict(auth["headers"])[b"authorization"].startswith(b"Basic ")
    assert hooked == ["GET"]


def test_a_redirect_is_followed_where_that_is_asked_for() -> None:
    """By the client, or for one request."""
    app = App(307, (b"location", b"/"))

    async def go() -> None:
        with pytest.raises(LIBRARY.TooManyRedirects):
            await client(app).get("/", follow_redirects=True)
        own = client(app)
        own.follow_redirects = True
        with pytest.raises(LIBRARY.TooManyRedirects):
            await own.get("/")

    asyncio.run(go())


def test_a_closed_client_refuses() -> None:
    """As the library's own."""

    async def go() -> None:
        own = client(App())
        await own.aclose()
        with pytest.raises(RuntimeError, match="closed"):
            await own.get("/")

    asyncio.run(go())


def test_a_blocking_client_takes_the_shorter_way_too() -> None:
    """And its answers are the library's."""
    app = App()
    own: Any = transports.blocking_client(LIBRARY, app, BlockingDoor(), Prototypes())
    response = own.post("/", json={"a": 1})
    assert json.loads(app.seen[0][1]) == {"a": 1}
    assert response.json() == {}
    assert response.request.read() == b'{"a":1}'


def test_prototypes_do_not_grow_without_end() -> None:
    """A suite may have a path for each test."""
    prototypes = Prototypes()

    async def go() -> None:
        own = client(App(), prototypes)
        for number in range(MOST + 10):
            await own.get(f"/{number}")

    asyncio.run(go())
    assert len(prototypes) <= MOST


class Redirects:
    """`/n3` leads to `/n2`, and so on to `/n0`; `/bad` leads nowhere that can be read."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path, status, headers = scope["path"], 200, []
        if path == "/bad":
            status, headers = 302, [(b"location", b"http://testserver:port/x")]
        elif path != "/n0":
            status, headers = 302, [(b"location", b"/n%d" % (int(path[2:]) - 1))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body"})


def told(call: Any) -> Any:
    """What a call gives, or the kind of its error."""
    try:
        response = asyncio.run(call)
    except Exception as error:  # noqa: BLE001 - its kind is what is compared
        return type(error).__name__
    return response.status_code, [len(one.history) for one in (*response.history, response)]


@pytest.mark.parametrize("most", [0, 1, 3, 20])
@pytest.mark.parametrize("path", ["/n0", "/n1", "/n3", "/bad"])
@pytest.mark.parametrize("follow", [True, False])
def test_redirects_are_those_of_the_library(most: int, path: str, follow: bool) -> None:
    """Their number, their histories, and a location that can't be read."""

    async def go(own: Any) -> Any:
        own.follow_redirects, own.max_redirects = follow, most
        return await own.get(path)

    theirs = LIBRARY.AsyncClient(
        transport=LIBRARY.ASGITransport(Redirects()), base_url=transports.BASE_URL
    )
    ours: Any = transports.async_client(LIBRARY, Redirects(), Door(), Prototypes())
    assert told(go(ours)) == told(go(theirs))


def test_a_response_can_raise_for_its_status() -> None:
    """Before anybody has looked at its request."""

    async def go() -> None:
        assert (await client(App()).get("/")).raise_for_status().status_code == 200
        with pytest.raises(LIBRARY.HTTPStatusError, match="404") as raised:
            (await client(App(404)).get("/x")).raise_for_status()
        assert str(raised.value.request.url) == "http://testserver/x"

    asyncio.run(go())


def test_a_body_that_is_not_what_it_says_is_an_error_with_its_request() -> None:
    """As the library's own."""

    async def go() -> None:
        with pytest.raises(LIBRARY.DecodingError) as raised:
            await client(App(200, (b"content-encoding", b"gzip"), body=b"no gzip")).get("/x")
        assert str(raised.value.request.url) == "http://testserver/x"

    asyncio.run(go())


def test_what_is_put_in_the_place_of_the_clients_own_is_used() -> None:
    """By this client, and by no other."""
    app = App()
    prototypes = Prototypes()

    async def go() -> None:
        patched = client(app, prototypes)
        original = patched.build_request

        def signed(*args: Any, **options: Any) -> Any:
            request = original(*args, **options)
            request.headers["x-signature"] = request.content.decode()
            return request

        patched.build_request = signed
        await patched.post("/", json={"a": 1})
        await client(app, prototypes).post("/", json={"a": 1})
        mocked = client(app, prototypes)
        mocked._transport = LIBRARY.MockTransport(lambda request: LIBRARY.Response(418))
        assert (await mocked.get("/")).status_code == 418

    asyncio.run(go())
    first, second = (dict(scope["headers"]) for scope, _ in app.seen)
    assert first[b"x-signature"] == b'{"a":1}'
    assert b"x-signature" not in second


def test_headers_of_the_client_that_frame_the_body_are_kept() -> None:
    """A test may want a wrong length; and userinfo in the base URL is a login."""
    app = App()

    async def go() -> None:
        own = client(app)
        own.headers["content-length"] = "5"
        await own.post("/", json={"a": 1})
        own = client(app)
        own.base_url = "http://user:pass@testserver"
        await own.get("/")

    asyncio.run(go())
    assert dict(app.seen[0][0]["headers"])[b"content-length"] == b"5"
    assert dict(app.seen[1][0]["headers"])[b"authorization"].startswith(b"Basic ")


def test_a_word_that_the_library_does_not_know_is_refused() -> None:
    """Also where it is None."""

    async def go() -> None:
        with pytest.raises(TypeError):
            await client(App()).request("GET", "/", nothing=None)

    asyncio.run(go())
