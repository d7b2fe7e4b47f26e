"""`fuzz`: schemathesis goes deeper, by a preset that knows what FastAPI does by itself."""

from __future__ import annotations

import pytest

from tests.harness import Project, Result, app_source

TEST = """
import schemathesis
from hypothesis import settings
from main import app
schema = schemathesis.openapi.from_asgi("/openapi.json", app)

@schema.parametrize()
@settings(max_examples=20, derandomize=True, deadline=None)
def test_anything(case, fuzz):
    fuzz(case)
"""


def run(pytester: pytest.Pytester, app: str, test: str = TEST) -> Result:
    files = {"main.py": app, "test_main.py": test, "pyproject.toml": "[tool.greenroom]\n"}
    project = Project(files)
    project.write(pytester.path)
    return project.run_in(pytester, pytester.path, "-p", "schemathesis.pytest.plugin")


def test_an_app_that_is_right_is_green(pytester: pytest.Pytester) -> None:
    """On the test database; its requests count; FastAPI's own answers are no fault."""
    result = run(pytester, app_source("checked"))
    assert result.code == 0, result.out
    result.says("planned answers are covered")
    assert not (pytester.path / "app.db").exists()


def test_a_crash_and_a_wrong_answer_are_found(pytester: pytest.Pytester) -> None:
    """A number that breaks it, and a body that isn't what it declares."""
    app = """
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel
app = FastAPI()
class Item(BaseModel):
    name: str
@app.get("/divide/{number}")
def divide(number: int) -> float: return 1 / number
@app.get("/item", response_model=Item)
def item(): return JSONResponse({"nmae": "x"})
"""
    result = run(pytester, app)
    result.counts(failed=2)
    result.says("Server error", "Response violates schema")


def test_a_caller_may_ask(pytester: pytest.Pytester) -> None:
    """And a missing library is named."""
    test = TEST.replace(
        "def test_anything(case, fuzz):\n    fuzz(case)",
        "def test_anything(case, fuzz, client_factory):\n"
        "    fuzz(case, client=client_factory(blocking=True).with_token('x'))",
    )
    app = """
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
app = FastAPI()
@app.get("/me")
def me(given=Depends(HTTPBearer())) -> str:
    assert given.credentials == "x"
    return "me"
"""
    assert run(pytester, app, test).code == 0
    missing = """
import importlib.util, pytest
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name == "schemathesis" else find(name, *a)
def test_it(fuzz): pass
"""
    result = run(pytester, app, missing)
    result.counts(errors=1)
    result.says("GR030 fuzz needs schemathesis", "pip install greenroom[fuzz]")
