"""One exchange with an ASGI app: a request goes in, and when the app is done, its answer comes out.

Written after the ASGI specification, "HTTP Connection Scope", version 2.4.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Awaitable, Callable, MutableMapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, TypeAlias

from greenroom.facts.errors import Code, GreenroomError

Message: TypeAlias = MutableMapping[str, Any]
App: TypeAlias = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]
RawHeaders: TypeAlias = list[tuple[bytes, bytes]]

#: Who the app believes to talk to, as uvicorn would say it of a local client.
CLIENT = ("127.0.0.1", 50000)

#: What a server answers where the app has raised, and nothing in it has made an answer of that.
SERVER_ERROR = b"Internal Server Error"


class Limit(Protocol):
    """How long a request may take."""

    def begin(self, method: str, path: str, task: asyncio.Task[Any] | None = None) -> Any:
        """A request goes out."""

    def end(self, watched: Any) -> None:
        """The app is done with it. Raises what says that it took too long."""

    def over(self, method: str, path: str) -> AbstractContextManager[None]:
        """The same for a call that blocks."""


class Answer(NamedTuple):
    """What the app sent."""

    status: int
    headers: RawHeaders
    body: bytes


async def exchange(
    app: App,
    scope: Message,
    body: bytes | AsyncIterable[bytes],
    *,
    raising: bool = True,
    limit: Limit | None = None,
) -> Answer:
    """Call the app with one request.

    :param scope: the connection scope, complete but for the app's own state.
    :param body: the request's body, whole or in parts that are taken as the app asks for them.
    :param raising: whether what the app raises is raised, and not answered as a server would.
    :param limit: how long it may take; None is for ever.
    :raises GreenroomError: if the app returns without having answered, or takes too long.
    """
    __tracebackhide__ = True
    channel = Channel(body)
    watched = limit.begin(scope["method"], scope["path"]) if limit is not None else None
    try:
        await app(scope, channel.receive, channel.send)
    except Exception:
        if raising:
            raise
        if not channel.done:
            return Answer(500, [(b"content-type", b"text/plain; charset=utf-8")], SERVER_ERROR)
    finally:
        if limit is not None:
            limit.end(watched)
    if not channel.done:
        raise no_answer(scope)
    answered = b"" if scope["method"] == "HEAD" else b"".join(channel.parts)
    return Answer(channel.status, channel.headers, answered)


def no_answer(scope: Message) -> GreenroomError:
    """What is wrong with an app that returns without having answered."""
    return GreenroomError(
        Code.NO_ANSWER,
        f"the app returned from {scope['method']} {scope['path']} without a complete answer.",
        "An ASGI app sends http.response.start and a last http.response.body; a middleware that "
        "swallows one of them is the usual cause.",
    )


class Channel:
    """The app's two callables, and what went through them."""

    __slots__ = ("_body", "_left", "_sent", "_waiting", "done", "headers", "parts", "status")

    def __init__(self, body: bytes | AsyncIterable[bytes]) -> None:
        self._body = body if isinstance(body, bytes) else aiter(body)
        self._sent = False
        self._left = False
        # Made when it is needed: most apps never ask again after the body.
        self._waiting: asyncio.Event | None = None
        self.status = 0
        self.headers: RawHeaders = []
        self.parts: list[bytes] = []
        self.done = False

    def take(self) -> list[bytes]:
        """The parts of the body that were sent since the last call."""
        parts, self.parts = [part for part in self.parts if part], []
        return parts

    def hang_up(self) -> None:
        """Tell the app, if it asks, that nobody listens any more."""
        self._sent = self._left = True
        if self._waiting is not None:
            self._waiting.set()

    async def receive(self) -> Message:
        """What the app gets: the request's body, then that the client has gone."""
        if not self._sent:
            return await self._next_part()
        if not self.done and not self._left:
            self._waiting = self._waiting or asyncio.Event()
            await self._waiting.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """What the app sends."""
        kind = message["type"]
        if kind == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", ()))
        elif kind == "http.response.body" and not self.done:
            self.parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                self.done = True
                if self._waiting is not None:
                    self._waiting.set()

    async def _next_part(self) -> Message:
        if isinstance(self._body, bytes):
            self._sent = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        try:
            return {"type": "http.request", "body": await anext(self._body), "more_body": True}
        except StopAsyncIteration:
            self._sent = True
            return {"type": "http.request", "body": b"", "more_body": False}
