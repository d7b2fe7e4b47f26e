"""A connection pool for each event loop.

A connection belongs to the loop that opened it. An engine that lives longer than a loop, as a
module's engine does when each test has a loop of its own, would hand a dead loop's connection to the
next. So the engine gets one pool that keeps a pool of the app's own kind for each loop, and closes
it when its loop shuts down.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import weakref
from collections.abc import AsyncGenerator, Callable
from typing import Any

from sqlalchemy import pool as pools
from sqlalchemy.pool import Pool
from sqlalchemy.util import await_only, greenlet_spawn


class PoolPerLoop(Pool):
    """Looks like one pool, and is one for each running loop.

    :param make: makes a pool of the app's own kind, with its events and arguments.
    """

    _is_asyncio = True

    def __init__(self, original: Pool, make: Callable[[], Pool]) -> None:
        super().__init__(original._creator, dialect=original._dialect, _dispatch=original.dispatch)
        #: Makes a pool of the app's own kind.
        self.make = make
        self._original = original
        self._by_loop: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, tuple[Pool, AsyncGenerator[None]]
        ] = weakref.WeakKeyDictionary()

    def connect(self) -> Any:
        """Check out a connection of the running loop's pool."""
        return self._current().connect()

    def dispose(self) -> None:
        """Dispose of the running loop's pool; the other loops keep theirs."""
        with contextlib.suppress(RuntimeError):
            known = self._by_loop.pop(asyncio.get_running_loop(), None)
            if known is not None:
                known[0].dispose()

    def recreate(self) -> Pool:
        """A pool without the running loop's connections."""
        with contextlib.suppress(RuntimeError):
            self._by_loop.pop(asyncio.get_running_loop(), None)
        return self

    def status(self) -> str:
        """The running loop's pool, in words."""
        return self._known().status()

    def checked_out(self) -> int:
        """How many connections the pools of all loops have given out."""
        pools = [own for loop, (own, _) in list(self._by_loop.items()) if not loop.is_closed()]
        return sum(own.checkedout() for own in pools if hasattr(own, "checkedout"))

    def forget(self, *, dispose: bool) -> None:
        """Let go of every pool, whose connections lead nowhere any more.

        :param dispose: whether the drivers have to be told, on their loops; none of them is running.
        """
        for loop, (own, _) in list(self._by_loop.items()):
            if dispose and not loop.is_closed() and not loop.is_running():
                loop.run_until_complete(greenlet_spawn(own.dispose))
        self._by_loop.clear()

    def __getattr__(self, name: str) -> Any:
        # size(), checkedout() and the like, which an app's metrics may ask for.
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._known(), name)

    def _known(self) -> Pool:
        """The running loop's pool if it has one, else an empty one of the app's own kind."""
        try:
            return self._by_loop[asyncio.get_running_loop()][0]
        except (RuntimeError, KeyError):
            return self._original

    def _current(self) -> Pool:
        loop = asyncio.get_running_loop()
        known = self._by_loop.get(loop)
        if known is None:
            own = self.make()
            # One set of listeners for all: one that is added later holds for every loop.
            own.__dict__["dispatch"] = self.dispatch
            ending = _dispose_with_loop(own, weakref.ref(self))
            await_only(ending.__anext__())
            self._by_loop[loop] = known = (own, ending)
        return known[0]


async def _dispose_with_loop(own: Pool, whole: weakref.ref[PoolPerLoop]) -> AsyncGenerator[None]:
    """Close the pool's connections when the loop shuts its asynchronous generators down.

    asyncio.run, asyncio.Runner and every test runner built on them do that as their last step.

    :param whole: what the pool is a part of. Where that is gone, the app has dropped an engine without
        disposing of it, and the drivers say so themselves, as in production.
    """
    try:
        yield
    finally:
        if whole() is not None:
            await greenlet_spawn(own.dispose)


def has_lost(pool: Pool) -> bool:
    """Whether the server has closed a connection that waits in a pool: the next request would get it."""
    own = (
        [one for one, _ in list(pool._by_loop.values())]
        if isinstance(pool, PoolPerLoop)
        else [pool]
    )
    return any(_is_closed(record) for one in own for record in _idle(one))


def _idle(pool: Any) -> list[Any]:
    """What waits in a pool; nothing of a kind that keeps none, or keeps it elsewhere."""
    queue: Any = getattr(pool, "_pool", None)
    for name in ("queue", "_queue"):
        inner = getattr(queue, name, None)
        if inner is not None:
            return list(getattr(inner, "_queue", inner))
    return []


def _is_closed(record: Any) -> bool:
    connection = getattr(record, "driver_connection", None)
    return connection is not None and bool(has_ended(connection))


def has_ended(connection: Any) -> bool | None:
    """Whether the server has ended a driver's connection; None where that can't be seen."""
    descriptor = _descriptor(connection)
    if descriptor is None or not hasattr(select, "POLLRDHUP"):
        return None
    looked = select.poll()
    looked.register(descriptor, select.POLLRDHUP)
    return bool(looked.poll(0))


def _descriptor(connection: Any) -> int | None:
    """A driver's connection's socket; None where it can't be seen."""
    with contextlib.suppress(Exception):
        return int(connection.fileno())
    for name in ("_transport", "_writer"):
        holder = getattr(connection, name, None)
        if holder is not None:
            with contextlib.suppress(Exception):
                return int(holder.get_extra_info("socket").fileno())
    with contextlib.suppress(Exception):
        return int(connection._sock.fileno())
    return None


def pool_like(original: Pool, creator: Callable[..., Any]) -> Callable[[], Pool]:
    """How to make a pool of the original's kind, with another creator.

    SQLAlchemy 2.0 gives a file's aiosqlite engine no pool at all where nobody asks for one; 2.1 gives
    it a queue pool. The same is done here for both, or each request would pay for a new connection.
    """

    def make() -> Pool:
        dialect: Any = original._dialect
        if dialect.is_async and type(original) is pools.NullPool and _is_default(original, dialect):
            made: Pool = pools.AsyncAdaptedQueuePool(
                creator, dialect=dialect, _dispatch=original.dispatch
            )
        else:
            made = original.recreate()
            made._creator = creator
        return made

    return make


def _is_default(original: Pool, dialect: Any) -> bool:
    from sqlalchemy.engine import make_url

    return dialect.get_pool_class(make_url("sqlite+aiosqlite:///file")) is type(original)
