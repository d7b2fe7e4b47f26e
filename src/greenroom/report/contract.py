"""What the suite proves, in lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterable

from greenroom.facts.difference import Difference
from greenroom.facts.outcome import Example, Outcome, Planned, Problem

#: How many problems are shown without being asked for.
MOST = 10
WORST = 3
#: What stands in the matrix for an answer: looked at, only caused, not shown, dropped, not planned.
MARKS = {"looked": "x", "caused": "o", "gap": ".", "dropped": "-", "beside": "+"}


def lines(outcome: Outcome, *, full: bool) -> list[str]:
    """The section's lines; none if no operation was asked anything.

    :param full: with the matrix, and all problems.
    """
    if not outcome.cells and not full:
        return []
    covered, planned = outcome.counts()
    told = [f"{covered} of {planned} planned answers are covered ({shown(outcome.percent)} %)"]
    if full:
        told += ["", *matrix(outcome), ""]
    else:
        told += _worst(outcome)
    told += problems(outcome, None if full else MOST)
    told += [f"note: {note}" for note in sorted(outcome.notes)]
    return told


def shown(percent: float) -> str:
    """A percentage, rounded down: what isn't covered in full is never 100."""
    return f"{int(percent * 10) / 10:g}"


def problems(outcome: Outcome, most: int | None) -> list[str]:
    """The problems, a line each."""
    found = sorted(outcome.problems.items(), key=lambda pair: pair[0])
    if not found:
        return []
    told = [f"{len(found)} {'problem' if len(found) == 1 else 'problems'} with answers:"]
    told += [f"  {problem_line(*pair)}" for pair in found[:most]]
    if most is not None and len(found) > most:
        told.append(f"  and {len(found) - most} more; --greenroom-report shows them")
    return told


def problem_line(problem: Problem, example: Example) -> str:
    """One problem with the first test that saw it."""
    place = f" at {problem.where}" if problem.where else ""
    first, *others = sorted(example.tests)
    more = f" and {len(others)} more" if others else ""
    return (
        f"{problem.operation} {problem.status} {problem.rule}{place}: expected {problem.expected}, "
        f"came {example.came} ({first}{more})"
    )


def matrix(outcome: Outcome) -> list[str]:
    """Operations by statuses: what is covered, what isn't."""
    statuses = sorted(
        {status for _, status in outcome.plan} | {status for _, status in outcome.cells}
    )
    names = sorted(outcome.operations, key=by_path)
    width = max((len(name) for name in names), default=0)
    told = [" ".join([" " * width, *statuses])]
    for name in names:
        cells = [MARKS.get(state(outcome, name, one), " ").center(len(one)) for one in statuses]
        told.append(" ".join([name.ljust(width), *cells]).rstrip())
    told.append(
        "x looked at by a test, o only caused, . not shown, - dropped, + shown and not planned"
    )
    return told


def state(outcome: Outcome, operation: str, status: str) -> str:
    """What is known of an answer: a key of `MARKS`; empty if nothing is, or has to be."""
    planned = outcome.plan.get((operation, status))
    cell = outcome.cells.get((operation, status))
    if planned is None:
        return "beside" if cell is not None else ""
    if outcome.proofs(operation, status):
        return "looked"
    if planned.dropped:
        return "dropped"
    return "caused" if outcome.answers(operation, status) else "gap"


def by_path(operation: str) -> tuple[str, str]:
    """What sorts the operations of one path together."""
    method, _, path = operation.partition(" ")
    return path, method


def worst(outcome: Outcome) -> list[tuple[str, list[Planned], int]]:
    """The operations with the most gaps: their names, the gaps, how much is planned."""
    gaps: dict[str, list[Planned]] = {}
    for gap in outcome.gaps():
        gaps.setdefault(gap.operation, []).append(gap)
    total: dict[str, int] = {}
    for planned in outcome.plan.values():
        total[planned.operation] = total.get(planned.operation, 0) + (not planned.dropped)
    ordered = sorted(gaps, key=lambda name: (-len(gaps[name]), name))
    return [(name, gaps[name], total[name]) for name in ordered]


def _worst(outcome: Outcome) -> list[str]:
    found = worst(outcome)[:WORST]
    if not found:
        return []
    return [
        "most is missing of:",
        *(
            f"  {name}: {', '.join(gap.status for gap in gaps)} ({total - len(gaps)} of {total})"
            for name, gaps, total in found
        ),
    ]


def difference_lines(found: Difference) -> list[str]:
    """A comparison, in lines."""
    told = []
    for title, entries in (
        ("new problems", [_problem(one) for one in found.problems]),
        ("new gaps", [_gap(one) for one in found.gaps]),
        ("solved problems", [_problem(one) for one in found.solved]),
        ("closed gaps", [_gap(one) for one in found.closed]),
        ("new operations", found.operations),
        ("removed operations", found.removed),
    ):
        told += _titled(title, entries)
    return told or ["Nothing has changed."]


def _titled(title: str, entries: Iterable[str]) -> list[str]:
    entries = list(entries)
    return [f"{title}: {len(entries)}", *(f"  {one}" for one in entries)] if entries else []


def _gap(planned: Planned) -> str:
    return f"{planned.operation} {planned.status}: {'; '.join(planned.because)}"


def _problem(problem: Problem) -> str:
    place = f" at {problem.where}" if problem.where else ""
    return (
        f"{problem.operation} {problem.status} {problem.rule}{place}: expected {problem.expected}"
    )
