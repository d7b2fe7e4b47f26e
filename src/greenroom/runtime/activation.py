"""Does this project use greenroom? The rule, decided once per run, before anything is imported.

A project uses greenroom if it *says* so: a `[tool.greenroom]` table, or an app named by
`GREENROOM_APP` or `--greenroom-app`. Or if it has an app where `fastapi dev` would look, and either
*declares* greenroom among its dependencies, or *requests* one of greenroom's fixtures in its tests
that nothing of its own provides. The last is read from the source of the whole suite, so that it
doesn't depend on which tests are selected.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from greenroom.app import discover
from greenroom.app.target import Target
from greenroom.config import read
from greenroom.config.project import Project, concerns_greenroom, read_project
from greenroom.config.settings import Settings
from greenroom.config.suite import find_request
from greenroom.config.suite import uses_anyio as speaks_of_anyio
from greenroom.facts.errors import GreenroomError


@dataclass(frozen=True, slots=True)
class Active:
    """A project that uses greenroom."""

    root: Path
    settings: Settings
    target: Target
    because: str


@dataclass(frozen=True, slots=True)
class Inactive:
    """A project that doesn't; `has_app` tells whether an app was found all the same."""

    root: Path
    has_app: bool


@dataclass(frozen=True, slots=True)
class Suite:
    """Where a project's tests are, as pytest knows it.

    :param roots: gives the folders and files that hold the tests.
    :param skip: patterns of folder names that aren't recursed into.
    :param files: patterns of the names of test modules.
    :param provided: whether another plugin provides a fixture of that name.
    """

    roots: Callable[[], Iterable[Path]]
    skip: Sequence[str]
    files: Sequence[str]
    provided: Callable[[str], bool]


def test_file_rule(patterns: Sequence[str], root: Path) -> Callable[[Path], bool]:
    """A file of the suite: by its name, or because it lies where the tests are.

    :param patterns: of the names of test modules.
    :param root: the project's folder.
    """
    names = [*patterns, "conftest.py"]

    def is_test_file(file: Path) -> bool:
        if any(fnmatch.fnmatch(file.name, pattern) for pattern in names):
            return True
        if root not in file.parents:
            return False
        return bool({"tests", "test"} & set(file.relative_to(root).parent.parts))

    return is_test_file


def uses_anyio(suite: Suite) -> bool:
    """Whether the suite's async tests are for anyio's pytest plugin."""
    return speaks_of_anyio(suite.roots(), suite.skip, suite.files)


#: How far above what is run an app is looked for where nothing marks a project.
HIGHEST = 3
#: The files that mark the top folder of a project.
MARKS = ("pyproject.toml", "setup.py", "setup.cfg", ".git")


def project_root(folders: Sequence[Path]) -> Path | None:
    """The folder of the project that is run, or None.

    That is the nearest one whose pyproject.toml speaks of greenroom or FastAPI, or that holds an app;
    it isn't looked for above the top folder of another project. Else it is the nearest one above with
    a `[tool.greenroom]` table. Where pytest's configuration lies says nothing of where the app does.

    :param folders: the folder of what is run, and those above it.
    """
    for height, folder in enumerate(folders):
        if concerns_greenroom(folder) or discover.has_app(folder):
            return folder
        if height == HIGHEST or any((folder / mark).exists() for mark in MARKS):
            break
    return next((folder for folder in folders if _says(folder)), None)


def _says(folder: Path) -> bool:
    try:
        return read_project(folder).table is not None
    except GreenroomError:
        return False


def decide(
    root: Path,
    above: Sequence[Path],
    environ: Mapping[str, str],
    flags: Mapping[str, object],
    suite: Suite,
) -> Active | Inactive:
    """Apply the rule to the project in a folder.

    :param above: the folders above it, whose dependencies are the project's too.
    :raises GreenroomError: if the configuration has mistakes, or if the project says that it uses
        greenroom and no app, or more than one, is found.
    """
    project = read_project(root)
    says = project.table is not None or bool(environ.get("GREENROOM_APP") or flags.get("app"))
    if not says and project.entrypoint is None and not discover.has_place(root):
        return Inactive(root, has_app=False)
    because = _because(project, above, says=says)
    if because is None:
        request = find_request(root, suite.roots(), suite.skip, suite.files, suite.provided)
        if request is None:
            return Inactive(root, has_app=True)
        because = f"{request.function} in {request.file.name} requests {request.fixture}"
    settings = read.read(project.table or {}, environ, flags)
    target = discover.find(root, settings.app, project.entrypoint)
    if target is None:
        if says or project.declares:
            raise discover.no_app(root)
        return Inactive(root, has_app=False)
    return Active(root, settings, target, because)


def _because(project: Project, above: Sequence[Path], *, says: bool) -> str | None:
    if project.table is not None:
        return "[tool.greenroom]"
    if says:
        return "its app is named"
    if project.declares:
        return "greenroom is a dependency"
    for folder in above:
        if concerns_greenroom(folder) and read_project(folder).declares:
            return f"greenroom is a dependency of {folder.name}"
    return None
