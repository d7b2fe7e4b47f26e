"""What the suite proves, as one page that needs nothing else: no network, and a script only to filter."""

from __future__ import annotations

import json
from collections.abc import Iterable
from html import escape
from importlib.resources import files

from greenroom.facts.outcome import Cell, Cost, Example, Outcome, Planned, Problem
from greenroom.report.contract import by_path, shown, state

#: What a cell of the matrix says, and how it is read aloud.
_CELLS = {
    "looked": ("✓", "covered"),
    "caused": ("○", "only caused: no test looks at it"),
    "gap": ("·", "not shown"),
    "dropped": ("⌀", "dropped"),
    "beside": ("+", "shown, and not planned"),
}
#: How many tests of an answer are listed at once.
TESTS = 12
SLOWEST = 10


def page(outcome: Outcome) -> str:
    """The page's HTML."""
    names = sorted(outcome.operations, key=by_path)
    numbers = {name: number for number, name in enumerate(names)}
    parts = [
        _head(outcome),
        _matrix(outcome, numbers),
        _problems(outcome),
        _costs(outcome),
        _notes(outcome),
        "<h2>Operations</h2>",
        *(_operation(outcome, name, numbers[name]) for name in names),
    ]
    style, script = (_asset(name) for name in ("page.css", "page.js"))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        # Nothing is fetched, whatever a body that is shown has in it.
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n"
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(outcome.app)}: what the suite proves</title>\n"
        f"<style>\n{style}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + f"\n<script>\n{script}</script>\n</body>\n</html>\n"
    )


def _asset(name: str) -> str:
    return files("greenroom.report").joinpath(name).read_text(encoding="utf-8")


def _head(outcome: Outcome) -> str:
    covered, planned = outcome.counts()
    percent = shown(outcome.percent)
    figures = [
        ("covered", f"{percent} %"),
        ("of the planned answers", f"{covered} / {planned}"),
        ("operations", str(len(outcome.operations))),
        ("problems", str(len(outcome.problems))),
    ]
    told = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in figures)
    return (
        '<a class="skip" href="#matrix">To the matrix</a>\n<header>\n'
        f"<h1>What the suite proves</h1>\n<p class=soft><code>{escape(outcome.app)}</code></p>\n"
        f"<dl class=figures>{told}</dl>\n"
        f'<div class=bar role="img" aria-label="{percent} % covered">'
        f'<span style="width:{percent}%"></span></div>\n</header>'
    )


def _problems(outcome: Outcome) -> str:
    if not outcome.problems:
        return ""
    answers: dict[tuple[str, str], list[tuple[Problem, Example]]] = {}
    for problem, example in sorted(outcome.problems.items(), key=lambda one: one[0]):
        answers.setdefault((problem.operation, problem.status), []).append((problem, example))
    cards = [_answer_with_problems(*key, found) for key, found in answers.items()]
    return f'<h2 id="problems">Problems ({len(outcome.problems)})</h2>\n' + "\n".join(cards)


def _answer_with_problems(operation: str, status: str, found: list[tuple[Problem, Example]]) -> str:
    """One answer with all that is wrong with it, and its body beside what was declared."""
    items = "".join(f"<li>{_problem(*one)}</li>" for one in found)
    first = next((example for _, example in found if example.schema), found[0][1])
    sides = [("The answer", first.body), ("What is declared", first.schema)]
    shown_sides = "".join(
        f"<div><span class=soft>{title}</span><pre>{escape(_pretty(text))}</pre></div>"
        for title, text in sides
        if text
    )
    return (
        f'<article class=card data-operation="{escape(operation)}">'
        f"<h3>{escape(operation)} → {escape(status)}</h3><ul>{items}</ul>"
        + (f"<div class=sides>{shown_sides}</div>" if shown_sides else "")
        + "</article>"
    )


def _problem(problem: Problem, example: Example) -> str:
    place = f" at <code>{escape(problem.where)}</code>" if problem.where else ""
    return (
        f"<strong>{escape(problem.rule)}</strong>{place}: expected {escape(problem.expected)}, "
        f"came <code>{escape(example.came)}</code>{_tests(example.tests)}"
    )


def _matrix(outcome: Outcome, numbers: dict[str, int]) -> str:
    statuses = sorted(
        {status for _, status in outcome.plan} | {status for _, status in outcome.cells}
    )
    head = "".join(f'<th scope="col">{escape(status)}</th>' for status in statuses)
    rows = []
    for name, number in numbers.items():
        states = {status: state(outcome, name, status) for status in statuses}
        gaps = sum(one in {"gap", "caused"} for one in states.values())
        cells = "".join(_cell(number, status, states[status]) for status in statuses)
        rows.append(
            f'<tr data-operation="{escape(name)}" data-gaps="{gaps}">'
            f'<th scope="row"><a href="#o{number}">{escape(name)}</a></th>{cells}</tr>'
        )
    legend = ", ".join(f"{mark} {words}" for mark, words in _CELLS.values())
    return (
        '<h2 id="matrix">Operations by status</h2>\n'
        '<form class=filter onsubmit="return false"><label>Filter '
        '<input type="search" id="filter" autocomplete="off" aria-describedby="count"></label>'
        '<label><input type="checkbox" id="gaps"> only with gaps</label>'
        '<span id="count" class=soft role="status"></span></form>\n'
        f'<div class=wide tabindex="0"><table class=matrix><thead><tr><th scope="col">operation</th>'
        f"{head}</tr></thead>\n<tbody>\n" + "\n".join(rows) + "\n</tbody></table></div>\n"
        f"<p class=soft>{escape(legend)}. Arrow keys move in the matrix, / filters.</p>"
    )


