"""What the suite proves of the app: each answer, checked as it comes and counted."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

from greenroom.app.bodies import Body, body_of
from greenroom.app.openapi import Documents
from greenroom.app.operations import Operations, Route, operations_of
from greenroom.app.plan import Planner
from greenroom.config.settings import Settings
from greenroom.facts.declared import Declared
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.exchange import Exchange
from greenroom.facts.operation import WEBSOCKET
from greenroom.facts.outcome import Cost, Outcome, Planned, Rule
from greenroom.observe.contract import Contract, Found
from greenroom.observe.coverage import Coverage
from greenroom.observe.secrets import NAMES, Secrets

_SERVER_ERROR = 500
#: How much of a body a failed test shows, in characters.
_SHOWN = 600


class Proof:
    """One process's part of it.

    :param app: the app, loaded.
    :param address: how it's called.
    :param is_own: whether a file is the app's.
    :param unique: the unique columns of a mapped class.
    """

    def __init__(
        self,
        app: Any,
        address: str,
        settings: Settings,
        *,
        is_own: Callable[[Path], bool],
        unique: Callable[[type], Collection[tuple[str, ...]]],
    ) -> None:
        self._app = app
        self._mode = settings.contract.value
        self._details = settings.details
        self._is_own = is_own
        self._unique = unique
        named = settings.details.secrets
        self._secrets = Secrets(NAMES if named is None else named)
        self._coverage = Coverage(address, self._secrets.masked)
        self._operations: Operations | None = None
        self._documents: Documents | None = None
        self._contract: Contract | None = None
        self._plan: dict[tuple[str, str], Planned] | None = None
        self._planned_by: Planner | None = None
        self._plan_notes: set[str] = set()
        #: Whether the app was asked anything.
        self.asked = False
        #: The test that runs; empty while something runs that isn't a test's own.
        self.test = ""
        self._refused: list[str] = []
        self._one_at_a_time = threading.RLock()

    @property
    def is_on(self) -> bool:
        """Whether anything is checked at all."""
        return self._mode != "off"

    def begin(self, test: str) -> None:
        """Another test begins."""
        self.test = test
        self._refused.clear()

    def told(self, exchange: Exchange, seconds: float, statements: int) -> Callable[[], None]:
        """An exchange is over. What is given back is called if the test looks at the answer."""
        # A live server tells of its requests from a thread of its own.
        with self._one_at_a_time:
            return self._told(exchange, seconds, statements)

    def _told(self, exchange: Exchange, seconds: float, statements: int) -> Callable[[], None]:
        test = self.test
        if not test or self._mode == "off":
            return _nothing
        self.asked = True
        path = exchange.path or exchange.target.partition("?")[0]
        route = self.operations.match(exchange.method, path)
        if route is None:
            return _nothing
        name = str(route.operation)
        status = exchange.status if exchange.status is not None else _SERVER_ERROR
        found = [
            (one, mode)
            for one in self._check(route, status, exchange, statements)
            if (mode := self._details.mode(one.rule, self._mode)) != "off"
        ]
        if found:
            self._coverage.found(name, status, [one for one, _ in found], exchange, test)
        refused = [one for one, mode in found if mode == "fail"]
        if refused:
            self._refused.append(self._in_words(name, status, refused, exchange))
        cost = Cost(statements, test, 1, seconds, seconds)
        return self._coverage.answered(name, status, exchange, test, cost)

    def refuse(self) -> None:
        """Raise GreenroomError if an answer of this test is one that a rule lets tests fail for."""
        if self._refused:
            refused = list(dict.fromkeys(self._refused))
            self._refused.clear()
            count = "an answer" if len(refused) == 1 else f"{len(refused)} answers"
            raise GreenroomError(
                Code.CONTRACT,
                f"{count} of the app's broke its contract.",
                "\n".join(refused),
            )

    def outcome(self) -> Outcome:
        """What this process has shown, with the plan."""
        outcome = self._coverage.outcome
        if self.is_on:
            outcome.operations |= self.operations.names
            outcome.plan = dict(self.plan)
            assert self._documents is not None
            outcome.notes |= set(self._documents.notes)
            if self._contract is not None:
                outcome.notes |= self._contract.notes
            outcome.notes |= self._plan_notes
            outcome.notes |= {
                f'[tool.greenroom.contract.budgets] "{name}" is no operation of the app'
                for name in self._details.budgets.keys() - self.operations.names
            }
        return outcome

    @property
    def operations(self) -> Operations:
        """The app's; found when they are first needed, since an app may add some as it starts."""
        if self._operations is None:
            self._operations = operations_of(self._app)
            self._documents = Documents(self._operations)
            _ = self.plan  # Now, and not at some test's answer: it's the same in each process.
        return self._operations

    @property
    def plan(self) -> dict[tuple[str, str], Planned]:
        """What each operation should be shown to answer."""
        if self._plan is None:
            operations = self.operations
            assert self._documents is not None
            planner = self._planned_by = Planner(
                operations,
                self._documents,
                is_own=self._is_own,
                unique=self._unique,
                drops=self._details.drop,
            )
            self._plan = {(one.operation, one.status): one for one in planner.plan()}
            self._plan_notes = set(planner.notes)
        return self._plan

    @property
    def documents(self) -> Documents:
        """What the apps' OpenAPI documents say."""
        _ = self.operations
        assert self._documents is not None
        return self._documents

    def body_of(self, route: Route) -> Body | None:
        """The body that an operation takes; None if it takes none."""
        declared = self.documents.declared(route)
        return body_of(route, self.documents.documents.get(declared.document))

    def invalid_statuses(self, route: Route) -> list[int]:
        """What invalid input is answered with: FastAPI's 422, or what the project has made of it."""
        _ = self.plan
        assert self._planned_by is not None
        return self._planned_by.invalid_statuses(route)

    def is_alike(self, app: object) -> bool:
        """Whether another app has the same operations: it's the same one, made once more."""
        return operations_of(app).names == self.operations.names

    # -- the rules -----------------------------------------------------------------------------------

    def _check(
        self, route: Route, status: int, exchange: Exchange, statements: int
    ) -> Iterator[Found]:
        assert self._documents is not None
        declared = self._documents.declared(route)
        name = str(route.operation)
        budget = self._details.budgets.get(name)
        if budget is not None and statements > budget:
            came = f"{statements} statements, where {budget} are allowed"
            yield Found(Rule.BUDGET, "", "no more statements than its budget", came)
        if route.operation.method == WEBSOCKET:
            if exchange.error:
                yield Found(Rule.SERVER_ERROR, "", "an answer", exchange.error)
            return
        yield from self._status(route, declared, status, exchange)
        if exchange.status is None:
            return
        if self._contract is None:
            self._contract = Contract(self._documents.documents, self._secrets)
        yield from self._contract.check(declared, status, exchange.content_type, exchange.received)

    def _status(
        self, route: Route, declared: Declared, status: int, exchange: Exchange
    ) -> Iterator[Found]:
        key = declared.of(status)
        if key is not None and (key != "default" or status < _SERVER_ERROR):
            return
        if exchange.status is None:
            yield Found(Rule.SERVER_ERROR, "", "an answer", exchange.error)
            return
        name = str(route.operation)
        planned = (name, str(status)) in self.plan
        if not exchange.reached and status != _SERVER_ERROR:
            return  # A middleware has answered, and not the operation.
        if status >= _SERVER_ERROR and not planned:
            yield Found(Rule.SERVER_ERROR, "", "no failure of the server", str(status))
        elif declared.document:
            possible = self._planned_by.possible(route) if self._planned_by is not None else None
            if not planned and (possible is None or str(status) in possible):
                return
            rule = Rule.UNDOCUMENTED if planned else Rule.UNDECLARED
            came = f"{status}, where {', '.join(declared.responses)} are declared"
            yield Found(rule, "", "a declared status", came)

    def _in_words(self, name: str, status: int, found: list[Found], exchange: Exchange) -> str:
        """What is wrong with one answer, for the failure of its test."""
        lines = [f"{name} answered {status}:"]
        for one in found:
            place = f" at {one.where}" if one.where else ""
            lines += [f"  {one.rule.value}{place}: expected {one.expected}, came {one.came}"]
        if exchange.received:
            body = exchange.received[: 2 * _SHOWN].decode("utf-8", "replace")
            shown = self._secrets.masked(body)
            lines.append(f"  in {shown if len(shown) <= _SHOWN else shown[: _SHOWN - 3] + '...'}")
        return "\n".join(lines)


def unique_columns_of(kind: type) -> list[tuple[str, ...]]:
    """The unique columns of a mapped class; none where SQLAlchemy isn't installed."""
    if "sqlalchemy" not in sys.modules:
        return []
    from greenroom.database.models import unique_columns

    return unique_columns(kind)


def _nothing() -> None:
    pass
