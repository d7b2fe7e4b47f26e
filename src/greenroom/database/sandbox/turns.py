"""Taking turns on one connection: one caller at a time, in threads or on a loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from sqlalchemy.util import await_only, greenlet_spawn

#: How long, in seconds, a statement waits for another transaction to end, and how often it looks.
PATIENCE = 5.0
LOOK = 0.005


class Turn(Protocol):
    """One caller at a time."""

    def taken(self) -> contextlib.AbstractContextManager[None]:
        """Have the connection for oneself."""

    def pause(self) -> None:
        """Let others have a turn, for a moment; called with the turn taken."""

    def flow(self) -> object:
        """Who calls: what can't go on while it waits."""

    def whole(self, call: Callable[[], Any]) -> Any:
        """Call, and let no cancellation cut it off."""


class ThreadTurn:
    """For a sync driver."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        with self._lock:
            yield

    def pause(self) -> None:
        self._lock.release()
        try:
            time.sleep(LOOK)
        finally:
            self._lock.acquire()

    def flow(self) -> object:
        return threading.get_ident()

    def whole(self, call: Callable[[], Any]) -> Any:
        return call()


class LoopTurn:
    """For an async driver, whose connection belongs to one loop; called in SQLAlchemy's greenlets."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        await_only(self._lock.acquire())
        try:
            yield
        finally:
            self._lock.release()

    def pause(self) -> None:
        self._lock.release()
        try:
            await_only(asyncio.sleep(LOOK))
        finally:
            await_only(self._lock.acquire())

    def flow(self) -> object:
        return asyncio.current_task()

    def whole(self, call: Callable[[], Any]) -> Any:
        task = asyncio.ensure_future(greenlet_spawn(call))
        try:
            return await_only(asyncio.shield(task))
        except asyncio.CancelledError:
            await_only(asyncio.wait([task]))
            raise
