"""The plan: what each operation should be shown to answer, entry by entry, against a table by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Project

BOOKSHOP = Path(__file__).parents[1] / "apps" / "bookshop.py"
QUICKSTART = Path(__file__).parents[2] / "examples" / "quickstart" / "main.py"

QUICKSTART_PLAN = {
    "POST /items/": "201 409 422",
    "GET /items/": "200",
    "GET /items/{item_id}": "200 404 422",
    "PUT /items/{item_id}": "200 404 409 422",
    "DELETE /items/{item_id}": "204 404 422",
}

#: Written by hand, from reading the app.
BOOKSHOP_PLAN = {
    "GET /health": "200",
    "GET /": "307",
    "GET /old": "308",
    "GET /page": "200",
    "GET /robots.txt": "200",
    "GET /anything": "200 422",
    # Free text can't be wrong, whatever FastAPI declares.
    "GET /search": "200",
    "GET /search/strict": "200 422",
    "GET /search/paged": "200 422",
    # A fixed set of values names nothing that could be missing.
    "GET /genres/{genre}": "200 422",
    "GET /formats/{kind}": "200 422",
    "GET /files/{path}": "200",
    "GET /sessions/me": "200 422",
    "GET /ping": "200",
    "GET /both": "200",
    "POST /both": "200",
    # Nobody handles what it raises; a status that is computed isn't guessed.
    "GET /broken": "200",
    "GET /computed/{code}": "200 404 422",
    "GET /books": "200",
    "POST /books": "201 409 422",
    "GET /books/{book_id}": "200 404 422",
    # It writes a column that isn't unique; the next one does.
    "PATCH /books/{book_id}/title": "200 404 422",
    "PATCH /books/{book_id}/isbn": "200 404 409 422",
    "PUT /books/{book_id}": "200 404 409 422",
    "DELETE /books/{book_id}": "204 404 422",
    "POST /books/{book_id}/sale": "200 404 409 410 422 423",
    # The 410 of what it calls is caught.
    "POST /books/{book_id}/reservation": "200 404 422",
    "POST /books/{book_id}/votes": "201 404 409 422",
    "POST /books/{book_id}/lot": "200 404 409 422",
    "POST /books/{book_id}/cover": "200 404 422",
    "GET /books/{book_id}/cover": "200 404 422",
    "GET /books/{book_id}/text": "200 404 422",
    "POST /v1/authors": "200 422",
    "GET /v1/authors/{name}": "200 404 422",
    "POST /v1/auth/token": "200 400 422",
    "GET /v1/auth/me": "200 401",
    "GET /v1/auth/guest": "200",
    "GET /v1/auth/key": "200 401",
    "GET /v1/auth/basic": "200 401",
    "POST /v1/auth/logout": "204 401",
    "GET /v1/admin/report": "200 401 403",
    "POST /v1/admin/reindex": "200 202 401 403 422",
    "DELETE /v1/admin/books": "204 401 403",
    "WEBSOCKET /ws/echo": "101",
    "WEBSOCKET /ws/private": "101 403",
    "GET /warehouse/stock/{book_id}": "200 404 422",
    "POST /warehouse/stock/{book_id}": "200 404 422",
    "GET /plain": "200",
}


def entries(
    pytester: pytest.Pytester, app: Path, *, table: str = ""
) -> dict[str, dict[str, dict[str, Any]]]:
    """The plan of a run, by operation and status."""
    files = {
        "main.py": app.read_text(encoding="utf-8"),
        "pyproject.toml": f'[tool.greenroom]\nschema = "none"\n{table}',
        "test_main.py": "async def test_docs(client):\n    await client.get('/docs')\n",
    }
    result = Project(files).run(pytester, "--greenroom-report=plan.json")
    assert result.code == 0, result.out
    plain = result.json("plan.json")
    return {
        one["operation"]: {entry["status"]: entry for entry in one["plan"]}
        for one in plain["operations"]
    }


def test_the_plan_of_the_quickstart(pytester: pytest.Pytester) -> None:
    """Five operations."""
    found = entries(pytester, QUICKSTART)
    assert {name: " ".join(sorted(one)) for name, one in found.items()} == QUICKSTART_PLAN


def test_the_plan_of_a_bigger_app(pytester: pytest.Pytester) -> None:
    """Nearly fifty operations of every kind."""
    found = entries(pytester, BOOKSHOP)
    assert {name: " ".join(sorted(one)) for name, one in found.items()} == BOOKSHOP_PLAN
    assert len(found) >= 40


REASONS = [
    ("POST /books", "409", "HTTPException raised in main.create_book"),
    ("POST /books", "409", "Book.isbn is unique"),
    ("POST /books/{book_id}/votes", "409", "Vote.book_id, voter is unique"),
    ("POST /books/{book_id}/sale", "404", "HTTPException raised in main.Shelf.find"),
    ("POST /books/{book_id}/sale", "404", "declared in OpenAPI"),
    (
        "POST /books/{book_id}/sale",
        "410",
        "OutOfStockError raised in main.Shelf.take, answered by shop_error",
    ),
    ("POST /books/{book_id}/sale", "423", "LockedError raised in main.refuse"),
    ("POST /books/{book_id}/lot", "409", "SoldError raised in main.raffle, answered by sold"),
    ("GET /books/{book_id}/cover", "404", "the path parameter book_id names something"),
    ("GET /books/{book_id}/cover", "422", "its input is validated"),
    ("GET /v1/auth/key", "401", "the security scheme APIKeyHeader"),
    ("GET /v1/admin/report", "403", "security scopes are required"),
    ("GET /v1/admin/report", "403", "HTTPException raised in main.admin"),
    ("POST /v1/admin/reindex", "200", "set in main.reindex"),
    ("GET /", "307", "answered in main.home"),
]


def test_each_entry_says_why_it_is_there(pytester: pytest.Pytester) -> None:
    """By where it's raised, or by what requires it."""
    found = entries(pytester, BOOKSHOP)
    missing = [
        (name, status, reason)
        for name, status, reason in REASONS
        if reason not in found[name][status]["because"]
    ]
    assert missing == []


