"""Sessions for arranging and asserting, which never show an old state.

They are sessions of their own, on connections of their own, as a request's session is: what the app
forgets to flush, to commit or to load shows. Two things make them good for a test. What they hold is
*handed over* (committed) when a request goes out. And they *catch up*: when somebody else has
committed, the objects that they hold are read again before they are looked at.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, inspect
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import ORMExecuteState

_CAUGHT_UP = "greenroom_caught_up"
_BUSY = "greenroom_catching_up"
_WROTE = "greenroom_wrote"
_ENDED = "greenroom_ended"


def make_session(engine: Engine, version: Callable[[], object | None]) -> Session:
    """A session on a sync engine.

    :param version: a value that changes when another connection commits; None if it isn't known.
    """
    cls = _current_session(_base("sqlmodel", "Session", Session))
    session = cls(engine, expire_on_commit=False)
    session.info[_CAUGHT_UP] = (version, None)
    return session


def make_async_session(engine: Engine, version: Callable[[], object | None]) -> AsyncSession:
    """A session on the sync face of an async engine.

    :param version: a value that changes when another connection commits; None if it isn't known.
    """
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

    sync_class = _current_session(_base("sqlmodel", "Session", Session))
    cls: type[AsyncSession] = _base("sqlmodel.ext.asyncio.session", "AsyncSession", AsyncSession)
    session = cls(AsyncEngine(engine), expire_on_commit=False, sync_session_class=sync_class)
    session.sync_session.info[_CAUGHT_UP] = (version, None)
    return session


def hand_over(session: Session) -> None:
    """Commit what the session holds, so that the app's own sessions can see it."""
    __tracebackhide__ = True
    if has_something_to_hand_over(session):
        session.commit()


def has_something_to_hand_over(session: Session) -> bool:
    """Whether `hand_over` would do anything."""
    return bool(session.in_transaction() or session.new or session.dirty or session.deleted)


def let_go(session: Session) -> None:
    """End the session's transaction without a word; what isn't committed goes.

    One that has only read is committed: a rollback would have every object read again.
    """
    if session.new or session.dirty or session.deleted or session.info.get(_WROTE):
        session.rollback()
    else:
        session.commit()


def is_behind(session: Session) -> bool:
    """Whether somebody else has committed since the session's objects were read."""
    version, seen = session.info[_CAUGHT_UP]
    return bool(session.identity_map) and (seen is None or not _same(version(), seen))


def catch_up(session: Session, *, before_read: bool = False) -> None:
    """Read the held objects again, each with what was loaded of it before.

    An object whose row is gone leaves the session and keeps its last values.

    :param before_read: whether the session goes on to read, and its transaction with it.
    """
    version, seen = session.info[_CAUGHT_UP]
    now = version()
    if session.info.get(_BUSY) or _same(now, seen):
        return
    if seen is None and not session.info.get(_ENDED):
        # What it holds is its own work, which nobody else has seen.
        session.info[_CAUGHT_UP] = (version, now)
        return
    session.info[_BUSY] = True
    try:
        clean = not (session.new or session.dirty or session.deleted or session.info.get(_WROTE))
        if clean and session.in_transaction():
            session.commit()  # A read transaction may see the state of its beginning only.
        with session.no_autoflush:
            for held in list(session.identity_map.values()):
                if held not in session.dirty and held not in session.deleted:
                    _read_again(session, held)
        if clean and not before_read and session.in_transaction():
            session.commit()
        session.info[_CAUGHT_UP] = (version, now)
    finally:
        session.info[_BUSY] = False


def _same(version: object | None, seen: object | None) -> bool:
    return version is not None and version == seen


def _read_again(session: Session, held: Any) -> None:
    state = inspect(held)
    before = dict(state.dict)
    columns = {
        attribute.key
        for attribute in state.mapper.column_attrs
        if not attribute.deferred or attribute.key in before
    }
    related = {attribute.key for attribute in state.mapper.relationships} & before.keys()
    try:
        session.refresh(held, sorted(columns | related))
    except InvalidRequestError:
        session.expunge(held)
        for name, value in before.items():
            if name in state.mapper.attrs:
                set_committed_value(held, name, value)


def _base(module: str, name: str, default: Any) -> Any:
    """SQLModel's own class where the app uses SQLModel: its tests call session.exec()."""
    loaded = sys.modules.get(module)
    if loaded is None and "sqlmodel" in sys.modules:
        import importlib

        loaded = importlib.import_module(module)
    return getattr(loaded, name, default)


@cache
def _current_session(base: type[Session]) -> type[Session]:
    """A session class that catches up before it reads. It is made once for each base."""

    class CurrentSession(base):  # type: ignore[misc,valid-type]
        def get(self, *args: Any, **kwargs: Any) -> Any:
            # An object that is held already would be given back without a look at its row.
            catch_up(self, before_read=True)
            return super().get(*args, **kwargs)

    def before_execute(execution: ORMExecuteState) -> None:
        if not execution.is_select:
            execution.session.info[_WROTE] = True
        elif not execution.session.info.get(_BUSY):
            catch_up(execution.session, before_read=True)

    def after_flush(session: Session, context: object) -> None:
        session.info[_WROTE] = True

    def after_end(session: Session, transaction: Any) -> None:
        if transaction.parent is None:
            session.info[_WROTE] = False
            session.info[_ENDED] = True

    event.listen(CurrentSession, "do_orm_execute", before_execute)
    event.listen(CurrentSession, "after_flush", after_flush)
    event.listen(CurrentSession, "after_transaction_end", after_end)
    return CurrentSession
