"""Callers: `client.as_user`, `with_token`, `anonymous` and `auth_client`, for every security scheme."""

from __future__ import annotations

import pytest

from tests.harness import Project, Result

MODELS = """
from typing import Annotated
import jwt, time
from fastapi import Depends, FastAPI, Form, Header, HTTPException, Request, Response
from fastapi.security import *
from pydantic import BaseModel
from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

engine = create_async_engine("sqlite+aiosqlite:///./app.db")
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)

class Base(DeclarativeBase): pass
class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    hashed_password: Mapped[str]
    api_key: Mapped[str | None]

async def get_db():
    async with SessionLocal() as session:
        yield session
Db = Annotated[AsyncSession, Depends(get_db)]
KEY = "k" * 40
def create_access_token(user_id: int, minutes: int = 5) -> str:
    return jwt.encode({"sub": str(user_id), "exp": time.time() + 60 * minutes}, KEY, "HS256")
def create_token(data: dict) -> dict:
    return {"access_token": jwt.encode(data, KEY, "HS256")}
async def create_later(user: User) -> str:
    return create_access_token(user.id)
async def user_of(db, token):
    try:
        number = int(jwt.decode(token, KEY, ["HS256"])["sub"])
    except (jwt.PyJWTError, ValueError):
        raise HTTPException(401, "no token") from None
    return await db.get(User, number) or _no()
def _no(): raise HTTPException(401, "nobody")
app = FastAPI()
"""
BEARER = (
    MODELS
    + """
scheme = OAuth2PasswordBearer(tokenUrl="login")
async def get_current_user(db: Db, token: Annotated[str, Depends(scheme)]) -> User:
    return await user_of(db, token)
@app.post("/login")
async def login(db: Db, form: Annotated[OAuth2PasswordRequestForm, Depends()]):
    user = await db.scalar(select(User).where(User.email == form.username))
    if user is None or user.hashed_password != "hash of " + form.password: raise HTTPException(401, "wrong")
    return {"data": {"access_token": create_access_token(user.id), "token_type": "bearer"}}
class Login(BaseModel):
    email: str
    password: str
@app.post("/json-login")
async def json_login(db: Db, body: Login):
    user = await db.scalar(select(User).where(User.email == body.email))
    if user is None or user.hashed_password != "hash of " + body.password: raise HTTPException(401, "wrong")
    return {"token": create_access_token(user.id)}
@app.get("/me")
async def me(user: Annotated[User, Depends(get_current_user)]) -> str: return user.email
@app.post("/rename/{email}")
async def rename(email: str, db: Db, user: Annotated[User, Depends(get_current_user)]):
    user.email = email
    await db.commit()
"""
)
#: The same questions for every scheme: who am I, of two at once, of nobody, of one with a wrong token.
TEST = """
import asyncio
import pytest
from main import User

@pytest.fixture
def make_user(make):
    def made(email):
        return make(User, email=email, hashed_password="hash of secret", api_key="key of " + email)
    return made

async def test_two_callers_do_not_mix(client, make_user):
    ann, bob = await make_user("ann@example.com"), await make_user("bob@example.com")
    as_ann, as_bob = client.as_user(ann{how}), client.as_user(bob{how})
    assert (await as_ann.get("/me")).json() == "ann@example.com"
    assert (await as_bob.get("/me")).json() == "bob@example.com"
    answers = await asyncio.gather(*(one.get("/me") for one in (as_ann, as_bob) * 5))
    assert [answer.json() for answer in answers] == ["ann@example.com", "bob@example.com"] * 5
    for nobody in (client, client.anonymous, as_ann.anonymous, client.with_token("wrong:wrong")):
        assert (await nobody.get("/me")).status_code in (401, 403)
    assert (await as_ann.get("/me")).json() == "ann@example.com"

def test_blocking(client, make_user):
    as_ann = client.as_user(make_user("ann@example.com"){how})
    as_bob = client.as_user(make_user("bob@example.com"){how})
    assert as_ann.get("/me").json() == "ann@example.com"
    assert as_bob.get("/me").json() == "bob@example.com"
    for nobody in (client, client.anonymous, as_ann.anonymous, client.with_token("wrong:wrong")):
        assert nobody.get("/me").status_code in (401, 403)

@pytest.fixture
def user(make_user):
    return make_user("eve@example.com")
"""
AUTH_CLIENT = """
async def test_auth_client(auth_client, client):
    assert (await auth_client.get("/me")).json() == "eve@example.com"
    assert (await client.get("/me")).status_code in (401, 403)

def test_auth_client_blocking(auth_client, client):
    assert auth_client.get("/me").json() == "eve@example.com"
    assert client.get("/me").status_code in (401, 403)
"""


