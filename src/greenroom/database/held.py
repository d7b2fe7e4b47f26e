"""What sessions hold that nobody else can see yet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session, session

_FLUSHED = "greenroom_flushed"


def watch() -> Callable[[], None]:
    """Remember what sessions flush until they commit; what ends it."""

    def after_flush(session: Session, context: object) -> None:
        held: Counter[str] = session.info.setdefault(_FLUSHED, Counter())
        for what in (session.new, session.dirty, session.deleted):
            held.update(type(item).__name__ for item in what)

    def after_end(session: Session, transaction: Any) -> None:
        if transaction.parent is None:
            session.info.pop(_FLUSHED, None)

    listeners = {"after_flush": after_flush, "after_transaction_end": after_end}
    for name, listener in listeners.items():
        event.listen(Session, name, listener)

    def end() -> None:
        for name, listener in listeners.items():
            event.remove(Session, name, listener)

    return end


def uncommitted(is_own: Callable[[Engine], bool], but: object) -> list[str]:
    """A line for each session with work that isn't committed.

    :param is_own: tells the engines that lead to one of the app's databases.
    :param but: a session that isn't meant.
    """
    lines = []
    for one in list(session._sessions.values()):  # noqa: SLF001 - there is no other list of them
        if one is but or not _leads_there(one, is_own):
            continue
        held: Counter[str] = Counter(one.info.get(_FLUSHED, ()))
        for what in (one.new, one.dirty, one.deleted):
            held.update(type(item).__name__ for item in what)
        if held:
            told = ", ".join(f"{count} {name}" for name, count in sorted(held.items()))
            lines.append(
                f"a session holds work that isn't committed ({told}): no other one can see it. Commit "
                "it, or use db_session, which is committed when a request goes out"
            )
    return lines


def _leads_there(one: Session, is_own: Callable[[Engine], bool]) -> bool:
    bind = one.bind
    if bind is None:
        return True
    return is_own(bind if isinstance(bind, Engine) else bind.engine)
