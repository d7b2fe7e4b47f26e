"""What the tests of one process have shown of the app's operations."""

from __future__ import annotations

from collections.abc import Callable

from greenroom.facts.exchange import Exchange
from greenroom.facts.outcome import Cell, Cost, Example, Outcome, Problem
from greenroom.facts.pointer import collapsed
from greenroom.observe.contract import Found

#: How much of a body is kept with a problem, in characters.
BODY = 2000


class Coverage:
    """Collects; `outcome` is what has been collected.

    :param app: the app's address.
    :param masked: takes the secrets out of a text.
    """

    def __init__(self, app: str, masked: Callable[[str], str]) -> None:
        self.outcome = Outcome(app)
        self._masked = masked

    def answered(
        self, operation: str, status: int, exchange: Exchange, test: str, cost: Cost
    ) -> Callable[[], None]:
        """An operation has answered a test. What is given back is called if the test looks at it."""
        cell = self.outcome.cells.setdefault((operation, str(status)), Cell())
        cell.times += 1
        kind = exchange.content_type.partition(";")[0].strip().lower()
        if kind:
            cell.content_types.add(kind)
        if test not in cell.looked:
            cell.caused.add(test)
        self.outcome.spent(operation, cost)

        def looked() -> None:
            cell.looked.add(test)
            cell.caused.discard(test)

        return looked

    def found(
        self, operation: str, status: int, found: list[Found], exchange: Exchange, test: str
    ) -> None:
        """There is something wrong with an answer."""
        body = ""
        if exchange.received is not None:
            body = self._masked(exchange.received[: 2 * BODY].decode("utf-8", "replace"))[:BODY]
        for one in found:
            where = collapsed(one.where)
            problem = Problem(operation, str(status), one.rule.value, where, one.expected)
            self.outcome.found(problem, Example({test}, one.came, body, one.schema))
