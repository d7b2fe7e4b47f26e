"""What a project's pyproject.toml says that concerns greenroom."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greenroom.facts.errors import Code, GreenroomError


@dataclass(frozen=True, slots=True)
class Project:
    """A project's folder and the parts of its pyproject.toml that greenroom reads.

    :param table: `[tool.greenroom]`, or None where there is no such table.
    :param entrypoint: `[tool.fastapi] entrypoint`, or None.
    :param declares: whether the project lists greenroom among its dependencies.
    """

    root: Path
    table: Mapping[str, object] | None
    entrypoint: str | None
    declares: bool


def read_project(root: Path) -> Project:
    """Read the project in a folder; one without a pyproject.toml says nothing.

    :raises GreenroomError: if the file can't be parsed or a table isn't a table.
    """
    file = root / "pyproject.toml"
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return Project(root, None, None, declares=False)
    except UnicodeDecodeError as error:
        raise GreenroomError(
            Code.CONFIGURATION,
            f"{file} isn't UTF-8: {error}.",
            "Save it as UTF-8, as TOML wants it.",
        ) from None
    if not any(word in text.lower() for word in ("greenroom", "fastapi")):
        return Project(root, None, None, declares=False)
    data = parse_toml(text, str(file))
    tool = _table(data.get("tool"))
    greenroom = tool.get("greenroom")
    if greenroom is not None and not isinstance(greenroom, Mapping):
        raise GreenroomError(
            Code.CONFIGURATION,
            f"tool.greenroom in {file} is not a table.",
            "Write it as a [tool.greenroom] section.",
        )
    entrypoint = _table(tool.get("fastapi")).get("entrypoint")
    return Project(
        root,
        greenroom,
        entrypoint if isinstance(entrypoint, str) else None,
        declares=any(map(names_greenroom, requirements(data))),
    )


def parse_toml(text: str, name: str) -> dict[str, Any]:
    """What TOML says.

    :param name: what an error calls the file.
    :raises GreenroomError: if it isn't TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise GreenroomError(
            Code.CONFIGURATION, f"{name} can't be parsed: {error}.", "Correct its TOML syntax."
        ) from None


def concerns_greenroom(root: Path) -> bool:
    """Whether a folder's pyproject.toml says anything that greenroom reads, or can't be parsed."""
    try:
        project = read_project(root)
    except GreenroomError:
        return True  # Let the error be shown where the project is read.
    return project.table is not None or project.entrypoint is not None or project.declares


def _table(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def requirements(data: Mapping[str, object]) -> Iterable[object]:
    """Every requirement that a pyproject.toml states, in the standard tables and, by name only, in Poetry's."""
    tool = _table(data.get("tool"))
    project = _table(data.get("project"))
    yield from _items(project.get("dependencies"))
    for group in _table(project.get("optional-dependencies")).values():
        yield from _items(group)
    for group in _table(data.get("dependency-groups")).values():
        yield from _items(group)
    yield from _items(_table(tool.get("uv")).get("dev-dependencies"))
    poetry = _table(tool.get("poetry"))
    yield from _table(poetry.get("dependencies"))
    yield from _table(poetry.get("dev-dependencies"))
    for group in _table(poetry.get("group")).values():
        yield from _table(_table(group).get("dependencies"))


def _items(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


def names_greenroom(requirement: object) -> bool:
    """Whether a requirement is one of greenroom."""
    return isinstance(requirement, str) and bool(
        re.match(r"greenroom(?![\w.-])", requirement.strip(), re.IGNORECASE)
    )
