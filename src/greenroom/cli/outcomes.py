"""`greenroom combine` and `greenroom diff`: what several runs have shown, together and beside each other."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_to(commands: Any) -> None:
    """Declare the commands."""
    combined = commands.add_parser("combine", help="the outcomes of a run's shards as one")
    combined.add_argument(
        "outcomes",
        nargs="+",
        type=Path,
        metavar="outcome.json",
        help="what the shards have written",
    )
    combined.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write it, as .json or .html"
    )
    combined.add_argument(
        "--fail-under",
        type=_percent,
        default=0.0,
        metavar="PERCENT",
        help="exit with 1 if less of the plan is covered",
    )
    combined.set_defaults(run=_combine)
    compared = commands.add_parser("diff", help="what is new in one outcome beside another")
    compared.add_argument("base", type=Path, metavar="base.json", help="what is known")
    compared.add_argument("head", type=Path, metavar="head.json", help="what is compared with it")
    compared.set_defaults(run=_diff)


def _combine(chosen: argparse.Namespace) -> int:
    from greenroom.report import contract
    from greenroom.runtime import outcomes

    outcome = outcomes.combine(chosen.outcomes)
    if chosen.output is not None:
        outcomes.write(outcome, [str(chosen.output.absolute())], chosen.output.absolute().parent)
    print("\n".join(contract.lines(outcome, full=True)))
    if outcome.percent < chosen.fail_under:
        print(f"{contract.shown(outcome.percent)} % is less than {chosen.fail_under:g} %.")
        return 1
    return 0


def _diff(chosen: argparse.Namespace) -> int:
    from greenroom.facts.difference import difference
    from greenroom.facts.errors import Code, GreenroomError
    from greenroom.report import contract
    from greenroom.runtime import outcomes

    base, head = outcomes.read(chosen.base), outcomes.read(chosen.head)
    if base.app != head.app:
        raise GreenroomError(
            Code.OUTCOME,
            f"{chosen.base} is of the app {base.app}, and {chosen.head} of {head.app}.",
            "Compare two outcomes of one app.",
        )
    found = difference(base, head)
    print("\n".join(contract.difference_lines(found)))
    return int(found.is_worse)


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:  # noqa: PLR2004 - per cent
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 100")
    return value