def test_the_project_can_drop_an_entry_with_a_reason(pytester: pytest.Pytester) -> None:
    """In its table, or on the route itself."""
    table = '[tool.greenroom.contract.drop]\n"GET /v1/auth/me 401" = "the gateway\'s"\n'
    found = entries(pytester, BOOKSHOP, table=table)
    dropped = {
        (name, status): entry["dropped"]
        for name, one in found.items()
        for status, entry in one.items()
        if entry["dropped"]
    }
    assert dropped == {
        ("GET /v1/auth/me", "401"): "the gateway's",
        ("DELETE /v1/admin/books", "403"): "tried by hand",
    }


def test_a_drop_that_names_nothing_is_told(pytester: pytest.Pytester) -> None:
    """It may be a typo, or an operation that is gone."""
    files = {
        "main.py": QUICKSTART.read_text(encoding="utf-8"),
        "pyproject.toml": '[tool.greenroom.contract.drop]\n"GET /gone 404" = "moved"\n',
        "test_main.py": "async def test_x(client):\n    await client.get('/items/')\n",
    }
    result = Project(files).run(pytester)
    assert re.search(r'note: .*"GET /gone 404" names nothing that is planned', result.out)


def test_flasks_operations_are_planned_too(pytester: pytest.Pytester) -> None:
    """By their rules."""
    files = {
        "main.py": """
from flask import Flask
app = Flask(__name__)

@app.get("/items/<int:item_id>")
def read(item_id):
    return {"id": item_id}

@app.route("/items", methods=["GET", "POST"])
def items():
    return []
""",
        "pyproject.toml": "[tool.greenroom]\n",
        "test_main.py": """
def test_read(client):
    assert client.get("/items/1").status_code == 200
    assert client.get("/items/x").status_code == 404
""",
    }
    result = Project(files).run(pytester, "--greenroom-report=plan.json")
    result.passed(1)
    plain = result.json("plan.json")
    names = {one["operation"]: one["times"] for one in plain["operations"]}
    assert names == {"GET /items/{item_id}": 1, "GET /items": 0, "POST /items": 0}


def test_what_the_project_makes_of_invalid_input_is_planned(pytester: pytest.Pytester) -> None:
    """A handler of its own may answer 400 in the place of FastAPI's 422."""
    app = """
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
app = FastAPI()

@app.exception_handler(RequestValidationError)
async def invalid(request, error):
    return JSONResponse({"error": "invalid"}, status_code=400)

@app.get("/items")
async def items(page: int = 1) -> int:
    return page
"""
    files = {
        "main.py": app,
        "pyproject.toml": "[tool.greenroom]\n",
        "test_main.py": """
async def test_invalid(client):
    assert (await client.get("/items?page=x")).status_code == 400
    assert (await client.get("/items")).status_code == 200
""",
    }
    result = Project(files).run(pytester, "--greenroom-report=plan.json")
    result.passed(1)
    plain = result.json("plan.json")
    (items,) = plain["operations"]
    assert {one["status"]: one["because"] for one in items["plan"]} == {
        "200": ["declared in OpenAPI"],
        "400": ["its input is validated, answered by invalid"],
    }
    assert plain["covered"] == 2
    assert plain["problems"] == []


def test_an_operation_that_cannot_be_read_is_told_and_the_others_are_planned(
    pytester: pytest.Pytester,
) -> None:
    """Handlers and schemes of every make, and drops of the wrong form."""
    app = """
import functools
from fastapi import FastAPI, Depends
from fastapi.responses import JSONResponse
from fastapi.security.base import SecurityBase
app = FastAPI()

class OwnError(Exception):
    pass

async def handle(request, error, status):
    return JSONResponse({}, status)

app.add_exception_handler(OwnError, functools.partial(handle, status=418))

class Scheme(SecurityBase):
    async def __call__(self):
        return None

@app.get("/raises")
async def raises() -> int:
    raise OwnError

@app.get("/safe", include_in_schema=False)
async def safe(who=Depends(Scheme())) -> int:
    return 1

@app.get("/list", openapi_extra={"x-greenroom-drop": ["401"]})
async def listed() -> int:
    return 1

@app.get("/drops", openapi_extra={"x-greenroom-drop": {"200": "", "499": "no"}})
async def drops() -> int:
    return 1
"""
    files = {
        "main.py": app,
        "pyproject.toml": "[tool.greenroom]\n",
        "test_main.py": """
import pytest
from main import OwnError

async def test_all(client):
    assert (await client.get("/safe")).status_code == 200
    assert (await client.get("/raises")).status_code == 418
    assert (await client.get("/list")).status_code == 200
""",
    }
    result = Project(files).run(pytester, "--greenroom-report=plan.json")
    result.passed(1)
    assert "x-greenroom-drop of GET /list takes a table of statuses" in result.out
    assert "x-greenroom-drop of GET /drops names 499, which isn't planned" in result.out
    assert "x-greenroom-drop of GET /drops names 200 without a reason: it stays" in result.out
    plain = result.json("plan.json")
    assert {one["operation"] for one in plain["operations"] if one["plan"]} == {
        "GET /raises",
        "GET /safe",
        "GET /list",
        "GET /drops",
    }
