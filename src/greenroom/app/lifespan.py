"""Run an app's lifespan as a server does, on the loop that is running.

The protocol is that of the ASGI specification, "Lifespan Protocol", version 2.0.
"""

from __future__ import annotations

import asyncio
from typing import Any

from greenroom.app.load import AsgiApp, Message, own_frames
from greenroom.facts.errors import Code, GreenroomError


class Lifespan:
    """One run of the app's lifespan on one loop, from start-up to shut-down, in a task of its own."""

    def __init__(self, app: AsgiApp, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._app = app
        self._state: dict[str, Any] = {}
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._inbox.put_nowait({"type": "lifespan.startup"})
        self._started = asyncio.Event()
        self._failure: BaseException | str | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def state(self) -> dict[str, Any]:
        """What the start-up put into the lifespan's state: a request's scope gets a copy of it."""
        return self._state.copy()

    async def start(self) -> None:
        """Run the start-up to its end; a second call waits for the first.

        :raises GreenroomError: if it fails, with the app's own traceback.
        """
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="greenroom lifespan")
        if not self._started.is_set():
            await self._started.wait()
        if self._failure is not None:
            raise _failed(
                self._failure,
                "start-up",
                "No test can say anything true about an app that doesn't start, so the run ends "
                "here. Its own traceback is below.",
            )

    async def stop(self) -> None:
        """Run the shut-down to its end.

        :raises GreenroomError: if it fails, with the app's own traceback.
        """
        if self._task is None:
            return
        self._inbox.put_nowait({"type": "lifespan.shutdown"})
        await asyncio.wait([self._task])
        if self._failure is not None:
            raise _failed(
                self._failure,
                "shut-down",
                "It would fail in production too. Its own traceback is below.",
            )

    async def _run(self) -> None:
        scope: Message = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self._state,
        }
        try:
            await self._app(scope, self._inbox.get, self._send)
        except BaseException as error:
            # An app that raises before it answered doesn't support the protocol; the specification
            # tells a server to go on without. Starlette answers first, so its errors are real.
            if self._started.is_set() or self._failure is not None or isinstance(error, SystemExit):
                self._failure = error
            if isinstance(error, KeyboardInterrupt):
                raise
        finally:
            self._started.set()

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "lifespan.startup.complete":
            self._started.set()
        elif kind in {"lifespan.startup.failed", "lifespan.shutdown.failed"}:
            # The app raises its exception next, which says more than this message.
            self._failure = str(message.get("message", ""))


def _failed(failure: BaseException | str, phase: str, advice: str) -> GreenroomError:
    if isinstance(failure, GreenroomError):
        return failure
    if isinstance(failure, BaseException):
        what = f"the app's {phase} (its lifespan) raised {type(failure).__name__}: {failure}"
        detail = own_frames(failure)
    else:
        what = f"the app's {phase} (its lifespan) failed"
        detail = failure
    return GreenroomError(Code.START_UP, what, advice, detail=detail)
