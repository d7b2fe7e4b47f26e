"""Transports that take a request to the app, in this process and on a known event loop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from greenroom.client.asgi import CLIENT, App, Message, exchange

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Client, Request, Response

T = TypeVar("T")

#: Where the app believes to be: what Starlette's own test client says too.
BASE_URL = "http://testserver"


class Door(Protocol):
    """Who is told of each request. The client doesn't know who listens."""

    async def before_request(self) -> None:
        """Called before the app gets the request."""

    async def after_request(self) -> None:
        """Called when the app is done with it, background tasks included."""


class BlockingDoor(Protocol):
    """Who is told of each request of a blocking client, and runs the app."""

    def before_request(self) -> None:
        """Called before the app gets the request."""

    def after_request(self) -> None:
        """Called when the app is done with it, background tasks included."""

    def run(self, function: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine function to its end, on the loop that the app lives on."""


def async_client(library: ModuleType, app: App, door: Door) -> AsyncClient:
    """An `AsyncClient` on the app, for tests that run on an event loop."""
    transport = _async_transport(library)(app, door)
    client: AsyncClient = library.AsyncClient(transport=transport, base_url=BASE_URL)
    return client


def blocking_client(library: ModuleType, app: App, door: BlockingDoor) -> Client:
    """A `Client` on the app, for `def` tests: no thread stands between the test and the app."""
    transport = _blocking_transport(library)(app, door)
    client: Client = library.Client(transport=transport, base_url=BASE_URL)
    return client


@cache
def _async_transport(library: ModuleType) -> Any:
    """The transport's class. It derives from the library's own, so it is made once for each."""

    class Transport(library.AsyncBaseTransport):  # type: ignore[misc,name-defined]
        def __init__(self, app: App, door: Door) -> None:
            self._app = app
            self._door = door

        async def handle_async_request(self, request: Request) -> Response:
            __tracebackhide__ = True
            await self._door.before_request()
            try:
                return await _exchange(library, self._app, request)
            finally:
                await self._door.after_request()

    return Transport


@cache
def _blocking_transport(library: ModuleType) -> Any:
    """The transport's class. It derives from the library's own, so it is made once for each."""

    class Transport(library.BaseTransport):  # type: ignore[misc,name-defined]
        def __init__(self, app: App, door: BlockingDoor) -> None:
            self._app = app
            self._door = door

        def handle_request(self, request: Request) -> Response:
            __tracebackhide__ = True
            # The body is read here, so that a blocking generator never runs on the loop.
            request.read()
            self._door.before_request()
            try:
                return self._door.run(lambda: _exchange(library, self._app, request))
            finally:
                self._door.after_request()

    return Transport


async def _exchange(library: ModuleType, app: App, request: Request) -> Response:
    __tracebackhide__ = True
    whole = isinstance(request.stream, library.ByteStream)
    answer = await exchange(app, _scope(request), request.content if whole else request.stream)  # type: ignore[arg-type]
    response: Response = library.Response(
        answer.status, headers=answer.headers, stream=library.ByteStream(answer.body)
    )
    return response


def _scope(request: Request) -> Message:
    url = request.url
    port = url.port or (443 if url.scheme == "https" else 80)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "server": (url.host, port),
        "client": CLIENT,
        "root_path": "",
    }
