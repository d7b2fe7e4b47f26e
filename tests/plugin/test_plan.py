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
    "GET /broken": "",
    "GET /computed/{code}": "404 422",
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
        "GET /safe",
        "GET /list",
        "GET /drops",
    }


IDIOMS = """
import contextlib
import functools
from http import HTTPStatus
from typing import Annotated
from fastapi import Depends, FastAPI, HTTPException, Request, WebSocket, WebSocketException, status
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi.security import HTTPBearer
from fastapi.security.base import SecurityBase
from pydantic import BaseModel
app = FastAPI()

class AppError(Exception):
    def __init__(self, message, status_code=400):
        self.status_code = status_code

class Gone(HTTPException):
    status = 410
    def __init__(self, what):
        super().__init__(status_code=self.status, detail=what)

class Coded(HTTPException):
    def __init__(self, code, detail=""):
        super().__init__(code, detail)

@app.exception_handler(AppError)
async def app_error(request, error):
    return JSONResponse({}, status_code=error.status_code)

@app.exception_handler(Exception)
async def anything(request, error):
    return JSONResponse({}, status_code=500)

@app.get("/again")
async def again() -> int:
    try:
        raise HTTPException(404)
    except HTTPException:
        raise
    except Exception as error:
        raise HTTPException(502) from error

@app.get("/named")
async def named() -> int:
    try:
        raise HTTPException(404)
    except HTTPException as error:
        raise error

@app.get("/enum")
async def enumerated() -> int:
    raise HTTPException(HTTPStatus.CONFLICT)

@app.get("/old-name")
async def old_name() -> int:
    raise HTTPException(status.HTTP_413_REQUEST_ENTITY_TOO_LARGE)

@app.get("/argument")
async def argument() -> int:
    raise AppError("no", status_code=409)

@app.get("/default")
async def default() -> int:
    raise AppError("no")

@app.get("/attribute")
async def attribute() -> int:
    raise Gone("it")

@app.get("/coded")
async def coded() -> int:
    raise Coded(451)

@app.get("/either")
async def either(first: bool = True) -> int:
    raise HTTPException(404 if first else 403)

@app.get("/bug")
async def bug() -> int:
    raise NotImplementedError

@app.get("/suppressed")
async def suppressed() -> int:
    with contextlib.suppress(HTTPException):
        raise HTTPException(404)
    return 1

class Bearer(HTTPBearer):
    async def __call__(self, request: Request):
        if await super().__call__(request) is None:
            return None
        raise HTTPException(403, "wrong")

class ByCookie(SecurityBase):
    scheme_name = "cookie"
    async def __call__(self):
        raise HTTPException(401)

@app.get("/bearer")
async def bearer(who=Depends(Bearer())) -> int:
    return 1

@app.get("/cookie", include_in_schema=False)
async def cookie(who=Depends(ByCookie())) -> int:
    return 1

def require(function):
    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        if not args:
            raise HTTPException(403)
        return await function(*args, **kwargs)
    return wrapper

@app.get("/decorated")
@require
async def decorated() -> int:
    raise HTTPException(409)

class Base:
    def find(self):
        raise HTTPException(404)

class Repository(Base):
    def find(self):
        return super().find()

class Unit:
    async def __aenter__(self):
        raise HTTPException(503)
    async def __aexit__(self, *error): ...

def repository() -> Repository:
    return Repository()

@app.get("/super")
async def by_super(found=Depends(repository)) -> int:
    return found.find()

@app.get("/unit")
async def by_unit() -> int:
    async with Unit():
        return 1

@app.get("/local")
async def local() -> int:
    from helper_of_errors import fail
    fail()

@app.get("/redirects", response_model=None)
async def redirects():
    return RedirectResponse("/")

@app.post("/made", response_model=None)
async def made():
    return JSONResponse({}, status_code=201)

class Page(BaseModel):
    q: str | None = None

@app.get("/free")
async def free(page: Annotated[Page, Depends()], tag: Annotated[str | None, "a note"] = None) -> int:
    return 1

@app.get("/converted/{number:int}")
async def converted(number: int) -> int:
    return number

@app.websocket("/late")
async def late(socket: WebSocket):
    await socket.accept()
    raise WebSocketException(1008)
"""
IDIOMS_PLAN = {
    # The 502 is raised where something else fails, which can't be ruled out.
    "GET /again": "200 404 502",
    "GET /named": "200 404",
    "GET /enum": "409",
    "GET /old-name": "413",
    "GET /argument": "409",
    "GET /default": "400",
    "GET /attribute": "410",
    "GET /coded": "451",
    "GET /either": "403 404 422",
    # A handler for everything doesn't make a bug an answer.
    "GET /bug": "",
    "GET /suppressed": "200",
    "GET /bearer": "200 401 403",
    "GET /cookie": "200 401",
    "GET /decorated": "403 409",
    "GET /super": "200 404",
    "GET /unit": "200 503",
    "GET /local": "200 402",
    "GET /redirects": "307",
    "POST /made": "201",
    "GET /free": "200",
    "GET /converted/{number}": "200 404",
    "WEBSOCKET /late": "101",
}


