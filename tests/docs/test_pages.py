"""What the docs show is run, and what they say of a run is what it prints."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from greenroom.config.read import read
from tests.docs.blocks import ROOT, files_of
from tests.harness import Project


def test_the_fixture_that_extends_greenrooms_works(pytester: pytest.Pytester) -> None:
    """As `docs/fixtures.md` shows it."""
    main = """
from fastapi import FastAPI, Request
app = FastAPI()

@app.get("/")
def tenant(request: Request): return request.headers["x-tenant"]
"""
    test = 'async def test_it(client): assert (await client.get("/")).json() == "acme"'
    files = {**files_of("docs/fixtures.md"), "main.py": main, "test_it.py": test}
    Project(files).run(pytester).passed(1)


def test_the_login_of_a_module_works(pytester: pytest.Pytester) -> None:
    """As `docs/fixtures.md` shows it."""
    main = """
from fastapi import FastAPI, Header
app = FastAPI()
@app.post("/login")
def login(body: dict): return {"token": body["name"]}
@app.get("/")
def who(authorization: str = Header()): return authorization
"""
    test = """
async def test_it(client, admin_headers):
    assert (await client.get("/", headers=admin_headers)).json() == "Bearer admin"
"""
    conftest = files_of("docs/fixtures.md")["tests/conftest.py"]
    files = {"tests/conftest.py": conftest, "main.py": main, "tests/test_it.py": test}
    Project(files).run(pytester).passed(1)


def test_the_settings_that_are_shown_are_accepted(pytester: pytest.Pytester) -> None:
    """As `docs/options.md` shows them."""
    files = {
        **files_of("docs/tutorial.md"),
        **files_of("docs/options.md"),
        "ci.env": "STAGE=test\n",
    }
    result = Project(files).run(pytester)
    result.passed(11)
    result.says("app main:app ([tool.greenroom])", "metadata of main:Base (1 table)", "ci.env")


def test_links_between_the_pages_lead_somewhere() -> None:
    """Each relative link names a file that is there, and a heading that is in it."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/*.md")]
    assert len(pages) > 10
    for page in pages:
        for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            if "://" in link:
                continue
            name, _, anchor = link.partition("#")
            target = (page.parent / name).resolve() if name else page
            assert target.exists(), f"{page}: {link}"
            if anchor:
                headings = re.findall(
                    r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE
                )
                anchors = {
                    re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings
                }
                assert anchor in anchors, f"{page}: {link}"


def test_the_refused_payloads_are_those_that_the_page_names(pytester: pytest.Pytester) -> None:
    """As `docs/payloads.md` shows them, of the tutorial's app."""
    test = files_of("docs/payloads.md")
    files = {"main.py": files_of("docs/tutorial.md")["main.py"], **test}
    result = Project(files).run(pytester, "-v", "-p", "no:randomly")
    result.passed(5)
    shown = [
        line
        for line in (ROOT / "docs" / "payloads.md").read_text(encoding="utf-8").splitlines()
        if line.endswith(" PASSED")
    ]
    for line in shown:
        assert line.split()[0] in result.out
    assert len(shown) == 5


def test_the_boundary_is_as_its_page_shows_it(pytester: pytest.Pytester) -> None:
    """Services, mail and settings, of an app made for them."""
    main = """
import smtplib
from email.message import EmailMessage
from functools import lru_cache
import httpx
from fastapi import Depends, FastAPI, HTTPException
from pydantic_settings import BaseSettings

class Shop(BaseSettings):
    open: bool = True

@lru_cache
def get_shop() -> Shop:
    return Shop()

app = FastAPI()

@app.post("/tasks/{number}/done")
async def done(number: int):
    async with httpx.AsyncClient() as client:
        try:
            await client.post("https://hooks.example.com/done", json={"task": number})
        except httpx.HTTPError as error:
            raise HTTPException(503) from error

@app.post("/users")
def register(body: dict):
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = "Welcome", "shop@example.com", body["email"]
    message.set_content("Hello Ann")
    with smtplib.SMTP("mail.example.com") as server:
        server.send_message(message)

@app.post("/orders")
def order(shop: Shop = Depends(get_shop)):
    if not shop.open:
        raise HTTPException(503)
"""
    files = {
        "main.py": main,
        **files_of("docs/boundary.md"),
        "pyproject.toml": "[tool.greenroom]\n",
    }
    Project(files).run(pytester).passed(4)


