"""One test's ledger: its last exchanges, and what it did to the database since."""

from __future__ import annotations

import contextlib
import re
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import ContextVar

from greenroom.facts.exchange import Exchange, SentStatement

#: How many exchanges and statements are kept; a test that has more is told from its end.
MOST_EXCHANGES = 5
MOST_STATEMENTS = 20

_CHANGES = re.compile(
    r"\s*(INSERT\s+INTO|UPDATE|DELETE\s+FROM|REPLACE\s+INTO)\s+([\w.\"`]+)", re.IGNORECASE
)


class Ledger:
    """What was seen of the test that runs."""

    def __init__(self) -> None:
        self._exchanges: deque[Exchange] = deque(maxlen=MOST_EXCHANGES)
        self._statements: deque[SentStatement] = deque(maxlen=MOST_STATEMENTS)
        self._changes: Counter[tuple[str, str]] = Counter()
        self._earlier = 0
        # Of each task and thread: a test may have several requests under way.
        self._request: ContextVar[Request | None] = ContextVar("greenroom_request", default=None)
        #: Called with each exchange, how long it took, in seconds, and how many statements it sent.
        self.told: Callable[[Exchange, float, int], Callable[[], None]] = _nobody
        #: Called with each statement that a request has sent.
        self.counting: list[Callable[[SentStatement], None]] = []
        #: What greenroom's own reading for the test is done in, so that nobody takes it for the app's.
        self.apart: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext

    def begin(self) -> None:
        """Another test begins."""
        self._exchanges.clear()
        self._statements.clear()
        self._changes.clear()
        self._earlier = 0
        self.counting.clear()

    def asked(self) -> Request:
        """A request goes to the app, in this task or thread."""
        request = Request(self, self._request.get())
        self._request.set(request)
        return request

    def over(self, exchange: Exchange, outer: Request | None) -> None:
        """A request has gone out, and an answer has come."""
        self._request.set(outer)
        self._earlier += len(self._exchanges) == MOST_EXCHANGES
        self._exchanges.append(exchange)

    def sent(self, statement: SentStatement) -> None:
        """A statement has gone to a database."""
        self._statements.append(statement)
        request = self._request.get()
        if request is not None:
            request.statements += 1
            for count in self.counting:
                count(statement)
        changes = _CHANGES.match(statement.text)
        if changes is not None and statement.rows > 0:
            verb = changes.group(1).split()[0].lower()
            self._changes[changes.group(2).strip('"`'), verb] += statement.rows

    def request_begins(self) -> None:
        """The statements that are told are those since the last request."""
        self._statements.clear()

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """The last ones, oldest first."""
        return tuple(self._exchanges)

    @property
    def earlier(self) -> int:
        """How many there were before those."""
        return self._earlier

    @property
    def statements(self) -> tuple[SentStatement, ...]:
        """The last ones since the last request began, oldest first."""
        return tuple(self._statements)

    @property
    def changes(self) -> dict[tuple[str, str], int]:
        """How many rows were changed, by the table and what was done."""
        return dict(self._changes)


class Request:
    """One request that is under way.

    :param outer: the one in whose course it was made, if there is one.
    """

    __slots__ = ("_ledger", "_outer", "_started", "statements")

    def __init__(self, ledger: Ledger, outer: Request | None) -> None:
        self._ledger = ledger
        self._outer = outer
        self._started = time.perf_counter()
        #: How many it has sent so far.
        self.statements = 0

    def saw(self, exchange: Exchange) -> Callable[[], None]:
        """It is over. What is given back is called if the test looks at the answer."""
        seconds = time.perf_counter() - self._started
        self._ledger.over(exchange, self._outer)
        return self._ledger.told(exchange, seconds, self.statements)


def _nobody(exchange: Exchange, seconds: float, statements: int) -> Callable[[], None]:
    return _nothing


def _nothing() -> None:
    pass
