"""The automatic checks: ordinary items that need no code, green on an app that is right, red on planted holes."""

from __future__ import annotations

import re

import pytest

from tests.harness import Project, Result, app_source

TABLE = """
[tool.greenroom]
checks = true
caller = "main:create_access_token"
"""
#: A suite's own tests, which await or don't.
OWN = {"async": "async def test_own(client): pass\n", "blocking": "def test_own(client): pass\n"}


def run(
    pytester: pytest.Pytester,
    app: str,
    *args: str,
    table: str = TABLE,
    own: str = "async",
    **files: str,
) -> Result:
    known = {"main.py": app, "test_own.py": OWN[own], "pyproject.toml": table}
    return Project({**known, **files}).run(pytester, *args)


def names(result: Result, outcome: str) -> list[str]:
    """The checks with that outcome, of a run with -v or -rA."""
    found = re.findall(rf"greenroom_checks::(?:async_)?check\[(.+?)\] {outcome}", result.out)
    return sorted(set(found))


EXPECTED = [
    "401 of",
    "GET /lines/{line_id} 404 as another user line_id",
    "GET /orders 401 without a credential",
    "DELETE /orders/{order_id} 401 with a malformed credential",
    "DELETE /orders/{order_id} 401 with a forged credential",
    "DELETE /orders/{order_id} 401 with an expired credential",
    "DELETE /orders/{order_id} 401 without a credential",
    "DELETE /orders/{order_id} 404 as another user order_id",
    "DELETE /orders/{order_id} 404 unknown order_id",
    "DELETE /orders/{order_id} 422 order_id of the wrong form",
    "GET /colors/{color} 422 color of the wrong form",
    "GET /items/{item_id} 404 unknown item_id",
    "GET /items/{item_id} 422 item_id of the wrong form",
    "POST /items 401 with a malformed credential",
    "POST /items 401 with an expired credential",
    "POST /items 401 without a credential",
    "POST /items 422 a body that is no JSON",
    "POST /items 422 name-missing",
    "POST /items 422 name-null",
    "POST /items 422 name-too_long",
    "POST /items 422 name-too_short",
    "POST /items 422 price-not_a_number",
    "POST /items 422 price-too_small",
    "PUT /orders/{order_id} 404 as another user order_id",
    "PUT /orders/{order_id} 422 note-too_long",
    "errors of one shape",
]


@pytest.mark.parametrize("own", OWN)
def test_an_app_that_is_right_is_green(pytester: pytest.Pytester, own: str) -> None:
    """Whether the suite awaits or not; what can't be built is listed; the contract's coverage grows."""
    result = run(pytester, app_source("checked"), "-v", "-p", "no:randomly", own=own)
    outcomes = result.ran.parseoutcomes()
    assert outcomes.keys() <= {"passed", "warnings", "warning"}, result.out
    assert result.code == 0
    passed = names(result, "PASSED")
    assert set(EXPECTED[1:]) <= set(passed), sorted(set(EXPECTED[1:]) - set(passed))
    result.says(
        "greenroom: checks that can't be built",
        "POST /upload: its body is a file or a form, so invalid ones aren't made.",
        "POST /form: its body is a file or a form",
        "WEBSOCKET /socket: a WebSocket isn't checked.",
    )
    covered, planned = re.findall(r"(\d+) of (\d+) planned answers", result.out)[0]
    assert int(covered) > int(planned) / 2


