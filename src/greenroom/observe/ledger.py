"""One test's ledger: its last exchanges, and what it did to the database since."""

from __future__ import annotations

import re
from collections import Counter, deque

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

    def begin(self) -> None:
        """Another test begins."""
        self._exchanges.clear()
        self._statements.clear()
        self._changes.clear()
        self._earlier = 0

    def exchanged(self, exchange: Exchange) -> None:
        """A request has gone out, and an answer has come."""
        self._earlier += len(self._exchanges) == MOST_EXCHANGES
        self._exchanges.append(exchange)

    def sent(self, statement: SentStatement) -> None:
        """A statement has gone to a database."""
        self._statements.append(statement)
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
