"""Add tables and keys to a pyproject.toml, and touch nothing else in it.

What is there stays as it was written, to the last blank: lines are only added, and what comes out is
read again and compared. A file whose form doesn't allow that is left alone, and said so.
"""

from __future__ import annotations

import copy
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from greenroom.config.project import parse_toml
from greenroom.facts.errors import Code, GreenroomError

#: A value, and the comment behind it.
Lines = Sequence[tuple[str, object, str]]


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is wanted, with its keys.

    :param name: `tool.greenroom`.
    :param keys: each with its value, and a comment that may be empty.
    """

    name: str
    keys: Lines


def parse(text: str, name: str = "pyproject.toml") -> dict[str, Any]:
    """Read TOML. Raises GreenroomError if it can't be."""
    if text.startswith("\ufeff"):
        raise GreenroomError(
            Code.CONFIGURATION,
            f"{name} begins with a byte order mark, which TOML doesn't allow.",
            "Save it as UTF-8 without one.",
        )
    return parse_toml(text, name)


def added(text: str, tables: Sequence[Table]) -> tuple[str, list[str]]:
    """The text with the tables and keys that it hasn't got, and a note for each that can't be added.

    :raises GreenroomError: if the text isn't TOML.
    """
    notes: list[str] = []
    for table in tables:
        data = parse(text)
        known = find(data, table.name)
        missing = [one for one in table.keys if known is None or one[0] not in known]
        if not missing and known is not None:
            continue
        made = _with(text, table.name, missing, is_new=known is None)
        if made is None or not _is_added(data, _parse_or_nothing(made), table.name, missing):
            lines = "".join(f"    {key} = {written(value)}\n" for key, value, _ in missing)
            notes.append(
                f"[{table.name}] is written in a form that greenroom doesn't change. Add it by hand:\n"
                f"    [{table.name}]\n{lines}".rstrip()
            )
        else:
            text = made
    return text, notes


def find(data: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """The table of that name; None if there is none."""
    found: Any = data
    for part in name.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found if isinstance(found, Mapping) else None


def _parse_or_nothing(text: str) -> dict[str, Any] | None:
    """What TOML says; None if it isn't TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def written(value: object) -> str:
    """A value as TOML has it: a text, a switch, or a list of texts."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(written, value))}]"
    # JSON's way to write a text is one of TOML's.
    return json.dumps(value, ensure_ascii=False)


def _with(text: str, name: str, missing: Lines, *, is_new: bool) -> str | None:
    end = "\r\n" if "\r\n" in text else "\n"
    body = "".join(
        f"{key} = {written(value)}{f'  # {comment}' if comment else ''}{end}"
        for key, value, comment in missing
    )
    if is_new:
        if text and not text.endswith("\n"):
            text += end
        return f"{text}{end if text.strip() else ''}[{name}]{end}{body}"
    lines = re.findall(r"[^\n]*\n|[^\n]+", text)
    pattern = r"\s*\.\s*".join(f"[\"']?{re.escape(part)}[\"']?" for part in name.split("."))
    header = re.compile(rf"\s*\[\s*{pattern}\s*\]\s*(#.*)?$")
    places = [number for number, line in enumerate(lines) if header.match(line.rstrip("\r\n"))]
    if not places:  # Its sub-tables stand there alone.
        return _with(text, name, missing, is_new=True)
    if len(places) != 1:
        return None
    first = last = places[0]
    for number in range(first + 1, len(lines)):
        line = lines[number].strip()
        if re.match(r"\[\[?\s*[\w\"'.\s-]+\]\]?\s*(#.*)?$", line):
            break
        if line and not line.startswith("#"):
            last = number
    if not lines[last].endswith("\n"):
        lines[last] += end
    return "".join([*lines[: last + 1], body, *lines[last + 1 :]])


def _is_added(
    before: Mapping[str, Any], after: Mapping[str, Any] | None, name: str, missing: Lines
) -> bool:
    """Whether the one says what the other does, and what was missing, and no more."""
    wanted: Any = copy.deepcopy(before)
    inner = wanted
    for part in name.split("."):
        inner = inner.setdefault(part, {})
        if not isinstance(inner, dict):
            return False
    inner.update(
        {key: list(value) if isinstance(value, tuple) else value for key, value, _ in missing}
    )
    return bool(after == wanted)
