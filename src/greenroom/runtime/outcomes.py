"""Outcomes as files, and what they are held against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
        if path.suffix not in {".html", ".json"}:
            raise GreenroomError(
                Code.OUTCOME,
                f"{path} is neither a page nor an outcome.",
                "End it in .html or .json.",
            )
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


def check(settings: Settings, root: Path) -> None:
    """See before the run that it will have what it is to be held against.

    :raises GreenroomError: if the baseline can't be read, or something is asked of a contract that is
        switched off.
    """
    wanted = [
        one.source
        for one in (settings.report, settings.fail_under)
        if one.value and settings.contract.value == "off"
    ]
    if wanted:
        raise GreenroomError(
            Code.CONFIGURATION,
            f"the contract is off ({settings.contract.source}), so nothing can be told of what the suite "
            f"proves, which {wanted[0]} asks for.",
            "Leave one of them out.",
        )
    baseline = settings.details.baseline
    if baseline is None or settings.contract.value == "off":
        return
    path = root / baseline
    if path not in {root / NAMES.get(one, one) for one in settings.report.value}:
        _known(path, baseline)


def _known(path: Path, name: str) -> Outcome:
    if not path.is_file():
        raise GreenroomError(
            Code.OUTCOME,
            f"the baseline {name} ([tool.greenroom.contract] baseline) isn't there.",
            f"Write it: pytest --greenroom-report={name}",
        )
    return read(path)


def refusals(outcome: Outcome, settings: Settings, root: Path, *, whole: bool) -> list[str]:
    """Why the run fails, although its tests may not; nothing if it doesn't.

    :param whole: whether the whole suite was run; the gaps of a part of it say nothing.
    :raises GreenroomError: if the baseline is another app's.
    """
    refused = []
    least = settings.fail_under.value
    if whole and outcome.percent < least:
        refused.append(
            f"{Code.GATE.value} {contract.shown(outcome.percent)} % of the planned answers are covered, "
            f"and {least:g} % are asked for ({settings.fail_under.source})."
        )
    baseline = settings.details.baseline
    if baseline is not None:
        known = _known(root / baseline, baseline)
        if known.app != outcome.app:
            raise GreenroomError(
                Code.OUTCOME,
                f"the baseline {baseline} is of the app {known.app}, and this run of {outcome.app}.",
                "Write a new one with --greenroom-report.",
            )
        found = difference(known, outcome)
        gaps = found.gaps if whole else ()
        if gaps or found.problems:
            what = " and ".join(
                name for name, some in (("gaps", gaps), ("problems", found.problems)) if some
            )
            refused.append(f"{Code.GATE.value} there are {what} that {baseline} doesn't know.")
            news = replace(found, gaps=gaps, closed=(), solved=(), operations=(), removed=())
            refused += [f"  {line}" for line in contract.difference_lines(news)]
    return refused
