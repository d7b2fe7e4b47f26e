"""Put made objects into a session, so that they can be read without another look at the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session, object_session


def store(session: Session, made: Iterable[object]) -> None:
    """Flush objects, and read what the server has set by itself.

    :raises Exception: what the database says; the session's transaction is rolled back then.
    """
    objects = list(made)
    session.add_all(objects)
    try:
        session.flush()
    except Exception:
        session.rollback()
        raise
    for one in objects:
        state: Any = inspect(one)
        waiting = state.expired_attributes & set(state.mapper.column_attrs.keys())
        if waiting:
            session.refresh(one, sorted(waiting))


def own(session: Session, value: object) -> object:
    """The session's own copy of an object that belongs to another session; anything else as it is."""
    state: Any = inspect(value, raiseerr=False)
    if state is None or not hasattr(state, "identity") or state.identity is None:
        return value
    theirs = object_session(value)
    if theirs is session:
        return value
    mine = session.get(type(value), state.identity)
    return value if mine is None else mine


def together(
    session: Session, kind: type, names: Sequence[str], fixed: Mapping[str, Any]
) -> set[tuple[Any, ...]]:
    """What some attributes are together, in all rows that have these values.

    :param names: attributes of one table.
    :param fixed: some of them, each with its value.
    """
    mapper: Any = inspect(kind)
    columns = {name: mapper.attrs[name].columns[0] for name in names}
    if len({column.table for column in columns.values()}) > 1:
        return set()
    wanted = [columns[name] == value for name, value in fixed.items()]
    with session.no_autoflush:
        return {tuple(row) for row in session.execute(select(*columns.values()).where(*wanted))}


def taken(session: Session, kind: type, name: str) -> set[Any]:
    """The values of an attribute in all rows, also those of other classes in the same table."""
    mapper: Any = inspect(kind)
    with session.no_autoflush:
        return set(session.scalars(select(mapper.attrs[name].columns[0])))
