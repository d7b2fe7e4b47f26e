"""Where a database's engines lead while a test is rolled back: to one real connection.

Each engine gets a second pool, of the app's own kind, and its first one back after the test.
"""

from __future__ import annotations

import asyncio
import contextlib
import weakref
from collections.abc import AsyncGenerator, Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.util import await_only, greenlet_spawn

from greenroom.database.pools import PoolPerLoop
from greenroom.database.sandbox.logical import LogicalConnection
from greenroom.database.sandbox.real import Real
from greenroom.database.sandbox.sandbox import Sandbox
from greenroom.database.sandbox.turns import LoopTurn, ThreadTurn, Turn
from greenroom.facts.errors import GreenroomError

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.pool import Pool

_EVENTS = (
    "connect",
    "first_connect",
    "checkout",
    "checkin",
    "reset",
    "invalidate",
    "close",
    "detach",
)


class Stage:
    """The engines of one database, and the connection that they share during a test.

    :param where: the database, for messages.
    """

    def __init__(self, where: Callable[[], str]) -> None:
        self.sandbox = Sandbox(where)
        self._pools: weakref.WeakKeyDictionary[Engine, tuple[Pool, Pool]] = (
            weakref.WeakKeyDictionary()
        )
        self._reals: dict[tuple[object, ...], Real] = {}
        self._same: dict[tuple[object, ...], Real] = {}
        self._turns: dict[object, Turn] = {}

    def enter(self, engine: Engine) -> None:
        """Lead an engine to the shared connection."""
        self.sandbox.is_on = True
        known = self._pools.get(engine)
        if _is_logical(engine.pool):
            return
        if known is None or engine.pool is not known[0]:
            known = self._pools[engine] = (engine.pool, self._pool(engine))
            self._teach(engine.dialect)
        engine.pool = known[1]

    def leave(self, engine: Engine) -> None:
        """Lead an engine back."""
        self.sandbox.is_on = False
        # By its kind and not by itself: an app that disposes of its engine has another one since.
        if _is_logical(engine.pool):
            engine.pool = self._pools[engine][0]

    def end(self) -> GreenroomError | None:
        """Undo what the test has done; what couldn't be told truthfully in it."""
        lost = self.sandbox.has_lost
        problem = self.sandbox.end()
        if lost:
            self.close()
        return problem

    def close(self) -> None:
        """Close every connection."""
        for real in {id(real): real for real in self._reals.values()}.values():
            real.from_outside(real.close)
        self._reals.clear()
        self._same.clear()
        self._pools.clear()

    def _pool(self, engine: Engine) -> Pool:
        first = engine.pool
        create = self._creator(engine)
        if isinstance(first, PoolPerLoop):
            pool: Pool = PoolPerLoop(first, lambda: _empty(first.make(), create))
        else:
            pool = _empty(first.recreate(), create)
        pool.__dict__[_LOGICAL] = True
        pool.__dict__.pop("dispatch", None)
        for name in _EVENTS:
            for listener in getattr(first.dispatch, name, ()):
                if not getattr(listener, "__module__", "").startswith(
                    ("sqlalchemy.", "greenroom.")
                ):
                    event.listen(pool, name, listener)
        return pool

    def _creator(self, engine: Engine) -> Callable[..., Any]:
        owner = weakref.ref(engine)

        # SQLAlchemy passes the pool's record to a creator whose parameter has this name.
        def create(connection_record: Any = None) -> LogicalConnection:
            known = owner()
            assert known is not None
            loop = asyncio.get_running_loop() if known.dialect.is_async else None
            turn = self._turns.setdefault(loop, LoopTurn() if loop else ThreadTurn())
            with turn.taken():  # Many may come at once, and it is opened once.
                real = self._reals.get((id(known), loop))
                if real is None:
                    real = self._open(known, loop, connection_record)
            logical = LogicalConnection(real, self.sandbox)
            level = known.dialect._on_connect_isolation_level  # noqa: SLF001
            if level not in {None, "AUTOCOMMIT"}:
                logical.set_level(level)
            return logical

        setattr(create, _LOGICAL, True)
        return create

    def _open(self, engine: Engine, loop: Any, record: Any) -> Real:
        first = self._pools[engine][0]
        base: Any = first.make() if isinstance(first, PoolPerLoop) else first
        connection = base._invoke_creator(record)  # noqa: SLF001 - the creator, as its pool calls it
        seen = getattr(engine.dialect, ARGUMENTS, None)
        same = (engine.dialect.driver, engine.dialect.is_async, loop, seen)
        real = self._same.get(same)
        if real is None:
            # What SQLAlchemy sets up is set up once; it finds the connection in the record.
            record.dbapi_connection = connection
            for listener in first.dispatch.connect:
                if getattr(listener, "__module__", "").startswith("sqlalchemy."):
                    listener(connection, record)
            real = self._same[same] = Real(engine.dialect, connection, loop)
            if loop is not None:
                real.ending = _close_with_loop(real, self._forget)
                await_only(real.ending.__anext__())
        else:
            connection.close()
        self._reals[id(engine), loop] = real
        return real

    def _forget(self, real: Real) -> None:
        self._turns.pop(real.loop, None)
        for known in (self._reals, self._same):
            for key in [key for key, one in known.items() if one is real]:
                del known[key]

    def _teach(self, dialect: Any) -> None:
        """Let a dialect know logical connections where it would look into a driver's."""
        set_level, is_disconnect = dialect.set_isolation_level, dialect.is_disconnect

        def set_isolation_level(connection: Any, level: str) -> None:
            if isinstance(connection, LogicalConnection):
                connection.set_level(level)
            else:
                set_level(connection, level)

        def is_disconnected(error: Any, connection: Any, cursor: Any) -> bool:
            own = getattr(connection, "dbapi_connection", connection)
            if isinstance(own, LogicalConnection):
                return not own.real.is_alive()
            return bool(is_disconnect(error, connection, cursor))

        dialect.set_isolation_level = set_isolation_level
        dialect.is_disconnect = is_disconnected


#: Where an engine's dialect keeps what its driver was last called with.
ARGUMENTS = "_greenroom_arguments"


_LOGICAL = "greenroom_logical"


def _is_logical(pool: Pool) -> bool:
    """Whether a pool is one of shared connections, or was made anew after one."""
    return bool(pool.__dict__.get(_LOGICAL) or getattr(pool._creator, _LOGICAL, False))  # noqa: SLF001


def _empty(pool: Pool, create: Callable[..., Any]) -> Pool:
    pool._creator = create  # noqa: SLF001
    return pool


async def _close_with_loop(real: Real, forget: Callable[[Real], None]) -> AsyncGenerator[None]:
    try:
        yield
    finally:
        forget(real)
        with contextlib.suppress(Exception):
            await greenlet_spawn(real.close)
