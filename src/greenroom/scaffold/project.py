"""What a project has already: where its tests and their settings are, and how it is installed."""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greenroom.config.project import requirements
from greenroom.scaffold import pyproject
from greenroom.scaffold.proposal import read

#: Folders in which no suite of the project's lies.
_ELSEWHERE = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist"})
#: Folders whose tests are somebody's, and not the project's suite.
_ASIDE = frozenset({"examples", "example", "docs", "doc", "benchmarks", "scripts", "vendor"})
_PATTERNS = ("test_*.py", "*_test.py")


@dataclass(frozen=True, slots=True)
class Project:
    """A project's folder, read.

    :param pyproject: its pyproject.toml; None if there is none.
    :param tests: its test files, relative to the folder.
    :param anyio: whether its async tests are for anyio's plugin.
    :param loops: whether its tests say anything of event loops themselves.
    :param own_client: whether a conftest has a fixture `client` of its own.
    """

    root: Path
    pyproject: str | None
    data: Mapping[str, Any]
    tests: tuple[Path, ...]
    anyio: bool
    loops: bool
    own_client: bool

    def has(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return (self.root / name).is_file()

    def text(self, name: str) -> str:
        """What a file says, as far as it can be read; nothing if there is none."""
        return read_or_nothing(self.root / name)

    @property
    def pytest_settings(self) -> Mapping[str, Any]:
        """What pyproject.toml tells pytest."""
        old = pyproject.find(self.data, "tool.pytest.ini_options")
        return old if old is not None else (pyproject.find(self.data, "tool.pytest") or {})

    @property
    def tests_folder(self) -> Path | None:
        """The one folder that all tests lie in, or are to; None if they lie elsewhere."""
        told = self.pytest_settings.get("testpaths")
        if isinstance(told, str):
            told = told.split()
        if isinstance(told, list) and told:
            first = str(told[0])
            is_folder = not re.search(r"[*?\[]", first) and not (self.root / first).is_file()
            return Path(first) if is_folder else None
        tops = {test.parts[0] for test in self.tests if len(test.parts) > 1}
        if not self.tests:
            return Path("tests")
        if len(tops) == 1 and all(len(test.parts) > 1 for test in self.tests):
            return Path(tops.pop())
        return None

    def collects(self, name: str) -> bool:
        """Whether pytest takes a file of that name for tests."""
        told = self.pytest_settings.get("python_files", _PATTERNS)
        patterns = told.split() if isinstance(told, str) else told
        return any(fnmatch.fnmatch(name, str(one)) for one in patterns)

    @property
    def pytest_file(self) -> str | None:
        """The file other than pyproject.toml that pytest takes its settings from; None if there is none."""
        for name in ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"):
            if self.has(name):
                return name
        if self._has_table("tool.pytest"):
            return None
        for name, section in (("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")):
            if re.search(rf"^\[{section}\]", self.text(name), re.MULTILINE):
                return name
        return None

    @property
    def has_coverage(self) -> bool:
        """Whether it says anywhere what coverage.py should do."""
        if self.has(".coveragerc") or self._has_table("tool.coverage"):
            return True
        return any("[coverage:" in self.text(name) for name in ("setup.cfg", "tox.ini"))

    @property
    def requires_python(self) -> str:
        """`[project] requires-python`, or what Poetry says; empty if nothing says it."""
        found = (pyproject.find(self.data, "project") or {}).get("requires-python")
        if found is None:
            found = (pyproject.find(self.data, "tool.poetry.dependencies") or {}).get("python")
        return _as_specifier(found) if isinstance(found, str) else ""

    def allows(self, package: str, version: str) -> bool:
        """Whether what the project requires, for itself or for its tests, allows a version of a package."""
        from packaging.requirements import InvalidRequirement, Requirement
        from packaging.specifiers import InvalidSpecifier, SpecifierSet

        for told in requirements(self.data):
            try:
                wanted = Requirement(str(told))
            except InvalidRequirement:
                continue
            if wanted.name.lower() == package and not wanted.specifier.contains(version):
                return False
        for name in ("dependencies", "group.dev.dependencies", "group.test.dependencies"):
            poetrys = (pyproject.find(self.data, f"tool.poetry.{name}") or {}).get(package)
            if not isinstance(poetrys, str):
                continue
            try:
                if version not in SpecifierSet(_as_specifier(poetrys)):
                    return False
            except InvalidSpecifier:
                continue
        return True

    def _has_table(self, name: str) -> bool:
        return pyproject.find(self.data, name) is not None


def _as_specifier(told: str) -> str:
    """Poetry's `^3.12` and `~3.12` as others write them, up to the next major version."""
    found = re.fullmatch(r"[\^~]((\d+)[\d.]*)", told.strip())
    return f">={found[1]},<{int(found[2]) + 1}" if found else told


def look(root: Path) -> Project:
    """Read a project's folder.

    :raises GreenroomError: if its pyproject.toml can't be read.
    """
    text, data = settings_of(root)
    files = list(_python_files(root))
    tests = [file for file in files if any(fnmatch.fnmatch(file.name, one) for one in _PATTERNS)]
    conftests = [read_or_nothing(file) for file in files if file.name == "conftest.py"]
    sources = [*conftests, *map(read_or_nothing, tests)]
    return Project(
        root,
        text,
        data,
        tuple(sorted(file.relative_to(root) for file in tests)),
        anyio=any("anyio_backend" in one or "mark.anyio" in one for one in sources),
        loops=any(re.search(r"loop_scope|event_loop|pytest_asyncio", one) for one in sources),
        own_client=any(re.search(r"def client\b|name\s*=\s*.client", one) for one in conftests),
    )


def settings_of(root: Path) -> tuple[str | None, Mapping[str, Any]]:
    """pyproject.toml, and what it says. Raises GreenroomError if it can't be read."""
    text = read(root / "pyproject.toml")
    return text, pyproject.parse(text) if text is not None else {}


def read_or_nothing(file: Path) -> str:
    """A file, as far as it can be read: nothing of it is written anywhere."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _python_files(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        top = Path(folder) == root
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".")
            and name not in _ELSEWHERE
            and not (top and name in _ASIDE)
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))  # noqa: PTH110, PTH118 - where nobody may look, there is nothing
        )
        yield from (Path(folder, name) for name in files if name.endswith(".py"))
