"""An exchange whose answer is read piece by piece, while the app goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable

from greenroom.client.asgi import App, Channel, Limit, Message, RawHeaders, no_answer

#: How long, in seconds, an app may take to notice that its client has left, before it is cancelled;
#: and how long it may then take to end.
GRACE = 0.1
LAST = 2.0


class _HungUpError(OSError):
    """What a server raises in `send`, by ASGI 2.4, when the client has gone."""


class StreamedExchange:
    """One request; its answer can be read before the app is done with it.

    The app is never more than one piece ahead of the reader, so an endless stream fills no memory.

    :param raising: whether what the app raises is raised.
    :param finished: called once, when the app is done.
    :param limit: how long it may take to begin its answer; None is for ever.
    """

    def __init__(
        self,
        app: App,
        scope: Message,
        body: bytes | AsyncIterable[bytes],
        finished: Callable[[], Awaitable[None]],
        *,
        raising: bool = True,
        limit: Limit | None = None,
    ) -> None:
        self._finished = finished
        self._raising = raising
        self._channel = Channel(body)
        self._has_body = scope["method"] != "HEAD"
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self._started = asyncio.Event()
        self._left = False
        self._error: BaseException | None = None
        self._closing: asyncio.Future[None] | None = None
        self._task = asyncio.ensure_future(self._run(app, scope))
        self._limit = limit
        self._watched = (
            limit.begin(scope["method"], scope["path"], self._task) if limit is not None else None
        )

    async def start(self) -> tuple[int, RawHeaders]:
        """The answer's status and headers, as soon as the app has sent them.

        :raises BaseException: what the app raises before that.
        """
        __tracebackhide__ = True
        try:
            await self._started.wait()
        except asyncio.CancelledError:
            await self.close()
            raise
        if self._limit is not None:
            self._limit.end(self._watched)
        if not self._channel.status:
            await self.close()
        return self._channel.status, self._channel.headers

    async def pieces(self) -> AsyncIterator[bytes]:
        """The answer's body. Raises what the app raises."""
        __tracebackhide__ = True
        while (piece := await self._pieces.get()) is not None:
            yield piece
        self._raise()

    async def close(self) -> None:
        """Wait for an app that has answered; leave one that hasn't, as a client that hangs up.

        It is done once, to its end, whoever waits for it and is cancelled meanwhile.

        :raises BaseException: what the app has raised, unless it is that the client has left.
        """
        __tracebackhide__ = True
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._end())
        await asyncio.shield(self._closing)
        self._raise()

    async def _end(self) -> None:
        answered = self._channel.done
        self._left = True
        while not self._pieces.empty():
            self._pieces.get_nowait()
        if answered:
            await asyncio.wait([self._task])
        else:
            self._channel.hang_up()
            await asyncio.wait([self._task], timeout=GRACE)
            if not self._task.done():
                self._task.cancel()
                await asyncio.wait([self._task], timeout=LAST)
        await self._finished()

    def _raise(self) -> None:
        __tracebackhide__ = True
        error, self._error = self._error, None
        if error is not None and self._raising and not _is_of_leaving(error):
            raise error

    async def _run(self, app: App, scope: Message) -> None:
        try:
            await app(scope, self._channel.receive, self._send)
            if not self._channel.done and not self._left:
                raise no_answer(scope)
        except BaseException as error:  # noqa: BLE001 - it is raised where the answer is read
            self._error = error
        finally:
            if not self._raising and not self._channel.status:
                self._channel.status = 500
            self._started.set()
            if not self._left:
                await self._pieces.put(None)

    async def _send(self, message: Message) -> None:
        if self._left and not self._channel.done:
            raise _HungUpError("the client has hung up")
        await self._channel.send(message)
        if message["type"] == "http.response.start":
            self._started.set()
        for piece in self._channel.take():
            if self._has_body and not self._left:
                await self._pieces.put(piece)


def _is_of_leaving(error: BaseException | None) -> bool:
    """Whether an error only says that the client has left."""
    if isinstance(error, BaseExceptionGroup):
        return all(_is_of_leaving(one) for one in error.exceptions)
    while error is not None:
        if isinstance(error, (_HungUpError, asyncio.CancelledError)):
            return True
        error = error.__cause__ or error.__context__
    return False