def test_rows_are_made_as_their_page_shows_it(pytester: pytest.Pytester) -> None:
    """An app of users and orders."""
    main = """
from fastapi import FastAPI
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

engine = create_engine("sqlite:///shop.db")

class Base(DeclarativeBase): pass

class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)

class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    user: Mapped[User] = relationship()

app = FastAPI()

@app.get("/users/{number}/orders")
def orders(number: int) -> list[int]:
    with Session(engine) as session:
        return list(session.scalars(select(Order.id).where(Order.user_id == number)))
"""
    factories = """
from factory.alchemy import SQLAlchemyModelFactory
from main import Order, User
class UserFactory(SQLAlchemyModelFactory):
    class Meta: model = User
    email = "ann@example.com"
class OrderFactory(SQLAlchemyModelFactory):
    class Meta: model = Order
    user = None
"""
    own = """
from factories import UserFactory
from main import User
from sqlalchemy import select
def test_own(db_session):
    user = UserFactory()
    assert db_session.scalars(select(User)).all() == [user]
"""
    files = {"main.py": main, "factories.py": factories, "test_own.py": own}
    Project({**files, **files_of("docs/data.md")}).run(pytester).passed(3)


def test_callers_are_as_their_page_shows_them(pytester: pytest.Pytester) -> None:
    """An app with bearer tokens, in a package."""
    files = {
        "shop/__init__.py": "",
        "shop/models.py": """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase): pass

class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
""",
        "shop/security.py": "def create_access_token(user_id): return f'token-{user_id}'\n",
        "main.py": """
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from shop.models import User

engine = create_engine("sqlite:///shop.db")
app = FastAPI()

@app.get("/me")
def me(token: str = Depends(OAuth2PasswordBearer(tokenUrl="login"))) -> str:
    with Session(engine) as session:
        known = token.startswith("token-") and session.get(User, int(token[6:]))
        if not known: raise HTTPException(401)
        return known.email
""",
        **files_of("docs/callers.md"),
    }
    Project(files).run(pytester).passed(2)


def test_the_checks_are_those_that_their_page_shows(pytester: pytest.Pytester) -> None:
    """Of an app that lets a stranger read an order."""
    app = (ROOT / "tests" / "apps" / "checked.py").read_text(encoding="utf-8")
    app = app.replace("order is None or order.user_id != me.id", "order is None")
    test = "async def test_own(client): pass\n"
    result = Project(
        {
            "main.py": app,
            "test_own.py": test,
            "pyproject.toml": files_of("docs/checks.md")["pyproject.toml"],
        }
    ).run(pytester, "-v", "-p", "no:randomly")
    lines = (ROOT / "docs" / "checks.md").read_text(encoding="utf-8").splitlines()
    shown = [line for line in lines if line.startswith("greenroom_checks::")]
    assert len(shown) == 4
    for line in shown:
        assert line in result.out, line


def test_what_goes_deeper_does_what_the_page_of_checks_shows(pytester: pytest.Pytester) -> None:
    """Of an app that is right, and of one that fails at some number."""
    app = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/half')\ndef half(of: int) -> float: return {}\n"
    test = {"test_fuzz.py": files_of("docs/checks.md")["test_fuzz.py"]}
    arguments = ("-p", "schemathesis.pytest.plugin", "-p", "no:randomly")
    right = {"main.py": app.format("of / 2"), "pyproject.toml": "[tool.greenroom]\n", **test}
    Project(right).run_subprocess(pytester, *arguments).passed(1)
    wrong = {**right, "main.py": app.format("1 / of")}
    Project(wrong).run_subprocess(pytester, *arguments).counts(failed=1)


