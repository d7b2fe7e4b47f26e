"""WebSockets for async tests, on the test's own loop.

Written after the ASGI specification, "WebSocket Connection Scope", version 2.4. The methods have the
names of Starlette's own test session, and are awaited.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Self

from greenroom.app.load import AsgiApp, Message
from greenroom.facts.errors import Code, GreenroomError

#: How long, in seconds, an app may take to end when its client has gone, before it is cancelled.
GRACE = 0.5
NORMAL = 1000


class AsyncSocket:
    """A WebSocket session, to be used in an `async with`.

    :param scope: the connection scope, complete but for the app's own state.
    :param before: called before something goes to the app.
    :param after: called when something has come from it.
    :param seconds: how long the app may take to send what is waited for; 0 is for ever.
    """

    def __init__(
        self,
        app: AsgiApp,
        scope: Message,
        *,
        before: Callable[[], Awaitable[None]],
        after: Callable[[], Awaitable[None]],
        seconds: float,
    ) -> None:
        self._app = app
        self._scope = scope
        self._before, self._after = before, after
        self._seconds = seconds
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        #: The subprotocol that the app has chosen, and the headers of its answer.
        self.accepted_subprotocol: str | None = None
        self.extra_headers: list[tuple[bytes, bytes]] = []

    async def __aenter__(self) -> Self:
        """Shake hands.

        :raises starlette.websockets.WebSocketDisconnect: if the app refuses.
        :raises GreenroomError: if it says nothing.
        """
        __tracebackhide__ = True
        await self._before()
        run = self._app(self._scope, self._to_app.get, self._from_app.put)
        self._task = asyncio.ensure_future(run)
        self._to_app.put_nowait({"type": "websocket.connect"})
        try:
            message = await self._next(None)
            self._refuse_what_closes(message)
        except BaseException:
            await self._end()
            raise
        self.accepted_subprotocol = message.get("subprotocol")
        self.extra_headers = list(message.get("headers", ()))
        return self

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        """Hang up, and let the app end. Raises what the app raises, if the block has raised nothing."""
        __tracebackhide__ = True
        raised = await self._end()
        if raised is not None and error is None:
            raise raised

    # -- what goes out -----------------------------------------------------------------------------

    async def send(self, message: Message) -> None:
        """Send an ASGI message."""
        await self._before()
        self._to_app.put_nowait(message)

    async def send_text(self, data: str) -> None:
        """Send a text."""
        await self.send({"type": "websocket.receive", "text": data})

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes."""
        await self.send({"type": "websocket.receive", "bytes": data})

    async def send_json(self, data: Any) -> None:
        """Send a value as JSON, as a text."""
        await self.send_text(json.dumps(data, separators=(",", ":"), ensure_ascii=False))

    async def close(self, code: int = NORMAL, reason: str | None = None) -> None:
        """Hang up."""
        if not self._closed:
            self._closed = True
            gone = {"type": "websocket.disconnect", "code": code, "reason": reason or ""}
            await self.send(gone)

    # -- what comes back ---------------------------------------------------------------------------

    async def receive(self, *, timeout: float | None = None) -> Message:  # noqa: ASYNC109 - as asked for
        """The next ASGI message of the app's.

        :param timeout: how long, in seconds, to wait for it; the `limit` of the settings by default.
        :raises starlette.websockets.WebSocketDisconnect: if the app has closed the session.
        :raises GreenroomError: if nothing comes in time.
        :raises BaseException: what the app raises.
        """
        __tracebackhide__ = True
        message = await self._next(timeout)
        self._refuse_what_closes(message)
        return message

    async def receive_text(self, *, timeout: float | None = None) -> str:  # noqa: ASYNC109
        """The next message as a text. Raises as `receive`."""
        __tracebackhide__ = True
        message = await self.receive(timeout=timeout)
        text = message.get("text")
        return message["bytes"].decode() if text is None else str(text)

    async def receive_bytes(self, *, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        """The next message as bytes. Raises as `receive`."""
        __tracebackhide__ = True
        message = await self.receive(timeout=timeout)
        data = message.get("bytes")
        return str(message["text"]).encode() if data is None else bytes(data)

    async def receive_json(self, *, timeout: float | None = None) -> Any:  # noqa: ASYNC109
        """The next message, read as JSON. Raises as `receive`."""
        __tracebackhide__ = True
        return json.loads(await self.receive_text(timeout=timeout))

    async def __aiter__(self) -> AsyncIterator[str]:
        """The texts that come until the app closes the session."""
        from starlette.websockets import WebSocketDisconnect

        while True:
            try:
                yield await self.receive_text()
            except WebSocketDisconnect:
                return

    # -- means -------------------------------------------------------------------------------------

    async def _next(self, timeout: float | None) -> Message:  # noqa: ASYNC109
        __tracebackhide__ = True
        seconds = self._seconds if timeout is None else timeout
        assert self._task is not None
        waiting = asyncio.ensure_future(self._from_app.get())
        try:
            await asyncio.wait(
                [waiting, self._task],
                timeout=seconds or None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not waiting.done():
                await asyncio.sleep(0)
            if waiting.done():
                return waiting.result()
        finally:
            waiting.cancel()
            await self._after()
        if self._task.done():
            error = self._task.exception() if not self._task.cancelled() else None
            if error is not None:
                raise error
            return {"type": "websocket.close", "code": NORMAL}
        raise GreenroomError(
            Code.HANGS,
            f"nothing came from WEBSOCKET {self._scope['path']} within {seconds:g} s.",
            "Does the app send what the test waits for? A longer time: receive_text(timeout=...), or "
            "[tool.greenroom] limit.",
        )

    def _refuse_what_closes(self, message: Message) -> None:
        __tracebackhide__ = True
        from starlette.websockets import WebSocketDisconnect

        kind = message["type"]
        if kind == "websocket.http.response.start":
            raise WebSocketDisconnect(NORMAL, f"the handshake was answered by {message['status']}")
        if kind == "websocket.close":
            self._closed = True
            raise WebSocketDisconnect(message.get("code", NORMAL), message.get("reason") or "")

    async def _end(self) -> BaseException | None:
        """Hang up, and wait for the app; what it has raised, but for the hanging up."""
        assert self._task is not None
        await self.close()
        await asyncio.wait([self._task], timeout=GRACE)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task], timeout=GRACE)
        await self._after()
        if not self._task.done() or self._task.cancelled():
            return None
        error = self._task.exception()
        return None if type(error).__name__ == "WebSocketDisconnect" else error