def run(pytester: pytest.Pytester, app: str, caller: str | None, test: str, *args: str) -> Result:
    table = "[tool.greenroom]\n" + (f"caller = {caller!r}\n" if caller else "")
    files = {"main.py": app, "test_main.py": test, "pyproject.toml": table}
    return Project(files).run(pytester, *args)


HOW = ', password="secret"'


@pytest.mark.parametrize(
    ("caller", "how"),
    [
        ("POST /login", HOW),
        ("post /json-login", HOW),
        ("main:create_access_token", ""),
        ("main:create_access_token(user.id)", ""),
        ("main:create_access_token(user_id=user.id, minutes=1)", ""),
        ("main:create_token({'sub': str(user.id)})", ""),
        ("main:create_later", ""),
        ("main:get_current_user", ""),
    ],
)
def test_bearer_tokens(pytester: pytest.Pytester, caller: str, how: str) -> None:
    """By a login, form or JSON; by a function of the project's; by the dependency itself."""
    test = TEST.replace("{how}", how) + (AUTH_CLIENT if not how else "")
    run(pytester, BEARER, caller, test).passed(4 if not how else 2)


SCHEMES = {
    "header": """
scheme = APIKeyHeader(name="X-API-Key")
@app.get("/me")
async def me(db: Db, key: Annotated[str, Depends(scheme)]) -> str:
    return (await db.scalar(select(User).where(User.api_key == key)) or _no()).email
""",
    "query": """
scheme = APIKeyQuery(name="key")
@app.get("/me")
async def me(db: Db, key: Annotated[str, Depends(scheme)]) -> str:
    return (await db.scalar(select(User).where(User.api_key == key)) or _no()).email
""",
    "cookie": """
scheme = APIKeyCookie(name="key")
@app.get("/me")
async def me(db: Db, key: Annotated[str, Depends(scheme)]) -> str:
    return (await db.scalar(select(User).where(User.api_key == key.strip('"'))) or _no()).email
""",
    "http bearer": """
scheme = HTTPBearer()
@app.get("/me")
async def me(db: Db, given: Annotated[HTTPAuthorizationCredentials, Depends(scheme)]) -> str:
    return (await db.scalar(select(User).where(User.api_key == given.credentials)) or _no()).email
""",
}


@pytest.mark.parametrize("kind", SCHEMES)
def test_keys_that_users_hold(pytester: pytest.Pytester, kind: str) -> None:
    """In a header, the query, a cookie, or as a bearer's token: the document says where."""
    test = TEST.replace("{how}", "") + AUTH_CLIENT
    run(pytester, MODELS + SCHEMES[kind], "user.api_key", test).passed(4)


def test_http_basic_needs_no_word(pytester: pytest.Pytester) -> None:
    """A name and a password are the credential."""
    app = (
        MODELS
        + """
scheme = HTTPBasic()
@app.get("/me")
async def me(db: Db, given: Annotated[HTTPBasicCredentials, Depends(scheme)]) -> str:
    user = await db.scalar(select(User).where(User.email == given.username))
    return (user if user and user.hashed_password == "hash of " + given.password else _no()).email
"""
    )
    run(pytester, app, None, TEST.replace("{how}", HOW)).passed(2)


def test_a_session_that_is_kept_in_a_cookie(pytester: pytest.Pytester) -> None:
    """A login without a token: its cookies are the credential; it may answer with a redirect."""
    app = (
        MODELS
        + """
from starlette.middleware.sessions import SessionMiddleware
from fastapi.responses import RedirectResponse
app.add_middleware(SessionMiddleware, secret_key="s")
@app.post("/login")
async def login(db: Db, request: Request, email: Annotated[str, Form()], password: Annotated[str, Form()]):
    user = await db.scalar(select(User).where(User.email == email))
    if user is None or user.hashed_password != "hash of " + password: raise HTTPException(401)
    request.session["user"] = user.email
    return RedirectResponse("/me", 303)
@app.get("/me")
async def me(request: Request) -> str: return request.session.get("user") or _no()
"""
    )
    run(pytester, app, "POST /login", TEST.replace("{how}", HOW)).passed(2)


