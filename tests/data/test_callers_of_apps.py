"""Callers of apps that are built in ways of their own."""

from __future__ import annotations

import pytest

from tests.data.test_callers import MODELS, run

OVERRIDDEN = (
    MODELS
    + """
from fastapi import WebSocket
scheme = OAuth2PasswordBearer(tokenUrl="login")
async def get_payload(token: Annotated[str, Depends(scheme)]):
    if not token.startswith("token of "): raise HTTPException(401)
    return token.removeprefix("token of ")
async def get_current_user(db: Db, email: Annotated[str, Depends(get_payload)]) -> User:
    return await db.scalar(select(User).where(User.email == email)) or _no()
class Active:
    async def __call__(self, user: Annotated[User, Depends(get_current_user)]) -> User:
        return user
get_active_user = Active()
@app.get("/me")
async def me(user: Annotated[User, Depends(get_active_user)]) -> str: return user.email
@app.get("/current")
async def current(user: Annotated[User, Depends(get_current_user)]) -> str: return user.email
"""
)


def test_a_dependency_on_another_that_reads_a_token(pytester: pytest.Pytester) -> None:
    """What stands between it and the token isn't asked for a user; for everybody else it is."""
    test = """
import pytest
from main import User

async def test_it(client, make):
    ann, bob = await make(User), await make(User)
    for path in ("/me", "/current"):
        assert (await client.as_user(ann).get(path)).json() == ann.email
        assert (await client.as_user(bob).get(path)).json() == bob.email
        assert (await client.get(path)).status_code == 401
        own = client.with_token(f"token of {bob.email}")
        assert (await own.get(path)).json() == bob.email

def test_blocking(client, make):
    assert client.as_user(make(User, email="a@example.com")).get("/me").json() == "a@example.com"
"""
    run(pytester, OVERRIDDEN, "main:get_active_user", test).passed(2)


def test_a_websocket_is_the_callers_too(pytester: pytest.Pytester) -> None:
    """By an override and by a token, awaited and not, before any other request; in the query, too."""
    app = (
        MODELS
        + """
from fastapi import WebSocket
async def get_current_user(websocket: WebSocket) -> User:
    await websocket.close(1008)
    raise RuntimeError("nobody")
@app.websocket("/socket")
async def socket(websocket: WebSocket, user: Annotated[User, Depends(get_current_user)]):
    await websocket.accept()
    await websocket.send_text(user.email)
    await websocket.close()
"""
    )
    test = """
from main import User

async def test_it(client, make):
    ann = await make(User)
    async with client.as_user(ann).websocket_connect("/socket") as session:
        assert await session.receive_text() == ann.email

def test_blocking(client, make):
    ann = make(User)
    with client.as_user(ann).websocket_connect("/socket") as session:
        assert session.receive_text() == ann.email
"""
    run(pytester, app, "main:get_current_user", test).passed(2)
    by_token = (
        MODELS
        + """
from fastapi import WebSocket
scheme = APIKeyQuery(name="token")
@app.get("/me")
async def me(token: Annotated[str, Depends(scheme)]): return token
@app.websocket("/socket")
async def socket(websocket: WebSocket, token: str):
    await websocket.accept()
    await websocket.send_text(token)
    await websocket.close()
def create_token(email: str) -> str: return "token of " + email
"""
    )
    test = test.replace("== ann.email", "== 'token of ' + ann.email")
    run(pytester, by_token, "main:create_token", test).passed(2)


def test_a_cookie_may_be_taken_away_by_the_app(pytester: pytest.Pytester) -> None:
    """A logout ends the session of who has logged in."""
    app = (
        MODELS
        + """
from fastapi import Cookie, Response
@app.post("/login")
async def login(data: dict, response: Response):
    response.set_cookie("csrftoken", "x")
    if data["password"] == "secret": response.set_cookie("sid", data["email"])
@app.post("/logout")
async def logout(response: Response): response.delete_cookie("sid")
@app.get("/me")
async def me(sid: Annotated[str | None, Cookie()] = None) -> str: return sid or _no()
"""
    )
    test = """
import pytest
from main import User

async def test_it(client, make):
    ann = client.as_user(await make(User, email="ann@example.com"), password="secret")
    assert (await ann.get("/me")).json().strip('"') == "ann@example.com"
    await ann.post("/logout")
    assert (await ann.get("/me")).status_code == 401

async def test_wrong(client, make):
    # The cookie against forged forms, which everybody gets, is no credential.
    with pytest.raises(Exception, match="GR051 .*neither a token nor a cookie"):
        await client.as_user(await make(User), password="wrong").get("/me")
"""
    run(pytester, app, "POST /login", test).passed(2)


def test_users_of_other_kinds(pytester: pytest.Pytester) -> None:
    """A dictionary and a pair; a token that stands deeper than the one that renews it."""
    app = (
        MODELS
        + """
scheme = OAuth2PasswordBearer(tokenUrl="login")
@app.get("/me")
async def me(token: Annotated[str, Depends(scheme)]) -> str: return token
def create_token(email: str):
    return {"token": {"refresh": {"token": "wrong"}}, "data": {"access_token": "token of " + email}}
"""
    )
    test = """
import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from main import User, engine

async def test_it(client):
    for user in ({"email": "ann"}, ("ann", "secret")):
        assert (await client.as_user(user).get("/me")).json() == "token of ann"

async def test_gone(client, make, db_session):
    ann = await make(User)
    await db_session.commit()
    async with AsyncSession(engine) as session:
        other = await session.get(User, ann.id)
        session.expire(other)
    with pytest.raises(Exception, match="GR051 the User can't be read any more"):
        await client.as_user(other).get("/me")
"""
    run(pytester, app, "main:create_token", test).passed(2)


def test_an_answer_that_repeats_the_password_is_shown_without_it(
    pytester: pytest.Pytester,
) -> None:
    """Whatever it's called there."""
    app = (
        MODELS
        + """
@app.post("/login")
async def login(data: dict): raise HTTPException(401, f"not {data}")
"""
    )
    test = """
async def test_it(client):
    await client.as_user(("ann", "correct-horse")).get("/me")
"""
    result = run(pytester, app, "POST /login", test)
    result.counts(failed=1)
    result.says("GR051 ", "***")
    assert "correct-horse" not in result.out.split("GR051", 1)[1].split("\n")[0]


def test_first_requests_side_by_side_wait_for_one_login(pytester: pytest.Pytester) -> None:
    """None goes out as nobody."""
    app = """
import asyncio
from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from pydantic import BaseModel

app = FastAPI()
logins = []
class Login(BaseModel):
    username: str
    password: str

@app.post("/login")
async def login(data: Login):
    logins.append(data.username)
    for _ in range(10): await asyncio.sleep(0)
    return {"access_token": "t"}

@app.get("/me")
async def me(bearer=Depends(HTTPBearer())): return "ann"
"""
    test = """
import asyncio
from main import logins
async def test_it(client):
    ann = client.as_user(("ann", "secret"))
    answers = await asyncio.gather(*(ann.get("/me") for _ in range(3)))
    assert [one.status_code for one in answers] == [200, 200, 200]
    assert logins == ["ann"]
"""
    run(pytester, app, "POST /login", test).passed(1)
