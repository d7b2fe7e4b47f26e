"""What a project has already: where its tests and their settings are, and how it is installed."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greenroom.scaffold import pyproject
from greenroom.scaffold.proposal import read

#: Folders in which no suite of the project's lies.
_ELSEWHERE = {"node_modules", "site-packages", "__pycache__", "build", "dist"}
#: The marks that pytest and its usual plugins declare themselves.
_KNOWN_MARKS = frozenset(
    [
        "parametrize",
        "skip",
        "skipif",
        "xfail",
        "usefixtures",
        "filterwarnings",
        "tryfirst",
        "trylast",
        "asyncio",
        "anyio",
        "isolation",
        "outgoing",
        "sleep",
        "xdist_group",
        "timeout",
        "flaky",
        "django_db",
    ]
)


@dataclass(frozen=True, slots=True)
class Project:
    """A project's folder, read.

    :param pyproject: its pyproject.toml; None if there is none.
    :param tests: its test files, relative to the folder.
    :param anyio: whether its async tests are for anyio's plugin.
    :param marks: the marks that its tests use, and nobody declares.
    """

    root: Path
    pyproject: str | None
    data: Mapping[str, Any]
    tests: tuple[Path, ...]
    anyio: bool
    marks: tuple[str, ...]

    def text(self, name: str) -> str | None:
        """A file of the project's; None if there is none."""
        return read(self.root / name)

    @property
    def tests_folder(self) -> Path | None:
        """The one folder that all tests lie in; None if they lie elsewhere."""
        tops = {test.parts[0] for test in self.tests if len(test.parts) > 1}
        if not self.tests:
            return Path("tests")
        if len(tops) == 1 and all(len(test.parts) > 1 for test in self.tests):
            return Path(tops.pop())
        return None

    @property
    def pytest_file(self) -> str | None:
        """The file other than pyproject.toml that pytest takes its settings from; None if there is none."""
        for name in ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"):
            if self.text(name) is not None:
                return name
        if self._has_table("tool.pytest"):
            return None
        for name, section in (("tox.ini", "[pytest]"), ("setup.cfg", "[tool:pytest]")):
            if section in (self.text(name) or ""):
                return name
        return None

    @property
    def has_coverage(self) -> bool:
        """Whether it says anywhere what coverage.py should do."""
        if self.text(".coveragerc") is not None or self._has_table("tool.coverage"):
            return True
        return any("[coverage:" in (self.text(name) or "") for name in ("setup.cfg", "tox.ini"))

    @property
    def requires_python(self) -> str | None:
        """`[project] requires-python`."""
        found = (pyproject.find(self.data, "project") or {}).get("requires-python")
        return found if isinstance(found, str) else None

    def _has_table(self, name: str) -> bool:
        return pyproject.find(self.data, name) is not None


def look(root: Path) -> Project:
    """Read a project's folder.

    :raises GreenroomError: if its pyproject.toml can't be read.
    """
    text = read(root / "pyproject.toml")
    data = pyproject.parse(text) if text is not None else {}
    tests = tuple(sorted(file.relative_to(root) for file in _test_files(root)))
    sources = [read_or_nothing(root / file) for file in tests]
    sources += [
        read_or_nothing(file) for file in root.glob("**/conftest.py") if _is_own(root, file)
    ]
    used = {
        name
        for source in sources
        for name in re.findall(r"pytest\s*\.\s*mark\s*\.\s*(\w+)", source)
    }
    registered = text or ""
    for name in ("pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg"):
        registered += read(root / name) or ""
    declared = {
        name for name in used if re.search(rf"[\"'\s]{name}(\(.*?\))?\s*[:\"']", registered)
    } | {
        name
        for name in used
        if any(f'"{name}:' in source or f"'{name}:" in source for source in sources)
    }
    return Project(
        root,
        text,
        data,
        tests,
        anyio=any("anyio_backend" in source or "mark.anyio" in source for source in sources),
        marks=tuple(sorted(used - _KNOWN_MARKS - declared)),
    )


def read_or_nothing(file: Path) -> str:
    """A source file; nothing where it can't be read: another tool tells of that."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _test_files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _ELSEWHERE
            and not Path(folder, name, "pyvenv.cfg").exists()
        )
        for name in files:
            if any(fnmatch.fnmatch(name, pattern) for pattern in ("test_*.py", "*_test.py")):
                yield Path(folder, name)


def _is_own(root: Path, file: Path) -> bool:
    parts = file.relative_to(root).parts
    return not any(part.startswith(".") or part in _ELSEWHERE for part in parts)
