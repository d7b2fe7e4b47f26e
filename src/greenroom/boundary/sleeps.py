"""Real sleeps: a test that waits for the clock on the wall is slow, and right by luck."""

from __future__ import annotations

import asyncio
import functools
import sys
import time
from asyncio import futures
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from types import ModuleType
from typing import Any

from greenroom.boundary import loops
from greenroom.boundary.patching import put
from greenroom.facts.sleep import Sleep

#: How long, in seconds, a sleep may be without a word.
SHORT = 0.05
#: What calls a function that somebody gave to a thread.
_POOLS = frozenset(
    {
        "anyio._backends._asyncio",
        "concurrent.futures.thread",
        "greenroom.boundary.origins",
        "threading",
    }
)


class Sleeps:
    """Notices sleeps of the project's own code.

    `asyncio.sleep` is noticed at the loop, however it was imported; `time.sleep` where it's called by
    that name, and by its own in the project's modules.

    :param where: the project's line that runs now; None if it's no line of the project's.
    :param started: the project's line that a task or a thread was started from: what it was given to do may be
        the sleep itself, as in `create_task(asyncio.sleep(1))` and `to_thread(time.sleep, 1)`.
    """

    def __init__(self, where: Callable[[], str | None], started: Callable[[], str | None]) -> None:
        self._where = where
        self._started = started
        self._undo = ExitStack()
        self._is_watching = False
        # The kinds of event loops that have been met.
        self._met: set[str] = set()
        self._test = ""
        #: The long sleeps of the test that runs.
        self.found: list[Sleep] = []

    def begin(self, test: str, modules: Callable[[], Iterable[ModuleType]]) -> None:
        """Another test begins; look from now on.

        :param modules: gives those of the project; asked once.
        """
        self._test = test
        self.found.clear()
        if not self._is_watching:
            self._is_watching = True
            self._watch(modules())
        for kind in loops.unmet(self._met):
            self._watch_loop(kind)

    def pause(self) -> None:
        """What sleeps from now on belongs to no test."""
        self._test = ""

    def close(self) -> None:
        """Stop looking. Calling it twice is harmless."""
        self._undo.close()
        self._is_watching = False
        self._met.clear()

    def _watch(self, modules: Iterable[ModuleType]) -> None:
        original = time.sleep

        @functools.wraps(original)
        def sleep(seconds: float) -> None:
            caller = sys._getframe(1).f_globals.get("__name__")  # noqa: SLF001 - who called is the question
            begun = self._begin(seconds, "time.sleep", is_all=caller in _POOLS)
            original(seconds)
            self._passed(begun)

        self._undo.callback(put(time, "sleep", sleep))
        for module in modules:
            for name in [name for name, value in vars(module).items() if value is original]:
                self._undo.callback(put(module, name, sleep))

    def _watch_loop(self, kind: Any) -> None:
        original = kind.call_later
        # What asyncio.sleep, and nothing else, asks a loop for.
        of_a_sleep = getattr(futures, "_set_result_unless_cancelled", None)

        def call_later(loop: Any, delay: float, callback: Any, *args: Any, **options: Any) -> Any:
            begun = None
            if callback is of_a_sleep:
                begun = self._begin(delay, "asyncio.sleep", is_all=_is_a_tasks_all())
            if begun is None:
                return original(loop, delay, callback, *args, **options)

            def over(*given: Any) -> None:
                # One that was cancelled doesn't come here.
                self._passed(begun)
                callback(*given)

            return original(loop, delay, over, *args, **options)

        self._undo.callback(put(kind, "call_later", call_later))

    def _begin(self, seconds: float, what: str, *, is_all: bool) -> Sleep | None:
        """A sleep begins; None if it's none that counts.

        :param is_all: whether it's all that its task or its thread was given to do.
        """
        if not self._test or seconds <= SHORT:
            return None
        where = (self._started() if is_all else None) or self._where()
        return Sleep(self._test, where, float(seconds), what) if where is not None else None

    def _passed(self, begun: Sleep | None) -> None:
        """It is over. What began in an earlier test made none of this one's slow."""
        if begun is not None and begun.test == self._test:
            self.found.append(begun)


def _is_a_tasks_all() -> bool:
    """Whether the task that runs does nothing but sleep."""
    task = asyncio.current_task()
    code = getattr(task.get_coro(), "cr_code", None) if task is not None else None
    return code is asyncio.sleep.__code__
