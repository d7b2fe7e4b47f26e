"""The settings that are proposed: of greenroom, pytest and coverage.py, and the tests' environment."""

from __future__ import annotations

import re
from pathlib import Path

from greenroom.facts.survey import Survey
from greenroom.scaffold.project import Project
from greenroom.scaffold.proposal import Proposal
from greenroom.scaffold.pyproject import Table, added, find

#: The first pytest that reads `[tool.pytest]`, and has switches for what is strict.
NATIVE = 9
_SESSION_LOOPS = (
    ("asyncio_mode", "auto", ""),
    (
        "asyncio_default_fixture_loop_scope",
        "session",
        "one event loop for all: see greenroom's docs",
    ),
    ("asyncio_default_test_loop_scope", "session", ""),
)
_EXAMPLES = (".env.example", ".env.sample", ".env.template", "example.env", ".env")


def pyproject(
    project: Project, survey: Survey, *, pytest: int, strict: bool
) -> tuple[Proposal | None, list[str]]:
    """What is added to pyproject.toml, and notes on what can't be.

    :param pytest: the major version that is installed.
    :param strict: whether the suite is collected with strict markers.
    """
    before = project.pyproject
    notes: list[str] = []
    names = _names_app(project) or not survey.address
    tables = [Table("tool.greenroom", () if names else (("app", survey.address, ""),))]
    if project.pytest_file is not None:
        notes.append(
            f"pytest takes its settings from {project.pytest_file}, which is left as it is. Wanted there: "
            "strict_markers (addopts = --strict-markers before pytest 9); for async tests asyncio_mode = auto, and "
            "session for asyncio_default_fixture_loop_scope and asyncio_default_test_loop_scope."
        )
    else:
        tables.append(_pytest(project, survey, pytest, strict=strict))
    if not project.has_coverage:
        tables += _coverage(project, survey)
    after, more = added(before or "", tables)
    notes += more
    if after == (before or ""):
        return None, notes
    why = "settings of greenroom, pytest and coverage.py"
    return Proposal(Path("pyproject.toml"), before, after, why), notes


def env_file(project: Project) -> Proposal | None:
    """`.env.test`, if there is none and nothing else is named."""
    table = find(project.data, "tool.greenroom") or {}
    if "env-file" in table or (project.root / ".env.test").exists():
        return None
    lines = [
        "# Environment variables for the tests: read before the app is imported. Nothing in it is secret.",
        "# The database's URL needs no line: greenroom makes databases of its own.",
    ]
    names: dict[str, None] = {}
    for example in _EXAMPLES:
        names |= dict.fromkeys(
            re.findall(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=", project.text(example), re.MULTILINE)
        )
    lines += [f"# {name}=" for name in names]
    text = "\n".join(lines) + "\n"
    return Proposal(Path(".env.test"), None, text, "what the app's settings need in tests")


def _names_app(project: Project) -> bool:
    if "app" in (find(project.data, "tool.greenroom") or {}):
        return True
    return "entrypoint" in (find(project.data, "tool.fastapi") or {})


def is_strict(project: Project) -> bool:
    """Whether a mark that nobody has declared is an error already."""
    known = project.pytest_settings
    told = known.get("addopts", "")
    words = told.split() if isinstance(told, str) else list(told)
    return bool({"strict", "strict_markers"} & known.keys()) or bool(
        {"--strict", "--strict-markers"} & set(map(str, words))
    )


def _pytest(project: Project, survey: Survey, version: int, *, strict: bool) -> Table:
    if not project.allows("pytest", f"{version}.99"):
        version = (
            NATIVE - 1
        )  # Elsewhere an older one is installed, which doesn't read the new table.
    old = find(project.data, "tool.pytest.ini_options")
    native = find(project.data, "tool.pytest")
    name = (
        "tool.pytest"
        if old is None and (native or version >= NATIVE)
        else "tool.pytest.ini_options"
    )
    known = project.pytest_settings
    keys: list[tuple[str, object, str]] = []
    folder = project.tests_folder
    if not known and folder is not None:
        keys.append(("testpaths", [folder.as_posix()], ""))
    if strict and not is_strict(project):
        if version >= NATIVE:
            keys.append(("strict_markers", True, "a mark that is misspelled is an error"))
            if not known:
                keys.append(("strict_config", True, ""))
        elif "addopts" not in known:
            keys.append(("addopts", ["--strict-markers", "--strict-config"], ""))
    says_something = (
        project.anyio
        or project.loops
        or any(key.startswith(("asyncio_", "anyio_")) for key in known)
    )
    if not survey.is_wsgi and not says_something:
        keys += _SESSION_LOOPS
    return Table(name, keys)


def _coverage(project: Project, survey: Survey) -> list[Table]:
    module = survey.module
    package = module.partition(".")[0]
    run: list[tuple[str, object, str]] = [("branch", True, "")]
    if (
        "." in module
        or (project.root / package).is_dir()
        or (project.root / "src" / package).is_dir()
    ):
        run.append(("source", [package], ""))
    else:
        run += [("source", ["."], ""), ("omit", ["tests/*", "test_*.py", "conftest.py"], "")]
    if not survey.is_wsgi:
        run.append(
            ("concurrency", ["thread", "greenlet"], "SQLAlchemy's async engines work in greenlets")
        )
    report: list[tuple[str, object, str]] = [("show_missing", True, ""), ("skip_covered", True, "")]
    return [Table("tool.coverage.run", run), Table("tool.coverage.report", report)]
