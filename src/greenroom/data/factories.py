"""The project's own factories, polyfactory's and factory_boy's, with the session of a test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from greenroom.facts.errors import Code, GreenroomError


def is_factory(kind: Any) -> bool:
    """Whether it's a factory class of one of the two libraries."""
    return _is_polyfactory(kind) or _is_factory_boy(kind)


def bind(factory: Any, blocking: Any, asynchronous: Any) -> Callable[[], None]:
    """Give a factory, and those that it uses, a session; what is given back takes it away.

    :param blocking: the session's sync face.
    :param asynchronous: the session itself, if it's async; else None.
    :raises GreenroomError: if it's no factory, or one that stores nothing.
    """
    if _is_polyfactory(factory):
        names = {"__session__": blocking, "__async_session__": asynchronous}
        before = {name: vars(factory).get(name, _MISSING) for name in names}
        for name, session in names.items():
            setattr(factory, name, session)

        def restore() -> None:
            for name, value in before.items():
                delattr(factory, name) if value is _MISSING else setattr(factory, name, value)

        return restore
    if not _is_factory_boy(factory):
        raise GreenroomError(
            Code.MAKE,
            f"{getattr(factory, '__name__', repr(factory))} is no factory that stores rows.",
            "make.use() takes classes derived from polyfactory's SQLAlchemyFactory or factory_boy's "
            "SQLAlchemyModelFactory.",
        )
    bound = []
    for one in _all_of(factory):
        meta = one._meta  # noqa: SLF001 - where factory_boy keeps its options
        bound.append((meta, meta.sqlalchemy_session, meta.sqlalchemy_session_factory))
        meta.sqlalchemy_session, meta.sqlalchemy_session_factory = blocking, None

    def restore_all() -> None:
        for meta, session, session_factory in bound:
            meta.sqlalchemy_session = session
            meta.sqlalchemy_session_factory = session_factory

    return restore_all


def build(factory: Any, count: int, given: dict[str, Any]) -> list[object]:
    """Objects of a factory, not yet stored if it's polyfactory's."""
    if _is_polyfactory(factory):
        return list(factory.batch(count, **given))
    return list(factory.create_batch(count, **given))


_MISSING = object()


def _is_polyfactory(kind: Any) -> bool:
    return isinstance(kind, type) and hasattr(kind, "__async_session__") and hasattr(kind, "batch")


def _is_factory_boy(kind: Any) -> bool:
    return hasattr(getattr(kind, "_meta", None), "sqlalchemy_session")


def _all_of(factory: Any) -> Iterator[Any]:
    """The factory and its sub-factories, each once."""
    waiting, seen = [factory], set()
    while waiting:
        one = waiting.pop()
        if one in seen or not _is_factory_boy(one):
            continue
        seen.add(one)
        yield one
        for declared in one._meta.declarations.values():  # noqa: SLF001
            get = getattr(declared, "get_factory", None)
            if get is not None:
                waiting.append(get())
