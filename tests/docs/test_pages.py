"""What the docs show is run, and what they say of a run is what it prints."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.docs.blocks import ROOT, files_of
from tests.harness import Project


def test_the_tutorial_is_green_as_it_is_written(pytester: pytest.Pytester) -> None:
    """Its files, its ten tests, no database file."""
    files = files_of("README.md")
    assert "main.py" in files
    result = Project(files).run(pytester)
    result.passed(10)
    assert "Run `pytest`: ten tests pass" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert not (result.folder / "items.db").exists()


@pytest.mark.parametrize("name", [name for name in files_of("README.md") if "test_" in name])
def test_each_step_of_the_tutorial_is_green_by_itself(pytester: pytest.Pytester, name: str) -> None:
    """A reader runs after each step."""
    files = files_of("README.md")
    result = Project({"main.py": files["main.py"], name: files[name]}).run(pytester)
    assert result.code == 0, result.out


def test_the_tutorials_app_is_needed_for_its_tests(pytester: pytest.Pytester) -> None:
    """The tests of the tutorial can fail: without the handling of a duplicate, one does."""
    files = files_of("README.md")
    broken = files["main.py"].replace("HTTPException(409", "HTTPException(400")
    result = Project({**files, "main.py": broken}).run(pytester)
    result.counts(passed=9, failed=1)


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
    files = {**files_of("README.md"), **files_of("docs/options.md"), "ci.env": "STAGE=test\n"}
    result = Project(files).run(pytester)
    result.passed(10)
    result.says("app main:app ([tool.greenroom])", "metadata of main:Base (1 table)", "ci.env")


def test_the_example_is_green(pytester: pytest.Pytester) -> None:
    """`examples/quickstart`, in random order, with no conftest anywhere in it."""
    example = ROOT / "examples" / "quickstart"
    assert list(example.rglob("conftest.py")) == []
    shutil.copytree(example, pytester.path, dirs_exist_ok=True)
    result = Project({}).run(pytester)
    result.passed(17)
    assert list(result.folder.glob("*.db")) == []


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_the_service_of_tasks_is_green(
    pytester: pytest.Pytester, arguments: tuple[str, ...]
) -> None:
    """`examples/tasks`, in random order, on an embedded PostgreSQL, with no conftest anywhere in it."""
    example = ROOT / "examples" / "tasks"
    assert list(example.rglob("conftest.py")) == []
    shutil.copytree(example, pytester.path, dirs_exist_ok=True)
    result = Project({}).run_in(pytester, pytester.path, *arguments)
    outcomes = result.ran.parseoutcomes()
    assert set(outcomes) <= {"passed", "warnings", "warning"}, result.out
    assert outcomes["passed"] > 60
    assert result.code == 0, result.out
    if not arguments:  # The process that hands tests out knows less.
        result.says("embedded · reset · alembic 0001")


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
    files = {"main.py": files_of("README.md")["main.py"], **test}
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
    Project({"main.py": main, **files_of("docs/data.md")}).run(pytester).passed(2)


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
