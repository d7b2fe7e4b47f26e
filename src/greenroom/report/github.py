"""What the suite proves, for GitHub: a summary in Markdown, and annotations.

After "Workflow commands for GitHub Actions", "Setting a warning message" and "Adding a job summary".
"""

from __future__ import annotations

from greenroom.facts.outcome import Outcome
from greenroom.report.contract import problem_line, shown, worst

#: GitHub shows ten annotations of a step.
MOST = 10


def summary(outcome: Outcome) -> str:
    """The step's summary."""
    covered, planned = outcome.counts()
    told = [
        "### What the suite proves",
        "",
        f"{covered} of {planned} planned answers are covered ({shown(outcome.percent)} %).",
        "",
    ]
    if outcome.problems:
        told += [
            "| answer | rule | where | expected | came | test |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for problem, example in sorted(outcome.problems.items(), key=lambda pair: pair[0]):
            row = (
                f"{problem.operation} {problem.status}",
                problem.rule,
                problem.where,
                problem.expected,
                example.came,
                min(example.tests),
            )
            told.append(f"| {' | '.join(_cell(one) for one in row)} |")
        told.append("")
    missing = worst(outcome)
    if missing:
        told += ["| operation | not shown | covered |", "| --- | --- | --- |"]
        told += [
            f"| {_cell(name)} | {', '.join(gap.status for gap in gaps)} | {total - len(gaps)} of {total} |"
            for name, gaps, total in missing
        ]
        told.append("")
    return "\n".join(told) + "\n"


def warnings(outcome: Outcome) -> list[str]:
    """A warning for each problem, with the file of the first test that saw it."""
    found = sorted(outcome.problems.items(), key=lambda pair: pair[0])[:MOST]
    told = []
    for problem, example in found:
        file = min(example.tests).partition("::")[0]
        text = _escaped(problem_line(problem, example))
        told.append(f"::warning file={_property(file)},title=greenroom {problem.rule}::{text}")
    return told


def _cell(text: str) -> str:
    plain = text.replace("|", "\\|").replace("\n", " ").replace("`", "'")
    return f"`{plain}`" if plain else ""


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
