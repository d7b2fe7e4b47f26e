"""How many statements a test's requests send: the `queries` fixture."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType

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

        def count(statement: SentStatement) -> None:
            sent.statements.append(" ".join(statement.text.split()))
            sent.lines.append(self._line())

        self._ledger.counting.append(count)
        try:
            yield sent
        finally:
            if count in self._ledger.counting:
                self._ledger.counting.remove(count)

    def at_most(self, number: int) -> AbstractContextManager[Sent]:
        """The requests of a `with` block send, all together, at most that many statements.

        :raises QueryCountError: if they send more; it shows them, with the app's lines.
        """
        __tracebackhide__ = True
        return _Block(self, _number(number), lambda count: count <= number, "at most")

    def exactly(self, number: int) -> AbstractContextManager[Sent]:
        """The requests of a `with` block send, all together, exactly that many statements.

        :raises QueryCountError: if they don't; it shows them, with the app's lines.
        """
        __tracebackhide__ = True
        return _Block(self, _number(number), lambda count: count == number, "exactly")

    @contextmanager
    def no_n_plus_one(self, threshold: int = 2) -> Iterator[None]:
        """No relationship is loaded row by row in the block. The detection is queryspy's.

        :param threshold: how many like loads make a pattern.
        :raises GreenroomError: if queryspy isn't installed.
        :raises AssertionError: queryspy's own, if there is such a pattern.
        """
        __tracebackhide__ = True
        if importlib.util.find_spec("queryspy") is None:
            raise GreenroomError(
                Code.EXTRA,
                "queries.no_n_plus_one needs queryspy, which isn't installed.",
                "pip install greenroom[queries]",
            )
        import queryspy

        # What db_session reads again after a request isn't the app's.
        outer, self._ledger.apart = self._ledger.apart, queryspy.ignore
        try:
            with queryspy.no_n_plus_one(threshold=threshold):
                yield
        finally:
            self._ledger.apart = outer


class _Block:
    """Counts in a `with`, and looks at the number at its end."""

    def __init__(
        self, queries: Queries, number: int, is_right: Callable[[int], bool], words: str
    ) -> None:
        self._queries = queries
        self._counted: AbstractContextManager[Sent] = queries.counted()
        self._number = number
        self._is_right = is_right
        self._words = words
        self._sent = Sent()

    def __enter__(self) -> Sent:
        self._counted = self._queries.counted()
        self._sent = self._counted.__enter__()
        return self._sent

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True
        self._counted.__exit__(kind, error, trace)
        if error is None and not self._is_right(self._sent.count):
            raise _wrong(self._sent, self._words, self._number)


def _number(number: int) -> int:
    __tracebackhide__ = True
    if type(number) is not int or number < 0:
        raise GreenroomError(
            Code.QUERIES, f"{number!r} is no number of statements.", "Give 0 or more."
        )
    return number


def _wrong(sent: Sent, words: str, number: int) -> QueryCountError:
    allowed = f"{words} {_statements(number)}"
    lines = [f"{Code.QUERIES.value} expected {allowed}, and the requests sent {sent.count}."]
    again = [(text, count) for text, count in Counter(sent.statements).most_common() if count > 1]
    lines += [f"  {count} times: {_shortened(text)}" for text, count in again[:3]]
    for text, line in list(zip(sent.statements, sent.lines, strict=True))[:MOST]:
        lines.append(f"  {line}  {_shortened(text)}")
    if sent.count > MOST:
        lines.append(f"  and {sent.count - MOST} more")
    return QueryCountError("\n".join(lines))


def _statements(number: int) -> str:
    return "1 statement" if number == 1 else f"{number} statements"


def _shortened(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
