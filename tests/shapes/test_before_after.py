"""Suites as the wild writes them: unmodified beside greenroom, and again without their boilerplate."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.dialects import ASYNCPG, SQLITE, Dialect
from tests.harness import Project

HERE = Path(__file__).parent / "before_after"
SUITES = sorted(folder.name for folder in HERE.iterdir() if folder.is_dir())
BOILERPLATE = re.compile(
    r"^# -- boilerplate$.*^# -- end of the boilerplate$", re.DOTALL | re.MULTILINE
)
SAYS_SO = "[tool.greenroom]\n"
PLAIN = '[tool.pytest.ini_options]\npythonpath = ["."]\n'


def project(name: str, *, pyproject: str, stripped: bool) -> Project:
    folder = HERE / name
    files = {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*.py")}
    if stripped:
        before = files["tests/conftest.py"]
        files["tests/conftest.py"] = BOILERPLATE.sub("", before)
        assert files["tests/conftest.py"] != before
    return Project(files | {"pyproject.toml": PLAIN + pyproject})


def count(name: str) -> int:
    return sum(
        len(re.findall(r"def test_", file.read_text()))
        for file in HERE.glob(f"{name}/tests/test_*.py")
    )


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_passes_without_greenroom(pytester: pytest.Pytester, name: str) -> None:
    """Switched off, it leaves no trace."""
    result = project(name, pyproject="", stripped=False).run(
        pytester, "-p", "no:greenroom", "-p", "no:randomly"
    )
    result.passed(count(name))
    result.silent_about("greenroom:")


@pytest.mark.parametrize("name", SUITES)
@pytest.mark.parametrize("pyproject", ["", SAYS_SO], ids=["as it is", "says that it uses it"])
def test_a_suite_passes_unmodified(pytester: pytest.Pytester, name: str, pyproject: str) -> None:
    """Its own fixtures win, whether or not greenroom takes part."""
    project(name, pyproject=pyproject, stripped=False).run(pytester, "-p", "no:randomly").passed(
        count(name)
    )


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_passes_without_its_boilerplate(pytester: pytest.Pytester, name: str) -> None:
    """In random order."""
    result = project(name, pyproject=SAYS_SO, stripped=True).run(pytester)
    result.passed(count(name))
    assert "app main:app" in result.header()


@pytest.mark.parametrize("name", SUITES)
@pytest.mark.parametrize("dialect", [pytest.param(one, id=one.name) for one in (SQLITE, ASYNCPG)])
def test_a_suite_passes_without_its_boilerplate_on_two_workers(
    pytester: pytest.Pytester, served: Dialect, name: str
) -> None:
    """And on the database that it has in production."""
    own = project(name, pyproject=SAYS_SO, stripped=True)
    url = served.url(served.blocking)
    if served.name != "sqlite" and name != "shared_session":
        own = own.with_environ(DATABASE_URL=url, **served.environ)
    own.run_subprocess(pytester, "-n", "2").passed(count(name))
