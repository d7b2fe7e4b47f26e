"""An outcome as JSON, and back. The format is documented in `docs/outcome.md`."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.outcome import Cell, Cost, Example, Outcome, Planned, Problem

#: The number of the format; another one can't be read.
FORMAT = 1
_RUN_IT_AGAIN = "Write it again with --greenroom-report=json, by this version of greenroom."


def to_plain(outcome: Outcome) -> dict[str, Any]:
    """Plain values, sorted: equal outcomes come to equal values. What has to do with time is apart."""
    covered, planned = outcome.counts()
    return {
        "format": FORMAT,
        "app": outcome.app,
        "covered": covered,
        "planned": planned,
        "notes": sorted(outcome.notes),
        "operations": [_operation(outcome, name) for name in sorted(outcome.operations)],
        "problems": [
            {
                **asdict(problem),
                "tests": sorted(example.tests),
                "came": example.came,
                "body": example.body,
                "schema": example.schema,
            }
            for problem, example in sorted(outcome.problems.items(), key=lambda pair: pair[0])
        ],
        "times": {
            name: {"seconds": round(cost.seconds, 6), "slowest": round(cost.slowest, 6)}
            for name, cost in sorted(outcome.costs.items())
        },
    }


def to_json(outcome: Outcome) -> str:
    """The text of the file."""
    return json.dumps(to_plain(outcome), indent=1, ensure_ascii=False) + "\n"


def from_plain(plain: dict[str, Any]) -> Outcome:
    """The outcome. Raises KeyError, TypeError, ValueError or AttributeError if it isn't one."""
    outcome = Outcome(str(plain["app"]), notes=set(plain["notes"]))
    for one in plain["operations"]:
        name = one["operation"]
        outcome.operations.add(name)
        for entry in one["plan"]:
            planned = Planned(name, entry["status"], tuple(entry["because"]), entry["dropped"])
            outcome.plan[name, planned.status] = planned
        for cell in one["answers"]:
            outcome.cells[name, cell["status"]] = Cell(
                int(cell["times"]),
                set(cell["content_types"]),
                set(cell["looked"]),
                set(cell["caused"]),
            )
        if name in plain["times"]:
            times = plain["times"][name]
            outcome.costs[name] = Cost(
                int(one["statements"]),
                one["statements_test"],
                int(one["times"]),
                float(times["seconds"]),
                float(times["slowest"]),
            )
    for one in plain["problems"]:
        problem = Problem(
            *(str(one[name]) for name in ("operation", "status", "rule", "where", "expected"))
        )
        if not one["tests"]:
            raise ValueError("a problem that no test has seen")
        outcome.problems[problem] = Example(
            set(one["tests"]), one["came"], one["body"], one["schema"]
        )
    return outcome


def from_json(text: str, name: str) -> Outcome:
    """Read a file's text.

    :param name: what to call the file.
    :raises GreenroomError: if it isn't an outcome, or one of another format.
    """
    try:
        plain = json.loads(text)
        number = plain["format"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise GreenroomError(
            Code.OUTCOME, f"{name} is no outcome of greenroom, or it was cut short.", _RUN_IT_AGAIN
        ) from None
    if number != FORMAT:
        raise GreenroomError(
            Code.OUTCOME,
            f"{name} is an outcome of format {number}; this version reads format {FORMAT}.",
            _RUN_IT_AGAIN,
        )
    try:
        return from_plain(plain)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise GreenroomError(
            Code.OUTCOME, f"{name} is an outcome that lacks something: {error!r}.", _RUN_IT_AGAIN
        ) from None


def _operation(outcome: Outcome, name: str) -> dict[str, Any]:
    cost = outcome.costs.get(name, Cost())
    return {
        "operation": name,
        "plan": [
            {
                "status": planned.status,
                "because": list(planned.because),
                "dropped": planned.dropped,
                "covered": bool(outcome.proofs(*key)),
            }
            for key, planned in sorted(outcome.plan.items())
            if key[0] == name
        ],
        "answers": [
            {
                "status": key[1],
                "times": cell.times,
                "content_types": sorted(cell.content_types),
                "looked": sorted(cell.looked),
                "caused": sorted(cell.caused),
            }
            for key, cell in sorted(outcome.cells.items())
            if key[0] == name
        ],
        "times": cost.times,
        "statements": cost.statements,
        "statements_test": cost.statements_test,
    }
