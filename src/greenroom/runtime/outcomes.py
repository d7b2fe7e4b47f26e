"""Outcomes as files, and what they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from greenroom.config.settings import Settings
from greenroom.facts.difference import difference
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.outcome import Outcome
from greenroom.facts.stored import from_json, to_json
from greenroom.report import contract, page

#: The names of files that are asked for by their kind.
NAMES = {"json": "greenroom.json", "html": "greenroom.html"}


def read(path: Path) -> Outcome:
    """Read an outcome. Raises GreenroomError if it can't be read, or isn't one."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GreenroomError(
            Code.OUTCOME, f"{path} can't be read: {error}.", "Give the file that a run has written."
        ) from None
    return from_json(text, str(path))


def combine(paths: Sequence[Path]) -> Outcome:
    """The outcomes of several files as one.

    :raises GreenroomError: if one can't be read, or they are of different apps.
    """
    outcomes = [(path, read(path)) for path in paths]
    first_path, first = outcomes[0]
    combined = Outcome(first.app)
    for path, one in outcomes:
        if one.app != first.app:
            raise GreenroomError(
                Code.OUTCOME,
                f"{path} is of the app {one.app}, and {first_path} of {first.app}.",
                "Combine the shards of one app.",
            )
        combined.add(one)
    return combined


def write(outcome: Outcome, asked: Sequence[str], folder: Path) -> list[Path]:
    """Write the files that were asked for; their paths.

    :param asked: `json`, `html`, or names that end so.
    :raises GreenroomError: if one can't be written.
    """
    written = []
    for one in asked:
        if one == "terminal":
            continue
        path = folder / NAMES.get(one, one)
        text = page.page(outcome) if path.suffix == ".html" else to_json(outcome)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise GreenroomError(
                Code.OUTCOME, f"{path} can't be written: {error}.", "Name another file."
            ) from None
        written.append(path)
    return written


def refusals(outcome: Outcome, settings: Settings, root: Path) -> list[str]:
    """Why the run fails, although its tests may not; nothing if it doesn't.

    :raises GreenroomError: if the baseline can't be read, or is another app's.
    """
    refused = []
    least = settings.fail_under.value
    if outcome.percent < least:
        refused.append(
            f"{Code.GATE.value} {contract.shown(outcome.percent)} % of the planned answers are covered, "
            f"and {least:g} % are asked for ({settings.fail_under.source})."
        )
    if settings.details.baseline is not None:
        path = root / settings.details.baseline
        known = read(path)
        if known.app != outcome.app:
            raise GreenroomError(
                Code.OUTCOME,
                f"the baseline {path} is of the app {known.app}, and this run of {outcome.app}.",
                "Write a new one with --greenroom-report.",
            )
        found = difference(known, outcome)
        if found.is_worse:
            refused.append(
                f"{Code.GATE.value} there are gaps or problems that {settings.details.baseline} doesn't "
                "know."
            )
            refused += [f"  {line}" for line in contract.difference_lines(found)]
    return refused
