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
    project: Project, survey: Survey, *, pytest: int
) -> tuple[Proposal | None, list[str]]:
    """What is added to pyproject.toml, and notes on what can't be.

    :param pytest: the major version that is installed.
    """
    before = project.pyproject
    notes: list[str] = []
    tables = [
        Table("tool.greenroom", () if _names_app(project) else (("app", survey.address, ""),))
    ]
    if project.pytest_file is not None:
        notes.append(
            f"pytest takes its settings from {project.pytest_file}, which is left as it is. Wanted there: "
            "strict_markers (addopts = --strict-markers before pytest 9)."
        )
    else:
        tables.append(_pytest(project, survey, pytest, notes))
    if not project.has_coverage:
        tables += _coverage(project, survey)
    after, more = added(before or "", tables)
    notes += more
    if after == (before or ""):
        return None, notes
    why = "greenroom is on; markers are strict; one event loop; what coverage looks at"
    return Proposal(Path("pyproject.toml"), before, after, why), notes


def env_file(project: Project) -> Proposal | None:
    """`.env.test`, if there is none and nothing else is named."""
    table = find(project.data, "tool.greenroom") or {}
    if "env-file" in table or project.text(".env.test") is not None:
        return None
    lines = [
        "# Environment variables for the tests: read before the app is imported. Nothing in it is secret.",
        "# The database's URL needs no line: greenroom makes databases of its own.",
    ]
    names: dict[str, None] = {}
    for example in _EXAMPLES:
        names |= dict.fromkeys(
            re.findall(
                r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=", project.text(example) or "", re.MULTILINE
            )
        )
    lines += [f"# {name}=" for name in names]
    text = "\n".join(lines) + "\n"
    return Proposal(Path(".env.test"), None, text, "what the app's settings need in tests")


def _names_app(project: Project) -> bool:
    if "app" in (find(project.data, "tool.greenroom") or {}):
        return True
    return "entrypoint" in (find(project.data, "tool.fastapi") or {})


def _pytest(project: Project, survey: Survey, version: int, notes: list[str]) -> Table:
    old = find(project.data, "tool.pytest.ini_options")
    native = find(project.data, "tool.pytest")
    name = (
        "tool.pytest"
        if old is None and (native or version >= NATIVE)
        else "tool.pytest.ini_options"
    )
    known = old if old is not None else (native or {})
    keys: list[tuple[str, object, str]] = []
    folder = project.tests_folder
    if not known and folder is not None:
        keys.append(("testpaths", [folder.as_posix()], ""))
    is_strict = (
        "--strict" in str(known.get("addopts", "")) or {"strict", "strict_markers"} & known.keys()
    )
    if not is_strict and project.marks:
        marks = ", ".join(project.marks)
        notes.append(
            f"strict markers are left out: the suite uses marks that nobody has declared ({marks}). "
            "Declare them under markers, then run greenroom init again."
        )
    elif not is_strict and version >= NATIVE:
        keys.append(("strict_markers", True, "a mark that is misspelled is an error"))
        if not known:
            keys.append(("strict_config", True, ""))
    elif not is_strict and "addopts" not in known:
        keys.append(("addopts", ["--strict-markers", "--strict-config"], ""))
    if (
        not survey.is_wsgi
        and not project.anyio
        and not any(key.startswith("asyncio_") for key in known)
    ):
        keys += _SESSION_LOOPS
    return Table(name, keys)


def _coverage(project: Project, survey: Survey) -> list[Table]:
    module = survey.address.partition(":")[0]
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
