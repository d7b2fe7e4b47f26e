"""Every shape of an app, with the same behaviour, on each kind of database and on both kinds of loop."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dialects import ASYNCPG, SQLITE, Dialect
from tests.harness import Project

HERE = Path(__file__).parent
#: Drivers without SQLAlchemy know one kind of database.
ONE_KIND = {
    "raw_aiosqlite": SQLITE,
    "raw_sqlite3": SQLITE,
    "raw_asyncpg": ASYNCPG,
    "raw_asyncpg_connect": ASYNCPG,
    "raw_psycopg": ASYNCPG,
}
SHAPES = [
    pytest.param(file.stem, dialect, id=f"{file.stem}-{dialect.name}")
    for file in sorted((HERE / "apps").glob("*.py"))
    for dialect in (SQLITE, ASYNCPG)
    if ONE_KIND.get(file.stem, dialect) is dialect
]
#: Each shape once, on one kind of database or on the other: how workers share those is known elsewhere.
ON_WORKERS = [
    (file.stem, ONE_KIND.get(file.stem, (SQLITE, ASYNCPG)[number % 2]))
    for number, file in enumerate(sorted((HERE / "apps").glob("*.py")))
]
#: One connection for all can't serve two requests at once, here as in production.
ONE_CONNECTION = {"static_pool"}
FACTORY = '[tool.greenroom]\napp = "main:create_app()"\n'


def project(shape: str, dialect: Dialect) -> Project:
    """The app, the common behaviour, and what is peculiar to that shape."""
    urls = ("sqlite+aiosqlite:///./shop.db", "sqlite:///./shop.db")
    if dialect.name != "sqlite":
        urls = dialect.url(dialect.asynchronous), dialect.url(dialect.blocking)
    behaviour = "wsgi_behaviour.py" if shape.startswith("flask") else "behaviour.py"
    files = {
        "main.py": (HERE / "apps" / f"{shape}.py").read_text(),
        "shop.py": (HERE / "shop.py").read_text(),
        "test_behaviour.py": (HERE / behaviour).read_text(),
        "pyproject.toml": FACTORY if shape == "app_factory" else "[tool.greenroom]\n",
    }
    beside = HERE / "beside" / shape
    files |= {str(file.relative_to(beside)): file.read_text() for file in beside.rglob("*.*")}
    own = HERE / "own" / f"{shape}.py"
    if own.is_file():
        files["test_own.py"] = own.read_text()
    environ = {
        "DATABASE_URL": urls[0],
        "BLOCKING_URL": urls[1],
        "RAW_URL": dialect.url("postgresql"),
    }
    return Project(files, {**environ, **dialect.environ})


def arguments(shape: str) -> list[str]:
    return ["-k", "not at_once"] if shape in ONE_CONNECTION else []


@pytest.mark.parametrize(("shape", "dialect"), SHAPES)
@pytest.mark.parametrize("loops", ["session", "function"])
def test_a_shape_behaves(
    pytester: pytest.Pytester, served: Dialect, shape: str, loops: str
) -> None:
    """In random order, and whatever the loop."""
    scopes = [f"-oasyncio_default_{kind}_loop_scope={loops}" for kind in ("test", "fixture")]
    result = project(shape, served).run(pytester, *scopes, *arguments(shape))
    outcomes = result.ran.parseoutcomes()
    assert outcomes.get("passed", 0) >= 14, result.out
    assert not {"failed", "errors"} & outcomes.keys(), result.out


@pytest.mark.parametrize(("shape", "dialect"), ON_WORKERS, ids=[shape for shape, _ in ON_WORKERS])
def test_a_shape_behaves_on_two_workers(
    pytester: pytest.Pytester, served: Dialect, shape: str
) -> None:
    """In processes of their own, each with databases of its own."""
    result = project(shape, served).run_subprocess(pytester, "-n", "2", *arguments(shape))
    outcomes = result.ran.parseoutcomes()
    assert outcomes.get("passed", 0) >= 14, result.out
    assert not {"failed", "errors"} & outcomes.keys(), result.out
