"""Transports that take a request to the app, in this process and on a known event loop."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from greenroom.client import quick, whole, witness
from greenroom.client.asgi import Answer, App, Limit, Message, exchange
from greenroom.client.calling import Callers, Calling, as_user
from greenroom.client.quick import Prototypes
from greenroom.client.scopes import scope_of, websocket_scope_of
from greenroom.client.streams import StreamedExchange
from greenroom.client.told import Told
from greenroom.facts.exchange import Watch

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Client, Request, Response

T = TypeVar("T")

#: What a client sends with each request, and not because somebody has said so.
_DEFAULTS = frozenset({"accept", "accept-encoding", "connection", "user-agent"})
#: What a request may be told, whose None says nothing.
_KNOWN = frozenset(
    [
        "content",
        "data",
        "files",
        "json",
        "params",
        "headers",
        "cookies",
        "auth",
        "follow_redirects",
        "timeout",
        "extensions",
    ]
)
#: Marks a request whose answer is read piece by piece.
_STREAMED = "greenroom.streamed"

#: Where the app believes to be: what Starlette's own test client says too.
BASE_URL = "http://testserver"


class Door(Protocol):
    """Who is told of each request. The client doesn't know who listens."""

    @property
    def callers(self) -> Callers:
        """Who knows how a user becomes a credential."""

    @property
    def limit(self) -> Limit:
        """How long a request may take."""

    @property
    def app(self) -> object:
        """The app itself, for tests that ask a client for it."""

    async def before_request(self) -> None:
        """Called before the app gets the request."""

    async def after_request(self) -> None:
        """Called when the app is done with it, background tasks included."""

    def asked(self) -> Watch:
        """Called when a request goes to the app; told there is what comes of it."""

    def websocket(self, app: App, scope: Message) -> Any:
        """A WebSocket session with the app."""