#: Holes, each by what is put in whose place, and the checks that find it.
HOLES = {
    "a route that forgot its dependency": (
        "async def create_item(data: ItemIn, db: Db, me: Me)",
        "async def create_item(data: ItemIn, db: Db, token: Annotated[str, Depends(scheme)])",
        ["POST /items 401 with a malformed credential"],
    ),
    "a route that forgot all of it": (
        "async def delete_order(order: Annotated[Order, Depends(own_order)], db: Db) -> None:\n",
        "async def delete_order(order_id: int, db: Db) -> None:\n"
        "    order = await db.get(Order, order_id) or Order()\n"
        "    if order.id is None: raise HTTPException(404, 'No such order')\n",
        ["DELETE /orders/{order_id} 401 without any credential declared"],
    ),
    "a signature that isn't verified": (
        'jwt.decode(token, KEY, ["HS256"])',
        'jwt.decode(token, options={"verify_signature": False, "verify_exp": True})',
        ["POST /items 401 with a forged credential"],
    ),
    "an expired token that is accepted": (
        'jwt.decode(token, KEY, ["HS256"])',
        'jwt.decode(token, KEY, ["HS256"], options={"verify_exp": False})',
        [
            "POST /items 401 with an expired credential",
            "GET /orders/{order_id} 401 with an expired credential",
        ],
    ),
    "a token that isn't verified": (
        'raise HTTPException(401, "Not authenticated") from None',
        "number = 1",
        ["POST /items 401 with a malformed credential"],
    ),
    "a user who reads another's rows": (
        "if order is None or order.user_id != me.id:",
        "if order is None:",
        ["GET /orders/{order_id} 404 as another user order_id"],
    ),
    "a route that forgot it and only reads": (
        "async def read_order(order: Annotated[Order, Depends(own_order)]) -> str:\n",
        "async def read_order(order_id: int, db: Db) -> str:\n"
        "    order = await db.get(Order, order_id)\n"
        "    if order is None: raise HTTPException(404, 'No such order')\n",
        ["GET /orders/{order_id} 401 without any credential declared"],
    ),
    "a list of all users' rows": (
        "if user_id != me.id:",
        "if await db.get(User, user_id) is None:",
        ["GET /users/{user_id}/orders 404 as another user user_id"],
    ),
    "a row of another's row": (
        "if line is None or line.order.user_id != me.id:",
        "if line is None:",
        ["GET /lines/{line_id} 404 as another user line_id"],
    ),
    "an id that isn't looked for": (
        '    if item is None:\n        raise HTTPException(404, "No such item")\n',
        "",
        ["GET /items/{item_id} 404 unknown item_id"],
    ),
    "a body that isn't validated": (
        "async def change_order(data: OrderIn,",
        "async def change_order(data: Loose,",
        ["PUT /orders/{order_id} 422 note-missing"],
    ),
    "an error that isn't JSON": (
        "app = FastAPI()\n",
        "app = FastAPI()\nfrom fastapi.exceptions import RequestValidationError\n"
        "from fastapi.responses import PlainTextResponse\n"
        "@app.exception_handler(RequestValidationError)\n"
        "async def invalid(request, error): return PlainTextResponse('wrong', status_code=422)\n",
        ["POST /items 422 name-missing", "errors of one shape"],
    ),
    "an operation that writes its errors by itself": (
        'raise HTTPException(404, "No such line")',
        "from fastapi.responses import JSONResponse; "
        "return JSONResponse({'error': 'No such line'}, status_code=404)",
        ["errors of one shape"],
    ),
    "errors of two shapes": (
        "app = FastAPI()\n",
        "app = FastAPI()\nfrom fastapi.exceptions import RequestValidationError\n"
        "from fastapi.responses import JSONResponse\n"
        "@app.exception_handler(RequestValidationError)\n"
        "async def invalid(request, error): return JSONResponse({'error': 'wrong'}, status_code=422)\n",
        ["errors of one shape"],
    ),
}
LOOSE = """
class Loose(BaseModel):
    note: str = Field("", max_length=80)
    model_config = {"json_schema_extra": lambda schema: schema.update(required=["note"])}
"""


