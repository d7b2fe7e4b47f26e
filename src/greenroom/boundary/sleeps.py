"""Real sleeps: a test that waits for the clock on the wall is slow, and right by luck."""

from __future__ import annotations

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


class Sleeps:
    """Notices sleeps of the project's own code.

    `asyncio.sleep` is noticed at the loop, however it was imported; `time.sleep` where it's called by
    that name, and by its own in the project's modules.

    :param where: the project's line that runs now; None if it's no line of the project's.
    """

    def __init__(self, where: Callable[[], str | None]) -> None:
        self._where = where
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

        def sleep(seconds: float) -> None:
            begun = self._begin(seconds, "time.sleep")
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
            begun = self._begin(delay, "asyncio.sleep") if callback is of_a_sleep else None
            if begun is None:
                return original(loop, delay, callback, *args, **options)

            def over(*given: Any) -> None:
                # One that was cancelled doesn't come here.
                self._passed(begun)
                callback(*given)

            return original(loop, delay, over, *args, **options)

        self._undo.callback(put(kind, "call_later", call_later))

    def _begin(self, seconds: float, what: str) -> Sleep | None:
        """A sleep begins; None if it's none that counts."""
        if not self._test or seconds <= SHORT:
            return None
        where = self._where()
        return Sleep(self._test, where, float(seconds), what) if where is not None else None

    def _passed(self, begun: Sleep | None) -> None:
        """It is over. What began in an earlier test made none of this one's slow."""
        if begun is not None and begun.test == self._test:
            self.found.append(begun)
