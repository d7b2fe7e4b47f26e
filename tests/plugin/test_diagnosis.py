"""A failed test's report says what the test did last."""

from __future__ import annotations

import pytest

from tests.dialects import KINDS, Dialect
from tests.harness import Project, app_source

TEST = """
import pytest
async def test_a(client, db_session):
    await client.post("/items/lamp")
    assert (await client.get("/items")).json() == ["chair"]
def test_b(sync_client):
    sync_client.post("/items/desk", json={"password": "ge" + "heim"})
    with pytest.raises(AssertionError):
        assert False
def test_c():
    assert False
async def test_d(client):
    await client.get("/items", params={"token": "ge" + "heim"})
    await client.get("/nothing")
    assert False
"""


@pytest.mark.parametrize("dialect", KINDS)
def test_exchanges_statements_and_changed_rows(pytester: pytest.Pytester, served: Dialect) -> None:
    """Of the test itself; nothing of one that passed, or that did nothing."""
    files = {"main.py": served.app(app_source("async_items")), "test_it.py": TEST}
    result = Project(files, served.environ).run(pytester, "-p", "no:randomly")
    result.counts(failed=3, passed=1)
    assert result.out.count("- greenroom -") == 2, result.out
    result.says(
        "POST /items/lamp -> 201",
        "GET /items -> 200",
        '    < ["lamp"]',
        "statements since the last request began:",
        "    SELECT items.name",
        "rows changed: items 1 insert",
        "GET /items?token=*** -> 200",
        "GET /nothing -> 404",
    )
    result.silent_about("geheim", "desk -> ")


def test_workers_tell_it_too(pytester: pytest.Pytester) -> None:
    """It is part of the report, and travels with it."""
    files = {"main.py": app_source("async_items"), "test_it.py": TEST}
    result = Project(files).run_subprocess(pytester, "-n", "2")
    result.says("POST /items/lamp -> 201", "rows changed: items 1 insert")


RAISES = """
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
async def broken():
    raise KeyError("what")
"""


def test_a_request_whose_handler_raises_is_told(pytester: pytest.Pytester) -> None:
    """With the error, since there is no status."""
    test = "async def test_it(client): await client.get('/')"
    result = Project({"main.py": RAISES, "test_it.py": test}).run(pytester)
    result.says("GET / -> raised KeyError: 'what'")
