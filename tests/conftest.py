"""The suite's own fixtures."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator

# pytester forgets what a run in this process has imported. What is imported here stays, and each of
# hundreds of runs needn't load it again. SQLModel isn't here: its metadata is one for all.
import fastapi.testclient
import pytest
import sqlalchemy.ext.asyncio

_STAY = (fastapi.testclient, sqlalchemy.ext.asyncio)


@pytest.fixture(autouse=True)
def nothing_of_a_run_lives_on(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs in this process share its heap: an app of an earlier one must not be found by a later."""
    yield
    if "pytester" in request.fixturenames:
        with warnings.catch_warnings():
            # What a project has left open on purpose is nobody's fault here.
            warnings.simplefilter("ignore")
            gc.collect()


@pytest.fixture(autouse=True)
def no_configuration_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever runs the suite says nothing to it."""
    for name in ("APP", "DATABASE", "ISOLATION", "SCHEMA", "ENV_FILE", "DIRECTORY"):
        monkeypatch.delenv(f"GREENROOM_{name}", raising=False)
    # On a CI machine pytest repeats each error in full in its summary.
    for name in ("PYTEST_ADDOPTS", "CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