@pytest.mark.parametrize("hole", HOLES)
def test_a_planted_hole_is_found_and_named(pytester: pytest.Pytester, hole: str) -> None:
    """The checks that fail are those that say it."""
    before, after, found = HOLES[hole]
    app = app_source("checked")
    assert before in app
    app = app.replace(before, after).replace("app = FastAPI()\n", LOOSE + "app = FastAPI()\n", 1)
    result = run(pytester, app, "-v", "-p", "no:randomly")
    failed = names(result, "FAILED")
    assert all(f"GR052 {name}: " in result.out for name in failed if name != "errors of one shape")
    if hole == "a body that isn't validated":
        # The model itself takes it, so it's no invalid body: that the schema says otherwise is the contract's.
        assert not failed
        return
    assert set(found) <= set(failed), (failed, result.out)
    result.says("GR052 ")
    result.silent_about("Traceback")


def test_items_are_ordinary(pytester: pytest.Pytester) -> None:
    """Chosen by -k, not run with a single file, on two workers, with xdist; dropped with a reason."""
    app = app_source("checked")
    chosen = run(pytester, app, "-k", "greenroom_checks and color", "-v")
    assert names(chosen, "PASSED") == ["GET /colors/{color} 422 color of the wrong form"]
    single = run(pytester, app, "test_own.py")
    single.passed(1)
    table = TABLE.replace("checks = true\n", "") + (
        '[tool.greenroom.checks.drop]\n"GET /items/{item_id} 404 unknown item_id" = "it is made on the way"\n'
        '"GET /nothing 404 unknown x" = "gone"\n'
    )
    dropped = run(pytester, app, "-v", table=table)
    assert "GET /items/{item_id} 404 unknown item_id" not in names(dropped, "PASSED")
    dropped.says('[tool.greenroom.checks.drop] "GET /nothing 404 unknown x" names no check.')
    files = {"main.py": app, "test_own.py": OWN["async"], "pyproject.toml": TABLE}
    both = Project(files).run_subprocess(pytester, "-n", "2")
    assert set(both.ran.parseoutcomes()) <= {"passed", "warnings", "warning"}, both.out
    assert both.out.count("POST /upload: its body is a file or a form") == 1


def test_the_projects_own_user_is_the_one_who_asks(pytester: pytest.Pytester) -> None:
    """An async fixture in a suite that awaits; a login by his password."""
    app = (
        app_source("checked")
        + """
from pydantic import EmailStr
class Login(BaseModel):
    email: str
    password: str
@app.post("/login")
async def login(body: Login, db: Db):
    from sqlalchemy import select
    user = await db.scalar(select(User).where(User.email == body.email))
    if user is None or body.password != "secret": raise HTTPException(401, "wrong")
    return {"access_token": create_access_token(user.id)}
"""
    )
    conftest = """
import pytest
from main import User

@pytest.fixture
async def user(make):
    user = await make(User, email="ann@example.com")
    user.password = "secret"
    return user
"""
    table = TABLE.replace("main:create_access_token", "POST /login")
    result = run(pytester, app, "-v", "-k", "items", table=table, **{"conftest.py": conftest})
    assert "POST /items 422 name-missing" in names(result, "PASSED"), result.out
    assert "POST /items 401 with an expired credential" in names(result, "PASSED"), result.out


