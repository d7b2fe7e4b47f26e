"""Whatever the app does with its database, the next test doesn't see it."""

from __future__ import annotations

import pytest

from tests.harness import Project, app_source, suite_source

APPS = ["async_items", "sync_items"]
COUNT = {"probes_async": 20, "probes_blocking": 18}


def probes(app: str, suite: str) -> Project:
    return Project({"main.py": app_source(app), "test_probes.py": suite_source(suite)})


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("suite", COUNT)
def test_every_write_is_gone_in_the_next_test(
    pytester: pytest.Pytester, app: str, suite: str
) -> None:
    """The five probes, in async and in `def` tests, on an async and on a sync engine."""
    result = probes(app, suite).run(pytester, "-p", "no:randomly")

    result.passed(COUNT[suite])
    assert not (result.folder / "app.db").exists()


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("suite", COUNT)
def test_the_probes_hold_in_random_order(
    pytester: pytest.Pytester, suite: str, app: str, seed: int
) -> None:
    """The order of the tests makes no difference."""
    result = probes(app, suite).run(pytester, f"--randomly-seed={seed}")
    result.passed(COUNT[suite])