def test_what_real_code_does_is_read(pytester: pytest.Pytester) -> None:
    """Exceptions that are raised again, of classes with statuses of every kind, by what surrounds them."""
    (pytester.path / "idioms.py").write_text(IDIOMS)
    helper = "from fastapi import HTTPException\ndef fail():\n    raise HTTPException(402)\n"
    (pytester.path / "helper_of_errors.py").write_text(helper)
    found = entries(pytester, pytester.path / "idioms.py")
    assert {name: " ".join(sorted(one)) for name, one in found.items()} == IDIOMS_PLAN


def test_what_the_framework_and_middlewares_answer_is_no_undeclared_status(
    pytester: pytest.Pytester,
) -> None:
    """A broken upload, a range, a rate limit; nor is a status that is computed."""
    app = """
from typing import Annotated
from fastapi import APIRouter, FastAPI, File, HTTPException
from fastapi.responses import FileResponse, JSONResponse
from fastapi.routing import APIRoute
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
app = FastAPI()

sub = FastAPI()

@sub.get("/inner")
async def inner() -> int:
    return 1

app.mount("/sub", sub)

class Flood(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        if "x-flood" in request.headers:
            return JSONResponse({}, status_code=429)
        if "x-closed" in request.headers:
            return JSONResponse({}, status_code=503)
        if "x-unknown" in request.headers:
            return self.deny()
        return await call_next(request)

    def deny(self):
        return JSONResponse({}, status_code=401)

app.add_middleware(Flood)
app.add_middleware(TrustedHostMiddleware, allowed_hosts=["testserver"])

class Timed(APIRoute):
    def get_route_handler(self):
        original = super().get_route_handler()
        async def handle(request):
            if "x-pay" in request.headers:
                raise HTTPException(402)
            return await original(request)
        return handle

router = APIRouter(route_class=Timed)

@router.get("/timed")
async def timed() -> int:
    return 1

app.include_router(router)

@app.post("/upload")
async def upload(file: Annotated[bytes, File()]) -> int:
    return len(file)

@app.get("/file")
async def file():
    return FileResponse(__file__)

@app.get("/computed/{code}")
async def computed(code: int) -> int:
    raise HTTPException(code)
"""
    test = """
async def test_it(client):
    broken = {"content-type": "multipart/form-data; boundary=x"}
    assert (await client.post("/upload", content=b"--y", headers=broken)).status_code in {400, 422}
    assert (await client.get("/file", headers={"range": "bytes=0-3"})).status_code == 206
    assert (await client.get("/file", headers={"range": "bytes=999999-"})).status_code == 416
    for path in ("/file", "/sub/inner"):
        assert (await client.get(path, headers={"x-flood": "1"})).status_code == 429
        assert (await client.get(path, headers={"x-closed": "1"})).status_code == 503
        assert (await client.get(path, headers={"x-unknown": "1"})).status_code == 401
        assert (await client.get(path, headers={"host": "elsewhere"})).status_code == 400
    assert (await client.get("/timed", headers={"x-pay": "1"})).status_code == 402
    assert (await client.get("/computed/451")).status_code == 451
"""
    files = {"main.py": app, "pyproject.toml": "[tool.greenroom]\n", "test_main.py": test}
    result = Project(files).run(pytester, "--greenroom-report=json")
    result.passed(1)
    assert result.json("greenroom.json")["problems"] == []


def test_what_nobody_can_show_is_not_planned(pytester: pytest.Pytester) -> None:
    """Ranges beside their statuses, an error that a dependency makes of its operation's, scopes that are 401."""
    app = """
from fastapi import Depends, FastAPI, HTTPException, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes
app = FastAPI(responses={"4XX": {"description": "wrong"}, "default": {"description": "else"}})
scheme = OAuth2PasswordBearer(tokenUrl="token", scopes={"me": "me"})

def current(scopes: SecurityScopes, token: str = Depends(scheme)):
    raise HTTPException(401, "Not enough permissions")

def get_db():
    try:
        yield 1
    except ValueError:
        raise HTTPException(409)

@app.get("/me")
def me(user=Security(current, scopes=["me"])) -> int:
    return 1

@app.get("/authors")
def authors(db=Depends(get_db)) -> int:
    return 1
"""
    (pytester.path / "app_of_scopes.py").write_text(app)
    found = entries(pytester, pytester.path / "app_of_scopes.py")
    assert {name: " ".join(sorted(one)) for name, one in found.items()} == {
        "GET /me": "200 401 4XX",
        "GET /authors": "200 4XX",
    }
