"""Write docs/reference.md from the code: `python docs/generate.py`, or `make reference`."""

from __future__ import annotations

import argparse
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import greenroom
from greenroom.cli.main import parser as command_line
from greenroom.config.options import FIXTURES, OPTIONS
from greenroom.facts.errors import Code
from greenroom.facts.isolation import Isolation
from greenroom.plugin import fixtures, markers

PAGE = Path(__file__).parent / "reference.md"


def reference() -> str:
    """The page."""
    parts = [_options(), _fixtures(), _markers(), _names(), _commands(), _errors()]
    return "\n\n".join(["# Reference", "Made from the code by `make reference`.", *parts]) + "\n"


def _options() -> str:
    rows = [
        f"| `{one.key}` | `{one.variable}` | `{one.flag}` | {_cell(one.accepts)} | {_default(one.default)} | "
        f"{_cell(one.help)} |"
        for one in OPTIONS
    ]
    head = "| key | variable | flag | takes | default | what it decides |\n" + "| --- " * 6 + "|"
    return "\n".join(
        [
            "## Options",
            "",
            "Each stands in `[tool.greenroom]` of pyproject.toml, in the environment, or on the command line, which wins.",
            "[More](options.md).",
            "",
            head,
            *rows,
        ]
    )


def _default(value: object) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, Isolation):
        value = value.value
    if isinstance(value, (int, float)):
        return f"`{value:g}`"
    return f'`"{value}"`' if isinstance(value, str) else '`"block"`'


def _fixtures() -> str:
    lines = ["## Fixtures", "", "[More](fixtures.md)."]
    for name in FIXTURES:
        definition: Any = getattr(fixtures, name)
        function = definition._fixture_function
        scope = definition._fixture_function_marker.scope
        lines += ["", f"### {name}", "", f"Scope: {scope}.", "", inspect.cleandoc(function.__doc__)]
    return "\n".join(lines)


def _markers() -> str:
    lines = ["## Markers", "", "[More](fixtures.md)."]
    for line in markers.LINES:
        call, _, what = line.partition(": ")
        name, _, arguments = call.partition("(")
        lines += ["", f"### {name}", "", f"`@pytest.mark.{name}({arguments.rstrip(')')})`: {what}."]
    return "\n".join(lines)


def _names() -> str:
    rows = []
    for name in greenroom.__all__:
        value = getattr(greenroom, name)
        text = (inspect.getdoc(value) or "").splitlines()[0]
        rows.append(f"| `greenroom.{name}` | {_cell(text)} |")
    return "\n".join(["## Names to import", "", "| name | what it is |", "| --- | --- |", *rows])


def _commands() -> str:
    lines = ["## Commands"]
    for names, parser in _parsers(command_line(), ("greenroom",)):
        what = parser.description or ""
        lines += ["", f"### {' '.join(names)}", "", f"{what[:1].upper()}{what[1:]}."]
        rows = [
            f"| `{_cell(_shown(action))}` | {_cell(action.help or '')} |"
            for action in parser._actions
            if not isinstance(action, (argparse._HelpAction, argparse._SubParsersAction))
        ]
        if rows:
            lines += ["", "| argument | what it does |", "| --- | --- |", *rows]
    return "\n".join(lines)


def _parsers(
    parser: argparse.ArgumentParser, names: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    inner = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
    if not inner:
        yield names, parser
    for action in inner:
        for choice in action._choices_actions:
            below = action.choices[choice.dest]
            below.description = below.description or (choice.help or "")
            yield from _parsers(below, (*names, choice.dest))


def _shown(action: argparse.Action) -> str:
    if not action.option_strings:
        return str(action.metavar or action.dest)
    value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
    return ", ".join(action.option_strings) + value


def _errors() -> str:
    rows = [f"| [{one.value}](errors.md#{one.value.lower()}) | {one.title} |" for one in Code]
    return "\n".join(["## Errors", "", "| code | what it stands for |", "| --- | --- |", *rows])


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
