"""One suite under every runner and loop, on each kind of database, in random order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.dialects import ASYNCPG, SQLITE, Dialect
from tests.harness import Project

HERE = Path(__file__).parent
COUNT = 16


@dataclass(frozen=True)
class Runner:
    """How the async tests and fixtures of the suite are run.

    :param asynchronous: the mark of an async test.
    :param fixture: what makes an async fixture.
    :param wide: the mark of an async test that shares a loop with fixtures of the session.
    :param wide_fixture: what makes such a fixture.
    """

    name: str
    asynchronous: str = "pytest.mark.asyncio"
    fixture: str = "pytest_asyncio.fixture"
    wide: str = 'pytest.mark.asyncio(loop_scope="session")'
    wide_fixture: str = 'pytest_asyncio.fixture(scope="session", loop_scope="session")'
    pyproject: str = ""
    conftest: str = ""
    arguments: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The suite's own words for these."""
        names = ("asynchronous", "fixture", "wide", "wide_fixture")
        return "\n".join(f"{name} = {getattr(self, name)}" for name in names)


def _loops(scope: str, mode: str = "auto") -> str:
    settings = [f'asyncio_mode = "{mode}"', f'asyncio_default_test_loop_scope = "{scope}"']
    settings.append(f'asyncio_default_fixture_loop_scope = "{scope}"')
    return "\n".join(["[tool.pytest.ini_options]", *settings])


UVLOOP = """
import uvloop
def pytest_asyncio_loop_factories(config, item): return {"uvloop": uvloop.new_event_loop}
"""
ANYIO = """
import pytest
@pytest.fixture(scope="session")
def anyio_backend(): return "asyncio"
"""
#: In auto mode a plain function and a plain fixture are enough.
PLAIN: dict[str, Any] = {"asynchronous": "(lambda test: test)", "fixture": "pytest.fixture"}
OF_ANYIO: dict[str, Any] = {
    "asynchronous": "pytest.mark.anyio",
    "fixture": "pytest.fixture",
    "wide": "pytest.mark.anyio",
    "wide_fixture": 'pytest.fixture(scope="session")',
    "conftest": ANYIO,
}
RUNNERS = [
    Runner("greenroom's defaults", **PLAIN),
    *(
        Runner(f"auto, {scope} loops", pyproject=_loops(scope), **PLAIN)
        for scope in ("session", "module", "function")
    ),
    *(
        Runner(f"strict, {scope} loops", pyproject=_loops(scope, "strict"))
        for scope in ("session", "module", "function")
    ),
    *(
        Runner(f"uvloop, {scope} loops", pyproject=_loops(scope), conftest=UVLOOP, **PLAIN)
        for scope in ("session", "function")
    ),
    Runner("anyio alone", arguments=("-p", "no:asyncio"), **OF_ANYIO),
    Runner("anyio beside strict", pyproject=_loops("session", "strict"), **OF_ANYIO),
]


@pytest.mark.parametrize("dialect", [pytest.param(one, id=one.name) for one in (SQLITE, ASYNCPG)])
@pytest.mark.parametrize("runner", [pytest.param(one, id=one.name) for one in RUNNERS])
def test_a_runner_runs_it(pytester: pytest.Pytester, served: Dialect, runner: Runner) -> None:
    """Sync and async tests mixed in one file, and all of the clients."""
    if "uvloop" in runner.name:
        pytest.importorskip("uvloop", reason="uvloop isn't there on this system")
    urls = ("sqlite+aiosqlite:///./shop.db", "sqlite:///./shop.db")
    if served.name != "sqlite":
        urls = served.url(served.asynchronous), served.url(served.blocking)
    files = {
        "main.py": (HERE / "apps" / "module_engine.py").read_text(),
        "shop.py": (HERE / "shop.py").read_text(),
        "test_it.py": (HERE / "runners.py").read_text().replace("# RUNNER", runner.source),
        "conftest.py": runner.conftest,
        "pyproject.toml": f"[tool.greenroom]\n{runner.pyproject}\n",
    }
    environ = {"DATABASE_URL": urls[0], "BLOCKING_URL": urls[1], **served.environ}
    Project(files, environ).run(pytester, *runner.arguments).passed(COUNT)
