"""The code blocks of a page: those with a title are files, those of a console are commands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"^```(?P<kind>\w+)(?: title=(?P<name>\S+))?\n(?P<source>.*?)^```$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Command:
    """What is typed, and the lines that are shown for it: `...` stands for any lines, or any part of one."""

    text: str
    shown: tuple[str, ...]

    def is_shown_in(self, output: str) -> bool:
        """Whether the output is what is shown."""
        parts = [line.strip() for line in self.shown]
        pattern = r"\s*".join(
            r"(?:.*\n)*?" if line == "..." else r"\W*" + _with_gaps(line) + r"\W*\n"
            for line in parts
        )
        return re.match(pattern + r"\s*\Z", output.rstrip() + "\n") is not None


def files_of(page: str) -> dict[str, str]:
    """The titled blocks of a page, by their title, as they are at its end."""
    files: dict[str, str] = {}
    for one in steps_of(page):
        if not isinstance(one, Command):
            put(files, *one)
    return files


def put(files: dict[str, str], name: str, source: str) -> None:
    """A file as the page says; `main.py#create_item` replaces that function in it."""
    file, _, function = name.partition("#")
    files[file] = replaced(files[file], function, source) if function else source


def replaced(text: str, function: str, source: str) -> str:
    """A module's text, with another source for a function of it."""
    found = next(
        node
        for node in ast.parse(text).body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == function
    )
    first = min(one.lineno for one in (found, *found.decorator_list)) - 1
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:first], source, *lines[found.end_lineno :]])


def steps_of(page: str) -> Iterator[tuple[str, str] | Command]:
    """What a reader does, in the page's order: a file to write, or a command to give."""
    text = (ROOT / page).read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        if match["name"]:
            yield match["name"], match["source"]
        elif match["kind"] == "console":
            yield from _commands(match["source"])


def _commands(source: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", source, flags=re.MULTILINE)[1:]:
        first, *shown = part.splitlines()
        yield Command(first, tuple(shown))


def _with_gaps(line: str) -> str:
    return ".*".join(map(re.escape, line.split("...")))
