"""Whose work a task or a thread does, where its own stack doesn't say: that of the task which started it."""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import FrameType
from typing import Any

import anyio.to_thread

from greenroom.boundary import loops
from greenroom.boundary.patching import put


class Origins:
    """Remembers which task has started which, and for whom a pool's thread works.

    :param line: the innermost of some frames that is the project's, as its line; None if none is.
    """

    def __init__(self, line: Callable[[Iterator[FrameType]], str | None]) -> None:
        self._line = line
        self._undo = ExitStack()
        self._met: set[str] = set()
        self._started_by: weakref.WeakKeyDictionary[Any, weakref.ref[Any]]
        self._started_by = weakref.WeakKeyDictionary()
        self._here = threading.local()

    def watch(self) -> None:
        """Look from now on. Calling it again looks at loops that are new."""
        if not self._met:
            self._watch_pools()
        for kind in loops.unmet(self._met):
            self._watch_loop(kind)

    def close(self) -> None:
        """Stop looking. Calling it twice is harmless."""
        self._undo.close()
        self._met.clear()

    def line(self) -> str | None:
        """The project's line that the work of now was started from; None if it isn't known."""
        said: str | None = getattr(self._here, "line", None)
        if said is not None:
            return said
        task = _current_task()
        seen = 0
        while task is not None and seen < _DEEPEST:
            found = self._line(_chain(task.get_coro()))
            if found is not None:
                return found
            parent = self._started_by.get(task)
            task = parent() if parent is not None else None
            seen += 1
        return None

    def _watch_loop(self, kind: Any) -> None:
        original = kind.create_task

        def create_task(loop: Any, coroutine: Any, **options: Any) -> Any:
            parent = _current_task()
            task = original(loop, coroutine, **options)
            if parent is not None:
                self._started_by[task] = weakref.ref(parent)
            return task

        self._undo.callback(put(kind, "create_task", create_task))

    def _watch_pools(self) -> None:
        original = ThreadPoolExecutor.submit

        def submit(pool: Any, function: Any, /, *args: Any, **options: Any) -> Any:
            return original(pool, self._with_line(function), *args, **options)

        self._undo.callback(put(ThreadPoolExecutor, "submit", submit))
        original_run = anyio.to_thread.run_sync

        async def run_sync(function: Any, /, *args: Any, **options: Any) -> Any:
            # What has a code of its own says by itself whose it is.
            if not hasattr(inspect.unwrap(_given(function)), "__code__"):
                function = self._with_line(function)
            return await original_run(function, *args, **options)

        self._undo.callback(put(anyio.to_thread, "run_sync", run_sync))

    def _with_line(self, function: Any) -> Any:
        """The function, which knows the project's line that gives it to a thread now."""
        line = self._line(_stack()) or self.line()
        return function if line is None else functools.partial(self._work, line, function)

    def _work(self, line: str, function: Any, *args: Any, **options: Any) -> Any:
        self._here.line = line
        try:
            return function(*args, **options)
        finally:
            self._here.line = None


#: How many tasks are gone back.
_DEEPEST = 20


def _given(function: Any) -> Any:
    """What a partial function calls."""
    while isinstance(function, functools.partial):
        function = function.func
    return function


def _current_task() -> Any:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def _stack() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the stack is the question
    while frame is not None:
        yield frame
        frame = frame.f_back


def _chain(coroutine: Any) -> Iterator[FrameType]:
    """The frames of a coroutine and of what it awaits, the innermost first."""
    found: list[FrameType] = []
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is not None:
            found.append(frame)
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return reversed(found)
