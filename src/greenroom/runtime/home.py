"""How blocking code gets something run on the run's own loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import anyio
from anyio.abc import TaskGroup

from greenroom.facts.errors import Code, GreenroomError

T = TypeVar("T")


class Home:
    """A task that lives on a loop for the whole run, and starts what blocking code asks for.

    What it starts is a child of one lasting task. anyio ties the worker threads that run `def`
    endpoints to the topmost task, so the threads last too: a request costs no new one.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._turn = threading.Lock()
        self._leave = asyncio.Event()
        self._entered = asyncio.Event()
        self._group: TaskGroup | None = None
        self._task = loop.create_task(self._live(), name="greenroom home")
        loop.run_until_complete(self._entered.wait())

    def close(self) -> None:
        """End the lasting task, and with it what still runs below it."""
        self._leave.set()
        self._loop.run_until_complete(asyncio.wait([self._task]))

    def run(self, function: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine function from blocking code, in a copy of the caller's context.

        :raises GreenroomError: if a loop is running already: then the caller is in async code.
        """
        __tracebackhide__ = True
        if _is_any_loop_running():
            raise GreenroomError(
                Code.WRONG_CLIENT,
                "a blocking client was used while an event loop is running: it would wait for itself.",
                "In an async test, use client and await its calls; sync_client is for def tests, and "
                "an async fixture of a def test gets the blocking client too.",
            )
        with self._one_at_a_time():
            return self._run(function)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """Let threads of a test take turns: one of them drives the loop."""
        __tracebackhide__ = True
        of_the_app = threading.current_thread().name.startswith("AnyIO worker thread")
        if not self._turn.acquire(blocking=not of_the_app):
            raise GreenroomError(
                Code.WRONG_CLIENT,
                "a blocking client was used by the app itself, in the course of a request: it would wait "
                "for itself.",
                "Let the app call its own functions, or send the request from the test.",
            )
        try:
            yield
        finally:
            self._turn.release()

    def _run(self, function: Callable[[], Awaitable[T]]) -> T:
        __tracebackhide__ = True
        done: asyncio.Future[T] = self._loop.create_future()
        failure: list[BaseException] = []

        async def job() -> None:
            __tracebackhide__ = True
            result: T | None = None
            try:
                result = await function()
            except BaseException as error:  # noqa: BLE001 - it is raised below, in the caller
                failure.append(error)
            if not done.done():
                done.set_result(result)  # type: ignore[arg-type]

        async def spawn() -> None:
            # In a task: anyio asks for the current one where a library named sniffio is installed.
            assert self._group is not None
            try:
                self._group.start_soon(job)
            except BaseException as error:  # noqa: BLE001 - it is raised below, in the caller
                failure.append(error)
                done.set_result(None)  # type: ignore[arg-type]

        spawning = self._loop.create_task(spawn())  # noqa: F841 - held for as long as it runs
        result = self._loop.run_until_complete(done)
        # Not through the future: it refuses some exceptions, and others would end the lasting task.
        if failure:
            raise failure[0]
        return result

    async def _live(self) -> None:
        async with anyio.create_task_group() as group:
            self._group = group
            self._entered.set()
            await self._leave.wait()
            group.cancel_scope.cancel()


def _is_any_loop_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
