"""pytest-xdist: each worker has databases of its own, and what is said once is said once."""

from __future__ import annotations

import os

import pytest

from tests.harness import Project, app_source, leftovers, suite_source

APP = "from fastapi import FastAPI\napp = FastAPI()\n"
TESTS = """
import pytest

@pytest.mark.parametrize("attempt", range(6))
async def test_it(client, attempt): pass
"""


@pytest.mark.parametrize("suite", ["probes_async", "probes_blocking"])
@pytest.mark.parametrize(
    ("app", "distribution"),
    [("async_items", "load"), ("async_items", "worksteal"), ("sync_items", "load")],
)
def test_the_probes_hold_on_two_workers(
    pytester: pytest.Pytester, suite: str, app: str, distribution: str
) -> None:
    """Side by side, in random order, and nothing is left behind."""
    project = Project({"main.py": app_source(app), "test_probes.py": suite_source(suite)})
    user = f"two-workers-{os.getpid()}"
    project = project.with_environ(LOGNAME=user)
    result = project.run_subprocess(pytester, "-n", "2", "--dist", distribution)
    outcomes = result.ran.parseoutcomes()
    assert set(outcomes) <= {"passed", "warnings", "warning"}, result.out
    assert result.code == 0, result.out
    assert not (result.folder / "app.db").exists()
    assert leftovers(user) == []


def test_the_header_is_that_of_one_run(pytester: pytest.Pytester) -> None:
    """The process that hands the tests out doesn't import the app, so it knows a little less."""
    project = Project({"main.py": APP, "test_it.py": TESTS})
    result = project.run_subprocess(pytester, "-n", "2")
    result.passed(6)
    assert result.out.count("greenroom: ") == 1
    assert "app main (found in main.py) · reset" in result.header()
    assert "each worker has databases of its own" in result.header()


def test_an_app_that_cannot_be_imported_is_reported_once(pytester: pytest.Pytester) -> None:
    """Both workers find out; the user reads it once."""
    project = Project({"main.py": APP + "raise RuntimeError('no')", "test_it.py": TESTS})
    result = project.run_subprocess(pytester, "-n", "2")
    assert result.code != 0
    assert result.out.count("\nGR002 the app main (found in main.py) raised RuntimeError") == 1
    result.silent_about("INTERNALERROR", "src/greenroom", "passed")


def test_a_wrong_marker_is_reported_once(pytester: pytest.Pytester) -> None:
    """Every worker collects every test."""
    test = "import pytest\n@pytest.mark.isolation('rolback')\nasync def test_it(client): pass"
    project = Project({"main.py": APP, "test_it.py": test})
    result = project.run_subprocess(pytester, "-n", "2")
    assert result.code != 0
    assert result.out.count("\nGR007 a marker of greenroom is used wrongly") == 1
    result.silent_about("INTERNALERROR", "src/greenroom")


def test_a_failing_start_up_ends_the_run(pytester: pytest.Pytester) -> None:
    """Each worker stops at its first test."""
    app = (
        "from fastapi import FastAPI\n"
        "from contextlib import asynccontextmanager\n"
        "@asynccontextmanager\nasync def lifespan(app):\n    raise RuntimeError('no')\n    yield\n"
        "app = FastAPI(lifespan=lifespan)\n"
    )
    result = Project({"main.py": app, "test_it.py": TESTS}).run_subprocess(pytester, "-n", "2")
    assert result.code != 0
    assert 1 <= result.ran.parseoutcomes()["errors" if "errors" in result.out else "error"] <= 2
    assert result.out.count("raise RuntimeError('no')") == 1
    result.silent_about("INTERNALERROR", "passed")


def test_a_transaction_that_is_left_open_is_named(pytester: pytest.Pytester) -> None:
    """Across workers, too."""
    test = """
from main import SessionLocal, Item

async def test_a(client):
    globals()["leaked"] = session = SessionLocal()
    session.add(Item(name="leaked"))
    await session.flush()

async def test_b(client):
    assert (await client.get("/items")).json() == []
"""
    project = Project({"main.py": app_source("async_items"), "test_it.py": test})
    result = project.run_subprocess(
        pytester, "-n", "1", "-p", "no:randomly", "-W", "ignore::ResourceWarning"
    )
    result.says("GR021 test_it.py::test_a left a transaction open")


def test_without_workers_of_its_own_xdist_changes_nothing(pytester: pytest.Pytester) -> None:
    """`-n 0` is a run in one process."""
    result = Project({"main.py": APP, "test_it.py": TESTS}).run(pytester, "-n", "0")
    result.passed(6)
    assert "app main:app" in result.header()