def _cell(number: int, status: str, found: str) -> str:
    if not found:
        return "<td></td>"
    mark, words = _CELLS[found]
    return (
        f'<td><a class="cell {found}" href="#o{number}-{escape(status)}" title="{words}" '
        f'aria-label="{escape(status)}: {words}">{mark}</a></td>'
    )


def _costs(outcome: Outcome) -> str:
    slowest = sorted(
        outcome.costs.items(), key=lambda pair: (-pair[1].seconds / max(1, pair[1].times), pair[0])
    )[:SLOWEST]
    if not slowest:
        return ""
    rows = "".join(
        f'<tr data-operation="{escape(name)}"><th scope="row">{escape(name)}</th><td>{cost.times}</td>'
        f"<td>{_ms(cost.seconds / max(1, cost.times))}</td><td>{_ms(cost.slowest)}</td>"
        f"<td>{_most(cost)}</td></tr>"
        for name, cost in slowest
    )
    return (
        "<h2>Slowest operations</h2>\n<div class=wide><table><thead><tr><th scope=col>operation</th>"
        "<th scope=col>requests</th><th scope=col>mean, ms</th><th scope=col>slowest, ms</th>"
        f"<th scope=col>most statements</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _most(cost: Cost) -> str:
    """The most statements of a request, and the test that saw them."""
    seen = f" <code class=soft>{escape(cost.statements_test)}</code>" if cost.statements else ""
    return f"{cost.statements}{seen}"


def _asked(cost: Cost) -> str:
    if not cost.times:
        return "never asked"
    times = "1 request" if cost.times == 1 else f"{cost.times} requests"
    most = "1 statement" if cost.statements == 1 else f"{cost.statements} statements"
    return f"{times}, at most {most} in one"


def _notes(outcome: Outcome) -> str:
    if not outcome.notes:
        return ""
    items = "".join(f"<li>{escape(note)}</li>" for note in sorted(outcome.notes))
    return f"<h2>Notes</h2>\n<ul>{items}</ul>"


def _operation(outcome: Outcome, name: str, number: int) -> str:
    statuses = sorted(
        {status for one, status in outcome.plan if one == name}
        | {status for one, status in outcome.cells if one == name}
    )
    states = [state(outcome, name, status) for status in statuses]
    gaps = sum(one in {"gap", "caused"} for one in states)
    cost = outcome.costs.get(name, Cost())
    rows = "".join(
        _answer(outcome, name, number, status, found)
        for status, found in zip(statuses, states, strict=True)
    )
    return (
        f'<section class=card id="o{number}" data-operation="{escape(name)}" data-gaps="{gaps}">'
        f"<h3>{escape(name)}</h3><p class=soft>{_asked(cost)}</p><table><thead><tr><th scope=col>status</th><th scope=col>why</th>"
        f"<th scope=col>tests</th></tr></thead><tbody>{rows}</tbody></table></section>"
    )


def _answer(outcome: Outcome, name: str, number: int, status: str, found: str) -> str:
    mark, words = _CELLS[found]
    planned = outcome.plan.get((name, status))
    keys = outcome.answers(name, status) or [(name, status)]
    cells = [outcome.cells.get(key, Cell()) for key in keys]
    looked = {test for cell in cells for test in cell.looked}
    caused = {test for cell in cells for test in cell.caused} - looked
    tests = _tests(looked) + (f"<p class=soft>only caused by</p>{_tests(caused)}" if caused else "")
    return (
        f'<tr id="o{number}-{escape(status)}"><td><span class="cell {found}">{escape(status)} {mark}'
        f"</span></td><td>{_why(planned, words)}</td><td>{tests or '<span class=soft>none</span>'}"
        "</td></tr>"
    )


def _why(planned: Planned | None, words: str) -> str:
    if planned is None:
        return escape(words)
    told = "; ".join(planned.because)
    return escape(f"{told}. Dropped: {planned.dropped}" if planned.dropped else told)


def _tests(tests: Iterable[str]) -> str:
    ordered = sorted(tests)
    if not ordered:
        return ""
    items = [f"<li><code>{escape(test)}</code></li>" for test in ordered]
    if len(items) <= TESTS:
        return f"<ul>{''.join(items)}</ul>"
    rest = len(items) - TESTS
    return (
        f"<ul>{''.join(items[:TESTS])}</ul><details><summary>{rest} more</summary>"
        f"<ul>{''.join(items[TESTS:])}</ul></details>"
    )


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.1f}"


def _pretty(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text
