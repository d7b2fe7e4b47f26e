"""The suite's own fixtures."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pkgutil
import sys
import uuid
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import greenroom
from greenroom.config.options import OPTIONS
from greenroom.database import made
from greenroom.database.postgresql import embedded
from tests.dialects import Dialect

# pytester forgets what a run in this process has imported. What is imported here stays, and each of
# hundreds of runs needn't load it again; drivers in C crash if they are loaded twice. SQLModel isn't
# here: its metadata is one for all.
STAY = [
    "fastapi.testclient",
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.mysql",
    "alembic.command",
    "asyncpg",
    "psycopg",
    "psycopg.types.json",
    "psycopg2.extras",
    "pymysql",
    "aiomysql",
    "asyncmy",
]
# And all of greenroom: a module that each run loads anew holds that run's pytest, and some library
# or another holds the module. The heap would grow by every run, and each be slower than the last.
OURS = [
    module.name
    for module in pkgutil.walk_packages(greenroom.__path__, "greenroom.")
    if not module.name.endswith("__main__")
]
for _name in STAY:
    importlib.import_module(_name)
for _name in OURS:
    # One is for httpx2 alone, which isn't in every environment.
    with contextlib.suppress(ModuleNotFoundError):
        importlib.import_module(_name)


def collect() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()
    # What is left has nothing to do with the next run: it needn't be looked at again.
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_of_a_run_lives_on(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs in this process share its heap: an app of an earlier one must not be found by a later."""
    if "pytester" not in request.fixturenames:
        yield
        return
    # Before, since pytest holds on to a test's fixtures until the next one begins; and after, so that
    # no other test meets what a project has left open on purpose.
    collect()
    with pytest.MonkeyPatch.context() as patch:
        # A run freezes what it has imported, and thaws it at its end. Here that would be all that this
        # process holds, and each collection would look through it again.
        patch.setattr(gc, "freeze", lambda: None)
        patch.setattr(gc, "unfreeze", lambda: None)
        yield
    collect()


@pytest.fixture(autouse=True)
def no_configuration_from_outside(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """The environment of whoever runs the suite says nothing to it."""
    for option in OPTIONS:
        monkeypatch.delenv(option.variable, raising=False)
    # On a CI machine pytest repeats each error in full in its summary.
    for name in ("PYTEST_ADDOPTS", "CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    # A run inside of a worker of this run is a run of its own.
    for name in ("PYTEST_XDIST_TESTRUNUID", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT"):
        monkeypatch.delenv(name, raising=False)
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    # Two versions of a project's file that one second and one size have in common would be one.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A cache for all tests of this run: a fresh cluster is made once."""
    base = tmp_path_factory.getbasetemp()
    return (base if worker_id == "master" else base.parent) / "cache"


@pytest.fixture(scope="session")
def postgresql_url(cache: Path) -> Iterator[str]:
    """A PostgreSQL server for the tests of this process that don't ask which: an embedded one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        server = embedded.join(uuid.uuid4().hex, Path("tests"), None)
    yield f"postgresql://postgres@/postgres?host={server.folder}"
    server.leave()


@pytest.fixture(scope="session")
def nothing_is_left_on() -> Iterator[list[str]]:
    """The servers of this machine that were used: they are left as they were found."""
    used: list[str] = []
    yield used
    for server in set(used):
        made.clean(server)


@pytest.fixture
def served(dialect: Dialect, request: pytest.FixtureRequest) -> Dialect:
    """The test's dialect, on a server that is there."""
    if dialect.server is not None:
        request.getfixturevalue("nothing_is_left_on").append(dialect.server)
    if dialect.blocking.startswith("postgresql") and dialect.server is None:
        return replace(dialect, server=request.getfixturevalue("postgresql_url"))
    return dialect


@pytest.fixture
def limited_url(postgresql_url: str) -> Iterator[str]:
    """An adopted database, and a user of the server who may neither create others nor skip triggers."""
    import psycopg
    from sqlalchemy import make_url

    name = f"limited_{uuid.uuid4().hex[:8]}"
    folder = str(make_url(postgresql_url).query["host"])
    with psycopg.connect(
        host=folder, user="postgres", dbname="postgres", autocommit=True
    ) as server:
        server.execute(f"CREATE ROLE {name} LOGIN".encode())
        server.execute(f"CREATE DATABASE {name} OWNER {name}".encode())
        url = f"postgresql://{name}@/{name}?host={folder}"
        made.adopt(url, with_rows=False)
        yield url
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
        server.execute(f"DROP ROLE {name}".encode())


@pytest.fixture(scope="session")
def createdb_url(postgresql_url: str) -> str:
    """A user of the server who may create databases, and not skip triggers."""
    import psycopg
    from sqlalchemy import make_url

    folder = str(make_url(postgresql_url).query["host"])
    with psycopg.connect(
        host=folder, user="postgres", dbname="postgres", autocommit=True
    ) as server:
        server.execute("CREATE ROLE creator LOGIN CREATEDB")
    return f"postgresql://creator@/postgres?host={folder}"