def test_flask_and_plain_wsgi(pytester: pytest.Pytester) -> None:
    """A token, a login by JSON, and nobody."""
    app = """
from flask import Flask, jsonify, request
app = Flask(__name__)
@app.post("/login")
def login():
    if request.json["password"] != "secret": return {"error": "wrong"}, 401
    return {"access_token": "token of " + request.json["username"]}
@app.get("/me")
def me():
    given = request.headers.get("Authorization", "")
    if not given.startswith("Bearer token of "): return jsonify(None), 401
    return jsonify(given.removeprefix("Bearer token of "))
def create_token(username): return "token of " + username
"""
    test = """
class User:
    def __init__(self, username): self.username = username

def test_it(client):
    ann, bob = client.as_user(User("ann"){how}), client.as_user(User("bob"){how})
    assert ann.get("/me").json == "ann"
    assert bob.get("/me").json == "bob"
    assert client.get("/me").status_code == 401
    assert ann.anonymous.get("/me").status_code == 401
    assert client.with_token("token of eve").get("/me").json == "eve"
"""
    run(pytester, app, "POST /login", test.replace("{how}", HOW)).passed(1)
    run(pytester, app, "main:create_token", test.replace("{how}", "")).passed(1)
    wsgi = app + "\nflask_app = app\ndef app(environ, start): return flask_app(environ, start)\n"
    plain = test.replace("{how}", "").replace(".json ==", ".json() ==")
    files = {"main.py": wsgi, "test_main.py": plain}
    files["pyproject.toml"] = '[tool.greenroom]\napp = "main:app"\ncaller = "main:create_token"\n'
    Project(files).run(pytester).passed(1)


def test_a_user_of_an_overridden_dependency_is_the_requests_own(pytester: pytest.Pytester) -> None:
    """Of the request's session, so that what the app changes of it is stored; the override goes with the test."""
    test = """
from main import User, app, get_current_user

async def test_it(client, make, db_session):
    ann = await make(User)
    assert (await client.as_user(ann).post("/rename/new@example.com")).status_code == 200
    assert (await db_session.get(User, ann.id)).email == "new@example.com"

def test_gone(client):
    assert get_current_user not in app.dependency_overrides
    assert client.get("/me").status_code == 401

async def test_the_tests_own_override_wins(client, overrides, make):
    other = User(email="other@example.com")
    overrides[get_current_user] = lambda: other
    assert (await client.as_user(await make(User)).get("/me")).json() == "other@example.com"
"""
    run(pytester, BEARER, "main:get_current_user", test, "-p", "no:randomly").passed(3)


def test_other_ways_of_a_client_are_the_callers_too(pytester: pytest.Pytester) -> None:
    """Streams, prepared requests, WebSockets, redirects; headers of one's own stay."""
    app = (
        BEARER
        + """
from fastapi import WebSocket
from fastapi.responses import RedirectResponse, StreamingResponse
@app.get("/stream")
async def stream(user: Annotated[User, Depends(get_current_user)]):
    return StreamingResponse(iter([user.email]))
@app.get("/tenant")
async def tenant(request: Request) -> str: return request.headers.get("x-tenant", "")
@app.get("/away")
async def away(user: Annotated[User, Depends(get_current_user)]): return RedirectResponse("/me")
@app.websocket("/socket")
async def socket(websocket: WebSocket):
    await websocket.accept()
    await websocket.send_text(websocket.headers.get("authorization", ""))
"""
    )
    test = """
from main import User

async def test_async(client, make):
    client.headers["x-tenant"] = "acme"
    ann = await make(User)
    async with client.as_user(ann).stream("GET", "/stream") as response:
        assert (await response.aread()).decode() == ann.email
    prepared = client.as_user(ann)
    assert (await prepared.send(prepared.build_request("GET", "/me"))).json() == ann.email
    assert (await client.as_user(ann).get("/away", follow_redirects=True)).json() == ann.email
    assert (await client.as_user(ann).get("/tenant")).json() == "acme"
    async with client.with_token("t").websocket_connect("/socket") as socket:
        assert await socket.receive_text() == "Bearer t"

def test_blocking(client, make):
    ann = make(User)
    with client.as_user(ann).stream("GET", "/stream") as response:
        assert response.read().decode() == ann.email
    assert client.as_user(ann).get("/away").json() == ann.email
    with client.with_token("t").websocket_connect("/socket") as socket:
        assert socket.receive_text() == "Bearer t"
"""
    run(pytester, app, "main:create_access_token", test).passed(2)