def test_the_clients_do_what_their_page_shows(pytester: pytest.Pytester) -> None:
    """An app that streams, echoes and fails."""
    main = """
import asyncio
from fastapi import FastAPI, WebSocket
from fastapi.responses import StreamingResponse

app = FastAPI()

@app.get("/items/{number}")
def item(number: int, full: bool = False): return {"id": number, "full": full}

@app.get("/fails")
def fails(): return 1 / 0

@app.get("/events")
async def events():
    async def endless():
        number = 0
        while True:
            yield f"data: {number}\\n"
            number += 1
            await asyncio.sleep(0.001)
    return StreamingResponse(endless())

@app.websocket("/ws")
async def echo(socket: WebSocket):
    await socket.accept()
    await socket.send_text(await socket.receive_text())
"""
    Project({"main.py": main, **files_of("docs/clients.md")}).run(pytester).passed(8)


def test_what_is_dropped_in_the_route_is_not_planned(pytester: pytest.Pytester) -> None:
    """As `docs/contract.md` shows it."""
    test = """
async def test_me(client):
    assert (await client.with_token("t").get("/me")).json() == "t"
"""
    files = {"main.py": files_of("docs/contract.md")["main.py"], "test_me.py": test}
    result = Project(files).run(pytester, "--greenroom-report")
    result.passed(1)
    result.says("1 of 1 planned answers are covered (100 %)")


def test_statements_are_counted_as_the_page_shows(pytester: pytest.Pytester) -> None:
    """And one too many is told."""
    main = """
from fastapi import FastAPI
from sqlalchemy import create_engine, text
engine = create_engine("sqlite:///shop.db")
app = FastAPI()

@app.get("/orders")
def orders():
    with engine.connect() as connection:
        for _ in range(2): connection.execute(text("SELECT 1"))
"""
    test = {"test_statements.py": files_of("docs/contract.md")["test_statements.py"]}
    table = '[tool.greenroom]\nschema = "none"\n'
    Project({"main.py": main, **test, "pyproject.toml": table}).run(pytester).passed(1)
    main = main.replace("range(2)", "range(3)")
    result = Project({"main.py": main, **test, "pyproject.toml": table}).run(pytester)
    result.counts(failed=1)
    result.says("GR041")


def test_a_row_of_the_sessions_stays_as_its_page_shows(pytester: pytest.Pytester) -> None:
    """As `docs/isolation.md` shows it."""
    main = """
from fastapi import FastAPI
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
engine = create_async_engine("sqlite+aiosqlite:///shop.db")
class Base(DeclarativeBase): pass
class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
app = FastAPI()

@app.get("/users")
async def users() -> int:
    async with AsyncSession(engine) as session:
        return await session.scalar(select(func.count(User.id)))
"""
    test = """
import pytest
@pytest.mark.parametrize("n", range(2))
async def test_it(admin, client, n): assert (await client.get("/users")).json() == 1
"""
    Project({"main.py": main, **files_of("docs/isolation.md"), "test_it.py": test}).run(
        pytester
    ).passed(2)


PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_a_page_is_run_or_read(page: Path) -> None:
    """A file is run by a test that names its page; a fragment is read as what it is."""
    text = page.read_text(encoding="utf-8")
    name = page.relative_to(ROOT).as_posix()
    tests = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests/docs").glob("*.py"))
    for kind, title, source in re.findall(
        r"^```(\w*)( title=\S+)?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    ):
        if title and page.name == "checks.md":
            assert f'"{title.partition("=")[2]}"' in tests, f"{name}:{title} is never run"
        elif title:
            assert f'"{name}"' in tests or f'"{page.name}"' in tests, f"{name}:{title} is never run"
        elif kind == "python":
            ast.parse(source)
        elif kind == "toml":
            table = tomllib.loads(source).get("tool", {}).get("greenroom")
            if table is not None:
                read(table, {}, {})
        else:
            assert kind in {"", "console", "text", "yaml", "toctree"}, f"{name}: {kind}"


def test_the_test_of_the_first_page_passes(pytester: pytest.Pytester) -> None:
    """Of the tutorial's app."""
    test = {"test_items.py": files_of("README.md")["test_items.py"]}
    Project({"main.py": files_of("docs/tutorial.md")["main.py"], **test}).run(pytester).passed(1)


def test_the_table_for_a_named_server_is_accepted() -> None:
    """As `docs/databases.md` shows it."""
    source = files_of("docs/databases.md")["pyproject.toml"]
    read(tomllib.loads(source)["tool"]["greenroom"], {}, {})