class BlockingDoor(Protocol):
    """Who is told of each request of a blocking client, and runs the app."""

    @property
    def callers(self) -> Callers:
        """Who knows how a user becomes a credential."""

    @property
    def limit(self) -> Limit:
        """How long a request may take."""

    @property
    def app(self) -> object:
        """The app itself, for tests that ask a client for it."""

    def before_request(self) -> None:
        """Called before the app gets the request."""

    def after_request(self) -> None:
        """Called when the app is done with it, background tasks included."""

    def asked(self) -> Watch:
        """Called when a request goes to the app; told there is what comes of it."""

    def run(self, function: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine function to its end, on the loop that the app lives on."""

    def websocket_connect(self, base_url: str, url: str, *arguments: Any, **options: Any) -> Any:
        """A WebSocket session with the app."""


def async_client(library: ModuleType, app: App, door: Door, prototypes: Prototypes) -> AsyncClient:
    """An `AsyncClient` on the app, for tests that run on an event loop."""
    transport = _async_transport(library)(app, door)
    client: Any = _async_client(library)(transport=transport, base_url=BASE_URL)
    client.quick = (app, door, prototypes)
    client.wire = transport
    client.made_by = lambda: async_client(library, app, door, prototypes)
    return client  # type: ignore[no-any-return]


def blocking_client(
    library: ModuleType, app: App, door: BlockingDoor, prototypes: Prototypes
) -> Client:
    """A `Client` on the app, for `def` tests: no thread stands between the test and the app."""
    transport = _blocking_transport(library)(app, door)
    # As Starlette's test client does, which such tests were written for.
    client: Any = _blocking_client(library)(
        transport=transport, base_url=BASE_URL, follow_redirects=True
    )
    client.quick = (app, door, prototypes)
    client.wire = transport
    client.made_by = lambda: blocking_client(library, app, door, prototypes)
    return client  # type: ignore[no-any-return]


def wsgi_client(library: ModuleType, app: Any, door: BlockingDoor) -> Client:
    """A `Client` on a WSGI app."""

    class Transport(library.WSGITransport):  # type: ignore[misc,name-defined]
        def handle_request(self, request: Request) -> Response:
            __tracebackhide__ = True
            request.read()
            door.before_request()
            scope = {"method": request.method, "path": request.url.path, "query_string": b""}
            try:
                over = door.limit.over(request.method, request.url.path)
                with over, Told(door, scope, request.content) as told:
                    made: Response = super().handle_request(request)
                    body = made.read()
                    told.answer = Answer(made.status_code, made.headers.raw, body)
            finally:
                door.after_request()
            return made

    transport: Any = Transport(app)
    transport.door, transport.raising = door, True
    client: Any = _wsgi_client(library)(
        transport=transport, base_url=BASE_URL, follow_redirects=True
    )
    client.wire = transport
    client.made_by = lambda: wsgi_client(library, app, door)
    return client  # type: ignore[no-any-return]


@cache
def _wsgi_client(library: ModuleType) -> Any:
    class Client(library.Client, Calling):  # type: ignore[misc,name-defined]
        as_user = as_user

    return Client


@cache
def _async_client(library: ModuleType) -> Any:  # noqa: C901 - many small methods
    """The library's client, with a shorter way for ordinary requests. Made once for each."""

    class AsyncClient(library.AsyncClient, Calling):  # type: ignore[misc,name-defined]
        quick: tuple[App, Door, Prototypes]
        #: Held while it is being found out who asks.
        turn: asyncio.Lock | None = None

        def as_user(self, user: Any, *, password: str | None = None) -> Any:
            """Another client, which asks as a user; he is logged in before its first request.

            :param user: an object of the app's, or a name and a password.
            :param password: what he logs in by, where that is asked for.
            """
            other = self._another()
            callers = self.wire.door.callers
            other.entering = lambda: callers.asynchronous(user, password)
            return other

        async def _enter(self) -> None:
            __tracebackhide__ = True
            # Requests may go out side by side: all wait for the one that asks who he is.
            if self.turn is None:
                self.turn = asyncio.Lock()
            async with self.turn:
                if self.entering is not None:
                    self.know(await self.entering())

        async def request(self, method: str, url: Any, **options: Any) -> Any:
            __tracebackhide__ = True
            if self.entering is not None:
                await self._enter()
            app, door, prototypes = self.quick
            said = _said(library, options)
            ordinary = quick.ordinary(library, prototypes, self, method, url, options=said)
            if ordinary is None:
                return await super().request(method, url, **options)
            await door.before_request()
            try:
                with Told(door, ordinary.prototype.scope, ordinary.body) as told:
                    told.scope = scope = ordinary.scope
                    told.answer = answer = await exchange(
                        app,
                        scope,
                        ordinary.body or b"",
                        raising=self.raise_app_exceptions,
                        limit=door.limit,
                    )
            finally:
                await door.after_request()
            follows = bool(said.get("follow_redirects", self.follow_redirects))
            response: Any = quick.response(library, self, ordinary, answer, follows=follows)
            if response.next_request is None or not follows:
                return witness.armed(response, told.looked)
            # From here on as the library does after its own first answer.
            follow, response.next_request = response.next_request, None
            response.when_looked_at = told.looked
            last = await self._send_handling_redirects(
                follow, follow_redirects=True, history=[response]
            )
            await last.aread()
            return witness.armed(last)

        def websocket_connect(
            self, url: str, subprotocols: Sequence[str] = (), **options: Any
        ) -> Any:
            """A WebSocket session with the app, to be used in an `async with`.

            :param subprotocols: what the app may choose from.
            :param options: what `build_request` takes: headers, params, cookies.
            """
            if self.entering is not None:
                return self._late_socket(url, subprotocols, options)
            app, door, _ = self.quick
            request = self._signed(self.build_request("GET", url, **options))
            return door.websocket(app, websocket_scope_of(request, subprotocols))

        @contextlib.asynccontextmanager
        async def _late_socket(
            self, url: str, subprotocols: Sequence[str], options: dict[str, Any]
        ) -> AsyncIterator[Any]:
            """A session of a caller of whom it has to be found out first who he is."""
            await self._enter()
            async with self.websocket_connect(url, subprotocols, **options) as session:
                yield session

        async def send(self, request: Request, *, stream: bool = False, **options: Any) -> Any:
            __tracebackhide__ = True
            if self.entering is not None:
                await self._enter()
            request = self._signed(request)
            if stream:
                request.extensions = {**request.extensions, _STREAMED: True}
            return witness.armed(await super().send(request, stream=stream, **options))

    return AsyncClient


@cache
def _blocking_client(library: ModuleType) -> Any:
    """The library's client, with a shorter way for ordinary requests. Made once for each."""

    class Client(library.Client, Calling):  # type: ignore[misc,name-defined]
        quick: tuple[App, BlockingDoor, Prototypes]

        as_user = as_user

        def request(self, method: str, url: Any, **options: Any) -> Any:
            __tracebackhide__ = True
            app, door, prototypes = self.quick
            said = _said(library, options)
            ordinary = quick.ordinary(library, prototypes, self, method, url, options=said)
            if ordinary is None:
                return super().request(method, url, **options)
            door.before_request()
            try:
                with Told(door, ordinary.prototype.scope, ordinary.body) as told:
                    raising = self.raise_app_exceptions
                    told.scope = scope = ordinary.scope
                    answer = door.run(
                        lambda: exchange(
                            app,
                            scope,
                            ordinary.body or b"",
                            raising=raising,
                            limit=door.limit,
                        )
                    )
                    told.answer = answer
            finally:
                door.after_request()
            follows = bool(said.get("follow_redirects", self.follow_redirects))
            response: Any = quick.response(library, self, ordinary, answer, follows=follows)
            if response.next_request is None or not follows:
                return witness.armed(response, told.looked)
            # From here on as the library does after its own first answer.
            follow, response.next_request = response.next_request, None
            response.when_looked_at = told.looked
            last = self._send_handling_redirects(follow, follow_redirects=True, history=[response])
            last.read()
            return witness.armed(last)

        def send(self, request: Request, **options: Any) -> Any:
            __tracebackhide__ = True
            return witness.armed(super().send(self._signed(request), **options))

        def __enter__(self) -> Any:
            # As Starlette's, which may be entered again; the app is started all the time.
            return self

        def __exit__(self, *error: object) -> None:
            pass

        def websocket_connect(self, url: str, *args: Any, **kwargs: Any) -> Any:
            """A WebSocket session, as Starlette's test client gives it."""
            _, door, _ = self.quick
            own = {name: value for name, value in self.headers.items() if name not in _DEFAULTS}
            headers = library.Headers(own)
            headers.update(kwargs.pop("headers", None))
            if len(self.params):
                kwargs["params"] = {**dict(self.params), **(kwargs.get("params") or {})}
            user = self.credential.user if self.credential is not None else None
            return door.websocket_connect(
                str(self.base_url),
                url,
                *args,
                user=user,
                cookies=self.cookies,
                headers=headers,
                **kwargs,
            )

    return Client


def _said(library: ModuleType, options: dict[str, Any]) -> dict[str, Any]:
    """The options without those that say what would be so anyway: get() and post() pass them all."""
    default = library.USE_CLIENT_DEFAULT
    return {
        name: value
        for name, value in options.items()
        if name not in _KNOWN or (value is not None and value is not default)
    }


@cache
def _async_transport(library: ModuleType) -> Any:
    """The transport's class. It derives from the library's own, so it is made once for each."""

    class Transport(library.AsyncBaseTransport):  # type: ignore[misc,name-defined]
        def __init__(self, app: App, door: Door) -> None:
            self.call = app
            self.app = door.app
            self.door = door
            self.raising = True

        async def handle_async_request(self, request: Request) -> Response:
            __tracebackhide__ = True
            await self.door.before_request()
            if request.extensions.get(_STREAMED):
                return await _streamed(library, self, request)
            started = time.perf_counter()
            try:
                told, answer = await _exchange(library, self, request)
            finally:
                await self.door.after_request()
            response = _response(library, answer, told)
            names = {name.lower() for name, _ in answer.headers}
            if whole.read(library, response, names, answer.body):
                # The library sets it where a stream ends.
                response.elapsed = dt.timedelta(seconds=time.perf_counter() - started)
            return response

    return Transport


@cache
def _blocking_transport(library: ModuleType) -> Any:
    """The transport's class. It derives from the library's own, so it is made once for each."""

    class Transport(library.BaseTransport):  # type: ignore[misc,name-defined]
        def __init__(self, app: App, door: BlockingDoor) -> None:
            self.call = app
            self.app = door.app
            self.door = door
            self.raising = True

        def handle_request(self, request: Request) -> Response:
            __tracebackhide__ = True
            # The body is read here, so that a blocking generator never runs on the loop.
            request.read()
            self.door.before_request()
            try:
                told, answer = self.door.run(lambda: _exchange(library, self, request))
            finally:
                self.door.after_request()
            return _response(library, answer, told)

    return Transport


async def _streamed(library: ModuleType, transport: Any, request: Request) -> Response:
    """An answer that is read while the app goes on."""
    __tracebackhide__ = True
    at_once = isinstance(request.stream, library.ByteStream)
    body: Any = await request.aread() if at_once else request.stream
    scope = scope_of(request)
    door = transport.door
    exchanged = StreamedExchange(
        transport.call,
        scope,
        body,
        door.after_request,
        raising=transport.raising,
        limit=door.limit,
    )
    with Told(door, scope, body if at_once else None, is_stream=True) as told:
        status, headers = await exchanged.start()
        told.answer = Answer(status, headers, b"")
    stream = _stream_class(library)(exchanged)
    response = witness.response_class(library)(status, headers=headers, stream=stream)
    response.when_looked_at = told.looked
    return response  # type: ignore[no-any-return]


@cache
def _stream_class(library: ModuleType) -> Any:
    class Stream(library.AsyncByteStream):  # type: ignore[misc,name-defined]
        def __init__(self, exchanged: StreamedExchange) -> None:
            self._exchanged = exchanged

        async def __aiter__(self) -> AsyncIterator[bytes]:
            __tracebackhide__ = True
            async for piece in self._exchanged.pieces():
                yield piece

        async def aclose(self) -> None:
            await self._exchanged.close()

    return Stream


async def _exchange(library: ModuleType, transport: Any, request: Request) -> tuple[Told, Answer]:
    __tracebackhide__ = True
    # Read, not asked for its content: a redirected request hasn't been read yet.
    at_once = isinstance(request.stream, library.ByteStream)
    body: Any = await request.aread() if at_once else request.stream
    scope = scope_of(request)
    with Told(transport.door, scope, body if at_once else None) as told:
        told.answer = answer = await exchange(
            transport.call, scope, body, raising=transport.raising, limit=transport.door.limit
        )
    return told, answer


def _response(library: ModuleType, answer: Answer, told: Told) -> Response:
    stream = library.ByteStream(answer.body)
    response = witness.response_class(library)(answer.status, headers=answer.headers, stream=stream)
    response.when_looked_at = told.looked
    return response  # type: ignore[no-any-return]
