"""The five probes on every database, isolation and kind of loop, on two workers, and in two runs at once.

What an isolation can't tell truthfully fails loudly, and is listed here with the reason.
"""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from tests.dialects import SERVERS, SQLITE, Dialect
from tests.harness import Project, Result, app_source, leftovers, suite_source

COUNT = {"probes_async": 20, "probes_blocking": 18}
APPS = ["async_items", "sync_items"]
EVERY = [pytest.param(SQLITE, id="sqlite"), *SERVERS]
LOOPS = {
    "session": "",
    "function": """
[tool.pytest.ini_options]
asyncio_default_test_loop_scope = "function"
asyncio_default_fixture_loop_scope = "function"
""",
}
#: What two drivers do on one connection: nothing that it could tell.
TWO_DRIVERS = "of two drivers"
DDL = "MariaDB and MySQL commit before it"


def refused(isolation: str, dialect: Dialect, app: str, suite: str) -> dict[str, str]:
    """The probes that `rollback` can't tell, and what each says."""
    if isolation != "rollback":
        return {}
    known: dict[str, str] = {}
    if app == "async_items":
        # Beside its async engine it has one on a sync driver.
        known["test_every_way_to_write[thread]"] = TWO_DRIVERS
        if suite == "probes_blocking":
            # The test's own session and threads are on the sync driver, too.
            known["test_twenty_writes_at_once"] = TWO_DRIVERS
            known["test_ddl"] = TWO_DRIVERS
    if (dialect.server or "").startswith("mysql"):
        known.setdefault("test_ddl", DDL)
    return known


def project(dialect: Dialect, app: str, suite: str, isolation: str, loops: str) -> Project:
    files = {"main.py": dialect.app(app_source(app)), "test_probes.py": suite_source(suite)}
    made = Project(files, dialect.environ).with_environ(GREENROOM_ISOLATION=isolation)
    return made.with_pyproject(LOOPS[loops])


def check(result: Result, expected: dict[str, str], suite: str) -> None:
    """All passed but for what is listed, and that said why."""
    names = re.findall(r"^(?:FAILED|ERROR) \S+::(\S+)", result.out, re.MULTILINE)
    failed = {re.sub(r"\[[12]\]$", "", re.sub(r"-[12]\]$", "]", name)) for name in names}
    assert failed == expected.keys(), result.out
    passed = result.ran.parseoutcomes().get("passed", 0)
    assert passed == COUNT[suite] - 2 * len(expected), result.out
    result.says(*expected.values())
    result.silent_about("geheim", "INTERNALERROR")


@pytest.mark.parametrize("dialect", EVERY)
@pytest.mark.parametrize("isolation", ["reset", "rollback", "clone"])
@pytest.mark.parametrize("loops", LOOPS)
@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("suite", COUNT)
def test_in_one_process(  # noqa: PLR0917 - a dimension each
    pytester: pytest.Pytester, served: Dialect, isolation: str, loops: str, app: str, suite: str
) -> None:
    """In random order."""
    result = project(served, app, suite, isolation, loops).run(pytester)
    check(result, refused(isolation, served, app, suite), suite)


@pytest.mark.parametrize("dialect", EVERY)
@pytest.mark.parametrize("isolation", ["reset", "rollback", "clone"])
@pytest.mark.parametrize("loops", LOOPS)
def test_on_two_workers(
    pytester: pytest.Pytester, served: Dialect, isolation: str, loops: str
) -> None:
    """The app's engine is async, and so are the tests."""
    made = project(served, "async_items", "probes_async", isolation, loops)
    result = made.run_subprocess(pytester, "-n", "2")
    check(result, refused(isolation, served, "async_items", "probes_async"), "probes_async")
    assert leftovers() == []


@pytest.mark.parametrize("dialect", EVERY)
@pytest.mark.parametrize("isolation", ["reset", "rollback", "clone"])
def test_in_two_runs_at_once(pytester: pytest.Pytester, served: Dialect, isolation: str) -> None:
    """On one server, each on two workers; they don't meet."""
    made = project(served, "sync_items", "probes_async", isolation, "session")
    for name, value in made.environ.items():
        pytester._monkeypatch.setenv(name, value)
    results: dict[Path, Result] = {}

    def run(folder: Path) -> None:
        made.write(folder)
        results[folder] = made.run_in(pytester, folder, "-n", "2")

    folders = [pytester.path / "one", pytester.path / "two"]
    threads = [threading.Thread(target=run, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for folder in folders:
        check(
            results[folder],
            refused(isolation, served, "sync_items", "probes_async"),
            "probes_async",
        )
