"""What a suite shows of an app: plain values, the same for any order and any split of its tests."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum


class Rule(Enum):
    """What an answer is checked for."""

    #: The body doesn't match the declared schema.
    SCHEMA = "schema"
    #: The body has fields that the declared model doesn't have.
    EXTRA = "extra"
    #: The body tells something that sounds like a secret.
    SECRETS = "secrets"
    #: The body isn't what its content type says, or that isn't the declared one.
    CONTENT_TYPE = "content-type"
    #: The app failed.
    SERVER_ERROR = "server-error"
    #: A status that is neither declared nor to be expected from the code.
    UNDECLARED = "undeclared"
    #: A status that the code is known to give, but OpenAPI doesn't declare.
    UNDOCUMENTED = "undocumented"
    #: More statements than the operation's budget.
    BUDGET = "budget"


@dataclass(frozen=True, slots=True, order=True)
class Planned:
    """A status that an operation should be shown to give.

    :param status: three digits, `4XX` for a range, or `default`.
    :param because: why it's there, a phrase each.
    :param dropped: why the project doesn't want it; empty if it does.
    """

    operation: str
    status: str
    because: tuple[str, ...]
    dropped: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something that an answer shouldn't be.

    :param where: the place in the body, as a JSON pointer with `*` for an item of a list; empty for the
        whole answer.
    :param expected: what should have been there; nothing that changes with other answers.
    """

    operation: str
    status: str
    rule: str
    where: str
    expected: str


@dataclass(slots=True)
class Example:
    """One answer that has a problem, and the tests that saw the problem.

    :param tests: their ids.
    :param came: what the first of them saw in that place, shortened.
    :param body: the whole body that it saw, shortened.
    :param schema: what was declared for it, as JSON, shortened.
    """

    tests: set[str] = field(default_factory=set)
    came: str = ""
    body: str = ""
    schema: str = ""


@dataclass(slots=True)
class Cell:
    """All answers of one operation with one status.

    :param looked: the tests that have looked at such an answer: at its status or its body.
    :param caused: those that have only caused one.
    """

    times: int = 0
    content_types: set[str] = field(default_factory=set)
    looked: set[str] = field(default_factory=set)
    caused: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Cost:
    """What an operation costs.

    :param statements: the most that a request of it has sent.
    :param statements_test: the first of the tests, by name, in which that was so.
    :param seconds: all of its requests together.
    :param slowest: the slowest of them, in seconds.
    """

    statements: int = 0
    statements_test: str = ""
    times: int = 0
    seconds: float = 0.0
    slowest: float = 0.0


@dataclass(slots=True)
class Outcome:
    """What one run has shown, or several together.

    :param app: the app's address.
    :param notes: what couldn't be found out, a sentence each.
    """

    app: str
    operations: set[str] = field(default_factory=set)
    plan: dict[tuple[str, str], Planned] = field(default_factory=dict)
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    problems: dict[Problem, Example] = field(default_factory=dict)
    costs: dict[str, Cost] = field(default_factory=dict)
    notes: set[str] = field(default_factory=set)

    def gaps(self) -> list[Planned]:
        """What is planned, and no test has looked at."""
        return [
            planned
            for key, planned in sorted(self.plan.items())
            if not planned.dropped and not self.proofs(*key)
        ]

    def proofs(self, operation: str, status: str) -> set[str]:
        """The tests that have looked at an answer of that kind."""
        return {test for key in self.answers(operation, status) for test in self.cells[key].looked}

    def answers(self, operation: str, status: str) -> list[tuple[str, str]]:
        """The keys of the cells that an entry of the plan stands for."""
        if status == "default":
            named = {known for one, known in self.plan if one == operation}
            return [
                key
                for key in sorted(self.cells)
                if key[0] == operation and key[1] not in named and f"{key[1][0]}XX" not in named
            ]
        if status.endswith("XX"):
            return [
                key for key in sorted(self.cells) if key[0] == operation and key[1][0] == status[0]
            ]
        return [(operation, status)] if (operation, status) in self.cells else []

    def counts(self) -> tuple[int, int]:
        """How much of the plan is covered, and how much there is."""
        planned = sum(not one.dropped for one in self.plan.values())
        return planned - len(self.gaps()), planned

    @property
    def percent(self) -> float:
        """The covered part of the plan; an empty one is covered."""
        covered, planned = self.counts()
        return 100 * covered / planned if planned else 100.0

    def add(self, other: Outcome) -> None:
        """Take in what another run, or another worker of this one, has shown."""
        self.operations |= other.operations
        self.notes |= other.notes
        for key, planned in other.plan.items():
            known = self.plan.get(key)
            self.plan[key] = planned if known is None else _both(known, planned)
        for key, cell in other.cells.items():
            mine = self.cells.setdefault(key, Cell())
            mine.times += cell.times
            mine.content_types |= cell.content_types
            mine.looked |= cell.looked
            mine.caused = (mine.caused | cell.caused) - mine.looked
        for problem, example in other.problems.items():
            self.found(problem, example)
        for operation, cost in other.costs.items():
            self.spent(operation, cost)

    def found(self, problem: Problem, example: Example) -> None:
        """A problem, in a test; the example of the first test by name is kept."""
        known = self.problems.get(problem)
        if known is None:
            self.problems[problem] = replace(example, tests=set(example.tests))
            return
        first = (min(example.tests), example.came, example.body)
        if first < (min(known.tests), known.came, known.body):
            known.came, known.body, known.schema = example.came, example.body, example.schema
        known.tests |= example.tests

    def spent(self, operation: str, cost: Cost) -> None:
        """What requests of an operation have cost."""
        mine = self.costs.setdefault(operation, Cost())
        theirs = (-cost.statements, cost.statements_test)
        if not mine.times or theirs < (-mine.statements, mine.statements_test):
            mine.statements, mine.statements_test = cost.statements, cost.statements_test
        mine.times += cost.times
        mine.seconds += cost.seconds
        mine.slowest = max(mine.slowest, cost.slowest)


def _both(one: Planned, other: Planned) -> Planned:
    if one == other:
        return one
    because = tuple(sorted({*one.because, *other.because}))
    return Planned(one.operation, one.status, because, max(one.dropped, other.dropped))
