"""How many statements a test's requests send: the `queries` fixture."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.exchange import SentStatement
from greenroom.observe.ledger import Ledger

#: How many statements a failure shows.
MOST = 30
_WIDTH = 160


class QueryCountError(AssertionError):
    """A block has sent another number of statements than it may."""


class Sent:
    """The statements that requests have sent in a block, each with the app's line that sent it."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.lines: list[str] = []

    @property
    def count(self) -> int:
        """How many there are so far."""
        return len(self.statements)


class Queries:
    """Counts the statements of requests. What a test itself does by `db_session` isn't counted.

    :param ledger: what sees them.
    :param line: the line of the project's code that runs now.
    """

    def __init__(self, ledger: Ledger, line: Callable[[], str]) -> None:
        self._ledger = ledger
        self._line = line

    @contextmanager
    def counted(self) -> Iterator[Sent]:
        """Count in a block, and be content with any number."""
        sent = Sent()
        outer = self._ledger.counting

        def count(statement: SentStatement) -> None:
            sent.statements.append(" ".join(statement.text.split()))
            sent.lines.append(self._line())
            if outer is not None:
                outer(statement)

        self._ledger.counting = count
        try:
            yield sent
        finally:
            self._ledger.counting = outer

    @contextmanager
    def at_most(self, number: int) -> Iterator[Sent]:
        """The requests of the block send at most that many statements.

        :raises QueryCountError: if they send more; it shows them, with the app's lines.
        """
        __tracebackhide__ = True
        with self.counted() as sent:
            yield sent
        if sent.count > _number(number):
            raise _wrong(sent, f"at most {number}")

    @contextmanager
    def exactly(self, number: int) -> Iterator[Sent]:
        """The requests of the block send exactly that many statements.

        :raises QueryCountError: if they don't; it shows them, with the app's lines.
        """
        __tracebackhide__ = True
        with self.counted() as sent:
            yield sent
        if sent.count != _number(number):
            raise _wrong(sent, f"exactly {number}")

    def no_n_plus_one(self, threshold: int = 2) -> AbstractContextManager[Any]:
        """No relationship is loaded row by row in the block. The detection is queryspy's.

        :param threshold: how many like loads make a pattern.
        :raises GreenroomError: if queryspy isn't installed.
        :raises AssertionError: queryspy's own, if there is such a pattern.
        """
        if importlib.util.find_spec("queryspy") is None:
            raise GreenroomError(
                Code.EXTRA,
                "queries.no_n_plus_one needs queryspy, which isn't installed.",
                "pip install greenroom[queries]",
            )
        import queryspy

        found: AbstractContextManager[Any] = queryspy.no_n_plus_one(threshold=threshold)
        return found


def _number(number: int) -> int:
    if type(number) is not int or number < 0:
        raise GreenroomError(
            Code.QUERIES, f"{number!r} is no number of statements.", "Give 0 or more."
        )
    return number


def _wrong(sent: Sent, allowed: str) -> QueryCountError:
    lines = [f"{Code.QUERIES.value} {allowed} statements were allowed, and {sent.count} were sent."]
    again = [(text, count) for text, count in Counter(sent.statements).most_common() if count > 1]
    lines += [f"  {count} times: {_shortened(text)}" for text, count in again[:3]]
    for text, line in list(zip(sent.statements, sent.lines, strict=True))[:MOST]:
        lines.append(f"  {line}  {_shortened(text)}")
    if sent.count > MOST:
        lines.append(f"  and {sent.count - MOST} more")
    return QueryCountError("\n".join(lines))


def _shortened(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
