"""A workflow that runs the suite for every change: GitHub's or GitLab's."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from greenroom.config.project import names_greenroom
from greenroom.facts.survey import Survey
from greenroom.scaffold.project import Project, read_or_nothing
from greenroom.scaffold.proposal import Proposal
from greenroom.scaffold.pyproject import find

_GITHUB = Path(".github", "workflows", "tests.yml")
_GITLAB = Path(".gitlab-ci.yml")
#: What extras and groups of what tests need are called.
_OF_TESTS = ("dev", "test", "tests", "testing")
_REQUIREMENTS = (
    "requirements.txt",
    "requirements-dev.txt",
    "dev-requirements.txt",
    "requirements-test.txt",
)
#: The oldest Python that greenroom runs on, 3.11.
OLDEST = 11
#: The newest one that a project may ask for.
NEWEST = 20
#: The extras that a kind of database needs.
_EXTRAS = {"postgresql": "postgres", "mariadb": "mysql", "mysql": "mysql"}


def workflow(
    project: Project, survey: Survey, service: str | None, *, top: Path | None
) -> tuple[Proposal | None, list[str]]:
    """The workflow, if the project has none that runs pytest, and notes.

    :param service: `github` or `gitlab`; None takes the one whose files are there, else GitHub's.
    :param top: the repository's folder; None if there is none.
    """
    root = project.root
    if top is not None and top != root:
        return None, [
            f"the repository's top is {top}: a workflow belongs there, with {root.relative_to(top)} as its folder."
        ]
    if service is None:
        service = "gitlab" if (root / _GITLAB).exists() else "github"
    if service == "gitlab":
        if (root / _GITLAB).exists():
            return _already(str(_GITLAB), read_or_nothing(root / _GITLAB))
        text = _gitlab(project, survey)
        return Proposal(_GITLAB, None, text, "GitLab runs the suite"), _unknown(project)
    folder = root / _GITHUB.parent
    files = [*folder.glob("*.yml"), *folder.glob("*.yaml")] if folder.is_dir() else []
    for file in files:
        text = read_or_nothing(file)
        if file.stem == _GITHUB.stem or _runs_tests(text):
            return _already(file.relative_to(root).as_posix(), text)
    text = _github(project, survey)
    return Proposal(_GITHUB, None, text, "GitHub Actions run the suite"), _unknown(project)


def _runs_tests(text: str) -> bool:
    """Whether a workflow runs a suite, by any of the usual commands; a comment doesn't."""
    lines = (
        line.partition(" #")[0] for line in text.splitlines() if not line.lstrip().startswith("#")
    )
    runs = re.compile(r"\b(pytest|tox|nox|make +(\S+ +)*(test|tests|check|ci))\b")
    return any(runs.search(line) for line in lines)


def _unknown(project: Project) -> list[str]:
    """What to say where nobody says what the app needs."""
    if project.has("uv.lock") or _uses_poetry(project) or _sources(project):
        return []
    return ["the workflow installs greenroom alone: nothing here says what else the app needs."]


def _already(name: str, text: str) -> tuple[None, list[str]]:
    if _runs_tests(text):
        return None, []
    return None, [f"{name} is there and runs no pytest. It is left as it is."]


def _github(project: Project, survey: Survey) -> str:
    uses_uv = project.has("uv.lock")
    python = _python(project)
    lines = [
        "name: tests",
        "",
        "on: [push, pull_request]",
        "",
        "permissions:",
        "  contents: read",
        "",
        "jobs:",
        "  tests:",
        "    runs-on: ubuntu-latest",
    ]
    if _needs_mariadb(survey):
        lines += [
            "    services:",
            "      mariadb:",
            "        image: mariadb:11",
            "        env:",
            '          MARIADB_ALLOW_EMPTY_ROOT_PASSWORD: "1"',
            "        ports:",
            "          - 3306:3306",
            "        options: >-",
            '          --health-cmd "healthcheck.sh --connect --innodb_initialized"',
            "          --health-interval 2s",
            "          --health-retries 30",
            "    env:",
            "      GREENROOM_DATABASE: mysql://root@127.0.0.1:3306",
        ]
    lines += ["    steps:", "      - uses: actions/checkout@v5"]
    if uses_uv:
        lines += ["      - uses: astral-sh/setup-uv@v7"]
    else:
        lines += [
            "      - uses: actions/setup-python@v6",
            "        with:",
            f'          python-version: "{python}"',
        ]
    lines += [f"      - run: {command}" for command in _commands(project, survey)]
    return "\n".join(lines) + "\n"