def test_auth_client_makes_a_user_where_the_project_has_no_fixture(
    pytester: pytest.Pytester,
) -> None:
    """Of its mapped class User; where there is none, it says what to write."""
    test = "async def test_it(auth_client): assert '@' in (await auth_client.get('/me')).json()\n"
    run(pytester, BEARER, "main:create_access_token", test).passed(1)
    nobody = BEARER.replace("class User(Base)", "class Person(Base)").replace("User", "Person")
    result = run(pytester, nobody, "main:create_access_token", test)
    result.counts(errors=1)
    result.says("GR051 auth_client needs a user", "Write a fixture named user")


def test_what_goes_wrong_is_told(pytester: pytest.Pytester) -> None:
    """A login that fails shows its answer, without the password; unknown schemes, functions, users."""
    test = """
import re
import pytest
from main import User

def refused(call, text):
    with pytest.raises(Exception, match=re.escape(text)) as error:
        call()
    assert "s3cret" not in str(error.value)
    return str(error.value)

def test_login(client, make):
    user = make(User, email="ann@example.com")
    told = refused(lambda: client.as_user(user, password="s3cret"),
                   'GR051 POST /login answered 401, and gave neither a token nor a cookie: {"detail":"wrong"}')
    assert "greenroom has sent: username, password, grant_type" in told or "username, password" in told

async def test_login_async(client, make):
    user = await make(User)
    with pytest.raises(Exception, match="GR051 POST /login answered 401"):
        await client.as_user(user, password="s3cret").get("/me")

def test_no_password(client, make):
    refused(lambda: client.as_user(make(User)), "GR051 the password of the User isn't known")

def test_no_name(client):
    refused(lambda: client.as_user(7, password="s3cret"), "GR051 the user is a int, which has none of username")

def test_pair(client, make):
    make(User, email="ann@example.com", hashed_password="hash of pw")
    assert client.as_user(("ann@example.com", "pw")).get("/me").json() == "ann@example.com"
    assert client.as_user({"email": "ann@example.com", "password": "pw"}).get("/me").json() == "ann@example.com"

def test_scheme(client):
    refused(lambda: client.with_token("x", scheme="nope"),
            "GR051 the app declares no security scheme 'nope'.\\nIt declares: OAuth2PasswordBearer.")
"""
    run(pytester, BEARER, "POST /login", test).passed(6)
    one = """
import re, pytest
from main import User
def test_it(client, make):
    user = make(User)
    with pytest.raises(Exception, match=re.escape(TEXT)):
        client.as_user(user)
"""
    for caller, text in [
        (None, "GR051 as_user was called, and how a user becomes a credential hasn't been said."),
        (
            "POST /logni",
            "GR051 caller names the operation 'POST /logni', which the app hasn't got.\nIt has:",
        ),
        ("main:nothing", "GR051 caller names main:nothing, which can't be had"),
        ("main:KEY", "GR051 caller names main:KEY, which can't be called."),
        (
            "main:create_token",
            "GR051 create_token is called with data, and what that is of a user isn't known",
        ),
        ("main:create_access_token(user.nmae)", "GR051 the user is a User, which has no nmae."),
        (
            "main:create_access_token(open('x'))",
            "GR051 caller has \"open('x')\", which is more than",
        ),
        ("main:_no", None),
        ("user.nmae", "GR051 the user is a User, which has no nmae."),
        (
            "main:len(user.email)",
            "GR051 main:len(user.email) gives a int, in which there is no token.",
        ),
    ]:
        app = BEARER + "\nlen = len\n"
        test = (
            one.replace("TEXT", repr(text))
            if text
            else one.replace("TEXT", "'_no is called with nothing'")
        )
        run(pytester, app, caller, test).passed(1)


def test_a_scheme_that_nobody_can_speak_is_told(pytester: pytest.Pytester) -> None:
    """As is a caller that is written wrongly, before any test runs."""
    app = (
        MODELS
        + "scheme = HTTPDigest()\n@app.get('/me')\ndef me(x: Annotated[str, Depends(scheme)]): return 1\n"
    )
    test = """
import pytest
def test_it(client):
    with pytest.raises(Exception, match="GR051 the security scheme HTTPDigest is of the kind 'digest'"):
        client.with_token("x")
"""
    run(pytester, app, "main:create_access_token", test).passed(1)
    for wrong in ("login please", "main:f(", "/login", "PUSH /login"):
        result = run(pytester, app, wrong, test)
        assert result.code == 4
        result.says("GR005", "[tool.greenroom] caller", "is not of that form")