def test_what_cannot_be_built_is_told(pytester: pytest.Pytester) -> None:
    """Nobody who could log in; a login that doesn't work; users without rows; credentials without a time."""
    app = app_source("checked")
    nobody = run(pytester, app, "-v", table="[tool.greenroom]\nchecks = true\n")
    assert nobody.code == 0, nobody.out
    assert "POST /items 401 without a credential" in names(nobody, "PASSED")
    assert "POST /items 422 name-missing" not in names(nobody, "PASSED")
    nobody.says("POST /items: its bodies and parameters can't be checked: nobody can log in")
    timeless = app.replace('"exp": expires', '"at": 1')
    skipped = run(pytester, timeless, "-v", "-rs")
    assert skipped.code == 0, skipped.out
    skipped.says("the credential is no JWT with a time at which it expires")
    override = run(
        pytester, app, "-v", table=TABLE.replace("create_access_token", "get_current_user")
    )
    assert override.code == 0, override.out
    override.says("has no time at which it expires")
    flask = "from flask import Flask\napp = Flask(__name__)\n@app.get('/x')\ndef x(): return 'x'\n"
    wsgi = run(pytester, flask, table="[tool.greenroom]\nchecks = true\n", own="blocking")
    wsgi.passed(1)
    wsgi.says("GET /x: it declares nothing, so nothing of it can be checked.")


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("[tool.greenroom]\nchecks = 'sometimes'\n", "'sometimes' is neither"),
        (
            "[tool.greenroom.checks]\ndorp = {}\n",
            "[tool.greenroom.checks] dorp: there is no such key",
        ),
        (
            '[tool.greenroom.checks.drop]\n"GET /x 404" = ""\n',
            'drop "GET /x 404": it takes the reason',
        ),
        ("[tool.greenroom.checks]\ndrop = 1\n", "drop: it takes a table of checks"),
    ],
)
def test_a_table_that_is_wrong_is_refused(pytester: pytest.Pytester, table: str, text: str) -> None:
    """Before any test runs."""
    result = run(pytester, app_source("checked"), table=table)
    assert result.code == 4
    result.says("GR005", text)


#: Where an app takes its token from, each with what a caller sends it in.
CARRIED = {
    "a cookie": 'APIKeyCookie(name="access_token")',
    "a header of its own": 'APIKeyHeader(name="X-Token")',
    "the query": 'APIKeyQuery(name="token")',
}


@pytest.mark.parametrize("carried", CARRIED)
def test_a_token_is_forged_and_expires_wherever_it_is_carried(
    pytester: pytest.Pytester, carried: str
) -> None:
    """An app that verifies neither its signature nor its time is found."""
    app = (
        app_source("checked")
        .replace("import OAuth2PasswordBearer", "import APIKeyCookie, APIKeyHeader, APIKeyQuery")
        .replace('OAuth2PasswordBearer(tokenUrl="login")', CARRIED[carried])
    )
    right = run(pytester, app, "-v", "-k", "POST and items and credential")
    kinds = {"forged", "expired"}
    assert kinds <= {kind for kind in kinds for one in names(right, "PASSED") if kind in one}
    blind = app.replace(
        'jwt.decode(token, KEY, ["HS256"])',
        'jwt.decode(token, options={"verify_signature": False, "verify_exp": False})',
    )
    result = run(pytester, blind, "-v", "-k", "POST and items and credential")
    assert names(result, "FAILED") == [
        "POST /items 401 with a forged credential",
        "POST /items 401 with an expired credential",
    ], result.out


def test_a_stranger_who_sees_an_empty_list_sees_nothing(pytester: pytest.Pytester) -> None:
    """The answer isn't the user's own, so it gives nothing away."""
    app = (
        app_source("checked")
        .replace("if user_id != me.id:", "if await db.get(User, user_id) is None:")
        .replace(".where(Order.user_id == user_id)", ".where(Order.user_id == me.id)")
    )
    result = run(pytester, app, "-v", "-rs", "-k", "another")
    assert names(result, "SKIPPED") == ["GET /users/{user_id}/orders 404 as another user user_id"]
    result.says("a stranger is answered something else than the user himself")


def test_rows_of_a_class_of_users_that_is_not_known_are_told_of(pytester: pytest.Pytester) -> None:
    """Nobody can ask for another's then."""
    app = app_source("checked").replace("User", "Human")
    conftest = """
import pytest
from main import Human
@pytest.fixture
def user(make): return make(Human)
"""
    result = run(pytester, app, "-v", "-k", "orders", **{"conftest.py": conftest})
    assert result.code == 0, result.out
    result.says("No mapped class is called User, Account, Member or Customer, so nobody asks")