def _gitlab(project: Project, survey: Survey) -> str:
    lines = ["tests:", f"  image: python:{_python(project)}"]
    if _needs_mariadb(survey):
        lines += [
            "  services:",
            "    - name: mariadb:11",
            "      alias: mariadb",
            "  variables:",
            '    MARIADB_ALLOW_EMPTY_ROOT_PASSWORD: "1"',
            "    GREENROOM_DATABASE: mysql://root@mariadb:3306",
        ]
    commands = _commands(project, survey)
    if project.has("uv.lock"):
        commands = ["pip install uv", *commands]
    commands[-1] += " --junitxml=junit.xml"
    lines += [
        "  script:",
        *(f"    - {command}" for command in commands),
        "  artifacts:",
        "    when: always",
        "    reports:",
        "      junit: junit.xml",
    ]
    return "\n".join(lines) + "\n"


def requirement(survey: Survey) -> str:
    """What has to be installed: greenroom with the extras that the app's databases need, as pip takes it."""
    extras = sorted({_EXTRAS[kind] for kind in map(_kind, survey.databases) if kind in _EXTRAS})
    return f"greenroom[{','.join(extras)}]" if extras else "greenroom"


def _commands(project: Project, survey: Survey) -> list[str]:
    """How the project is installed, and its suite run."""
    wanted = requirement(survey)
    if project.has("uv.lock"):
        run = "uv run" if survey.declares else f'uv run --with "{wanted}"'
        extras, groups = _chosen(project)
        # uv installs the group dev by itself.
        more = [f"--extra {name}" for name in extras]
        more += [f"--group {name}" for name in groups if name != "dev"]
        return [" ".join(["uv sync", *more]), " ".join([run, *more, "pytest"])]
    if _uses_poetry(project):
        more = [] if survey.declares else [f'poetry run pip install "{wanted}"']
        return ["pip install poetry", "poetry install", *more, "poetry run pytest"]
    parts = _sources(project)
    if not survey.declares:
        parts.append(f'"{wanted}"')
    # Groups need pip 25.1.
    first = ["pip install --upgrade pip"] if find(project.data, "dependency-groups") else []
    return [*first, f"pip install {' '.join(parts)}", "pytest"]


def _uses_poetry(project: Project) -> bool:
    return project.has("poetry.lock") or find(project.data, "tool.poetry") is not None


def _sources(project: Project) -> list[str]:
    """What pip is told to install, as far as the project's files say it."""
    parts = [f"-r {name}" for name in _REQUIREMENTS if project.has(name)]
    extras, groups = _chosen(project)
    is_package = project.has("setup.py") or find(project.data, "build-system") is not None
    if is_package and (project.has("setup.py") or find(project.data, "project") is not None):
        parts.append(f'-e ".[{",".join(extras)}]"' if extras else "-e .")
    elif find(project.data, "project") is not None and not project.has("requirements.txt"):
        parts += [_word(one) for one in _dependencies(project)]
    return parts + [f"--group {name}" for name in groups]


def _chosen(project: Project) -> tuple[list[str], list[str]]:
    """The extras and the groups that tests need: by the usual names, and whichever names greenroom."""
    extras: Mapping[str, object] = find(project.data, "project.optional-dependencies") or {}
    groups: Mapping[str, object] = find(project.data, "dependency-groups") or {}
    return _of_tests(extras), _of_tests(groups)


def _of_tests(declared: Mapping[str, object]) -> list[str]:
    return [
        name
        for name, wanted in declared.items()
        if name in _OF_TESTS or (isinstance(wanted, list) and any(map(names_greenroom, wanted)))
    ]


def _dependencies(project: Project) -> list[str]:
    found = (find(project.data, "project") or {}).get("dependencies", [])
    return [one for one in found if isinstance(one, str)]


def _word(text: str) -> str:
    """A requirement as a shell takes it."""
    return f'"{text}"' if '"' not in text and "$" not in text else shlex.quote(text)


def _python(project: Project) -> str:
    """The version that the project asks for at least, else the one that runs now."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    running = sys.version_info.minor
    try:
        allowed = SpecifierSet(project.requires_python)
    except InvalidSpecifier:
        return f"3.{running}"
    if not project.requires_python:
        return f"3.{running}"
    # The oldest that it allows: what passes there passes on newer ones more often than the other way.
    fitting = [one for one in range(OLDEST, NEWEST + 1) if allowed.contains(f"3.{one}.9")]
    return f"3.{fitting[0] if fitting else running}"


def _needs_mariadb(survey: Survey) -> bool:
    return any(_EXTRAS.get(_kind(one)) == "mysql" for one in survey.databases)


def _kind(product: str) -> str:
    return product.partition(" ")[0]
