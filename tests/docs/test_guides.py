"""The guides are run: each block that is a file, and what their pages say of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from greenroom.cli.main import main
from greenroom.config.options import FIXTURES, OPTIONS
from greenroom.plugin import markers
from tests.docs.blocks import ROOT, files_of
from tests.harness import Project

MIGRATING = files_of("docs/migrating.md")
TUTORIAL = files_of("docs/tutorial.md")["main.py"]
PLAIN = ("-p", "no:greenroom", "-p", "no:randomly")


def part(name: str, **more: str) -> dict[str, str]:
    """The files of one part of the page on migrating."""
    found = {
        title.removeprefix(f"{name}/"): text
        for title, text in MIGRATING.items()
        if title.startswith(f"{name}/")
    }
    return found | more


def old(**more: str) -> dict[str, str]:
    """The well-known conftest, its settings and the tests."""
    tests = {"main.py": TUTORIAL, "tests/test_items.py": MIGRATING["tests/test_items.py"]}
    return part("before") | tests | more


def test_the_conftest_before_is_green_without_greenroom(pytester: pytest.Pytester) -> None:
    """Going back, too: it is the run that the page names."""
    result = Project(old()).run(pytester, *PLAIN)
    result.passed(3)
    result.silent_about("greenroom:")


def test_the_conftest_before_has_about_sixty_lines() -> None:
    """And the one after has five."""
    counted = {
        when: len([line for line in part(when)["tests/conftest.py"].splitlines() if line.strip()])
        for when in ("before", "after")
    }
    assert 50 <= counted["before"] <= 65
    assert counted["after"] == 5


def test_the_conftest_before_is_green_beside_greenroom(pytester: pytest.Pytester) -> None:
    """Unmodified, when the project says that it uses it."""
    files = old()
    files["pyproject.toml"] += "\n[tool.greenroom]\n"
    result = Project(files).run(pytester)
    result.passed(3)
    assert "app main:app" in result.header()


def test_the_conftest_after_is_green(pytester: pytest.Pytester) -> None:
    """The same tests."""
    Project(old() | part("after")).run(pytester).passed(3)


def test_one_file_at_a_time_is_green(pytester: pytest.Pytester) -> None:
    """The old conftest in a folder of its own, a file that was moved out of it."""
    files = old()
    files["tests/old/conftest.py"] = files["tests/conftest.py"]
    files["tests/old/test_old_items.py"] = files["tests/test_items.py"]
    files["tests/conftest.py"] = part("after")["tests/conftest.py"]
    files["pyproject.toml"] += "\n[tool.greenroom]\n"
    Project(files).run(pytester).passed(6)


def test_in_a_suite_half_migrated_the_old_files_are_green_without_greenroom(
    pytester: pytest.Pytester,
) -> None:
    """And the others lack their fixtures."""
    files = old()
    files["tests/old/conftest.py"] = files["tests/conftest.py"]
    files["tests/old/test_old_items.py"] = files["tests/test_items.py"]
    files["tests/conftest.py"] = part("after")["tests/conftest.py"]
    files["pyproject.toml"] += "\n[tool.greenroom]\n"
    result = Project(files).run(pytester, *PLAIN)
    result.counts(passed=3, errors=3)
    result.says("fixture 'client' not found")


def test_what_a_shared_session_hides_is_green_on_the_recipe(pytester: pytest.Pytester) -> None:
    """Two faults of the app."""
    Project(part("before") | part("red")).run(pytester, *PLAIN).passed(2)


def test_what_a_shared_session_hides_is_red_on_greenroom(pytester: pytest.Pytester) -> None:
    """With the texts that the page names."""
    result = Project(part("red") | {"pyproject.toml": "[tool.greenroom]\n"}).run(pytester)
    result.counts(failed=2)
    result.says("assert 'lamp' == 'chair'", "MissingGreenlet")


def test_what_a_shared_session_hides_is_green_once_the_app_is_right(
    pytester: pytest.Pytester,
) -> None:
    """By what the table says to do."""
    files = part("red") | {"pyproject.toml": "[tool.greenroom]\n"}
    files["main.py"] = (
        files["main.py"]
        .replace("await db.flush()", "await db.commit()")
        .replace("import DeclarativeBase", "import selectinload, DeclarativeBase")
        .replace(
            "number)\n    return [part",
            "number, options=[selectinload(Item.parts)])\n    return [part",
        )
    )
    Project(files).run(pytester).passed(2)


LEAKY = """
import pytest_asyncio
from httpx2 import ASGITransport, AsyncClient
from main import Base, app, engine


@pytest_asyncio.fixture
async def client():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        yield client
"""

COUNTING = """
async def test_a_lamp(client):
    assert (await client.post("/items/", json={"name": "lamp"})).json()["id"] == 1

async def test_a_chair(client):
    assert (await client.post("/items/", json={"name": "chair"})).json()["id"] == 2

async def test_the_lamp(client):
    assert (await client.get("/items/1")).status_code == 200
"""


def test_what_counts_on_earlier_tests_is_green_on_a_recipe_that_leaks(
    pytester: pytest.Pytester,
) -> None:
    """In the order of the file."""
    files = part("before") | {"main.py": TUTORIAL, "test_it.py": COUNTING}
    files["tests/conftest.py"] = ""
    Project(files | {"conftest.py": LEAKY}).run(pytester, *PLAIN).passed(3)


def test_what_counts_on_earlier_tests_is_red_on_greenroom(pytester: pytest.Pytester) -> None:
    """An id, and a row."""
    files = {"main.py": TUTORIAL, "test_it.py": COUNTING, "pyproject.toml": "[tool.greenroom]\n"}
    Project(files).run(pytester, "-p", "no:randomly").counts(passed=1, failed=2)


STARTING = """
from contextlib import asynccontextmanager
import main

@asynccontextmanager
async def lifespan(app):
    async with main.SessionLocal() as session:
        session.add(main.Item(name="lamp"))
        await session.commit()
    yield

app = main.app
app.router.lifespan_context = lifespan
"""

LAMP = """
async def test_a_lamp(client):
    assert (await client.post("/items/", json={"name": "lamp"})).status_code == 201
"""


def test_a_row_of_the_start_up_is_missing_where_the_recipe_runs_no_start_up(
    pytester: pytest.Pytester,
) -> None:
    """A test that makes it anew is green there."""
    files = part("before") | {"main.py": TUTORIAL, "api.py": STARTING, "tests/test_it.py": LAMP}
    files["tests/conftest.py"] += "import api\n"
    Project(files).run(pytester, *PLAIN).passed(1)


def test_a_row_of_the_start_up_is_there_on_greenroom(pytester: pytest.Pytester) -> None:
    """And that test is red."""
    says = {"pyproject.toml": "[tool.greenroom]\napp = 'api:app'\n"}
    files = {"main.py": TUTORIAL, "api.py": STARTING, "test_it.py": LAMP} | says
    result = Project(files).run(pytester)
    result.counts(failed=1)
    result.says("assert 409 == 201")


def test_fixtures_by_other_names_and_fakes_of_ones_own_may_stay(pytester: pytest.Pytester) -> None:
    """A renamed session, time-machine, responses, an override of a dependency."""
    main = (
        TUTORIAL
        + """

@app.get("/outside")
def outside() -> dict[str, str]:
    import datetime
    import requests

    paid = requests.get("https://pay.example.com/", timeout=1).text
    return {"paid": paid, "on": datetime.date.today().isoformat()}
"""
    )
    conftest = """
import pytest

@pytest.fixture
def session(db_session):
    return db_session
"""
    test = """
import pytest
import responses
import time_machine
from main import Item, app, get_limit

@pytest.fixture
def seven():
    app.dependency_overrides[get_limit] = lambda: 7
    yield
    app.dependency_overrides.clear()

async def test_a_session(client, session):
    session.add(Item(name="lamp"))
    assert (await client.get("/items/1")).json()["name"] == "lamp"

@responses.activate
def test_fakes(client, seven):
    responses.get("https://pay.example.com/", body="yes")
    with time_machine.travel("2026-01-31", tick=False):
        assert client.get("/outside").json() == {"paid": "yes", "on": "2026-01-31"}
    assert client.get("/limit").json() == 7
"""
    files = {"main.py": main, "conftest.py": conftest, "test_it.py": test}
    Project(files | {"pyproject.toml": "[tool.greenroom]\n"}).run(pytester).passed(2)


SHOP = """
import smtplib
from email.message import EmailMessage

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from pydantic_settings import BaseSettings
from sqlalchemy import ForeignKey, create_engine, event, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine("sqlite:///shop.db")


class Settings(BaseSettings):
    open: bool = True


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    name: Mapped[str] = mapped_column(primary_key=True)


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_name: Mapped[str] = mapped_column(ForeignKey("users.name"))


config = Settings()
app = FastAPI()


def create_token(name):
    return f"token-{name}"


def get_db():
    with Session(engine) as session:
        yield session


def me(token=Depends(OAuth2PasswordBearer(tokenUrl="login")), db=Depends(get_db)) -> User:
    user = db.get(User, token.removeprefix("token-"))
    if user is None:
        raise HTTPException(401)
    return user


@app.get("/orders")
def read(user=Depends(me), db=Depends(get_db)) -> list[int]:
    return list(db.scalars(select(Order.id).where(Order.user_name == user.name)))


@app.post("/orders")
def order(user=Depends(me), db=Depends(get_db)) -> dict[str, int]:
    if not config.open:
        raise HTTPException(503)
    new = Order(user_name=user.name)
    db.add(new)
    db.flush()
    number = new.id

    @event.listens_for(db, "after_commit", once=True)
    def tell(session):
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = f"Order {number}", "s@example.com", "a@example.com"
        with smtplib.SMTP("mail.example.com") as server:
            server.send_message(message)

    db.commit()
    return {"id": number}
"""


def test_a_suite_of_somebody_who_knows_pytest_django_is_green(pytester: pytest.Pytester) -> None:
    """As its page shows it, in any order."""
    Project({"main.py": SHOP, **files_of("docs/pytest-django.md")}).run(pytester).passed(7)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("if not config.open", "if False"),
        ('f"Order {number}"', '"An order"'),
        (".where(Order.user_name == user.name)", ""),
    ],
    ids=["a closed shop", "the mail", "all orders"],
)
def test_that_suite_is_red_if_the_app_is_wrong(
    pytester: pytest.Pytester, right: str, wrong: str
) -> None:
    """Its tests can fail."""
    assert right in SHOP
    files = {"main.py": SHOP.replace(right, wrong), **files_of("docs/pytest-django.md")}
    Project(files).run(pytester).counts(passed=6, failed=1)


def test_each_name_in_the_table_of_pytest_django_exists() -> None:
    """What stands alone in backticks in the second column is a fixture, a flag or a variable."""
    text = (ROOT / "docs" / "pytest-django.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 20
    known = {*FIXTURES, *(option.key for option in OPTIONS), *markers.NAMES}
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)[`.(]", row[1])}
    assert named - known - {"make"} <= {"isolation"}, named - known
    assert {"client", "db_session", "queries", "mailbox", "settings", "live_server"} <= named


def test_the_workflows_are_yaml() -> None:
    """And have the parts that their service reads."""
    yaml: Any = pytest.importorskip("yaml", reason="PyYAML comes with schemathesis")
    files = files_of("docs/parallel.md")
    assert sorted(files) == [
        ".github/workflows/server.yml",
        ".github/workflows/tests.yml",
        ".gitlab-ci.yml",
    ]
    for name, text in files.items():
        read = yaml.safe_load(text)
        if name.startswith(".github"):
            steps = [step for job in read["jobs"].values() for step in job["steps"]]
            assert all(("uses" in step) != ("run" in step) for step in steps)
            assert all(job["runs-on"] for job in read["jobs"].values())
        else:
            jobs = [job for job in read.values() if isinstance(job, dict) and "script" in job]
            assert {job["stage"] for job in jobs} == set(read["stages"])


#: What pytest-split does, as far as greenroom can see it.
SPLIT = """
def pytest_addoption(parser):
    parser.addoption("--splits", type=int)
    parser.addoption("--group", type=int)

def pytest_collection_modifyitems(config, items):
    splits, group = config.option.splits, config.option.group
    if splits:
        items.sort(key=lambda item: item.nodeid)
        config.hook.pytest_deselected(items=[i for n, i in enumerate(items) if n % splits != group - 1])
        items[:] = items[group - 1 :: splits]
"""


def split_tutorial() -> Project:
    """The tutorial, which can be split."""
    files = files_of("docs/tutorial.md")
    return Project({**files, "conftest.py": SPLIT, "pyproject.toml": "[tool.greenroom]\n"})


def test_shards_combined_show_what_one_run_shows(
    pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the number that was asked for is that of all."""
    project = split_tutorial()
    for group, passed, deselected in (("1", 6, 5), ("2", 5, 6)):
        shard = f"--greenroom-report=shard-{group}.json"
        project.run(pytester, "--splits", "2", "--group", group, shard).counts(
            passed=passed, deselected=deselected
        )
    result = project.run(pytester, "--greenroom-report=whole.json")
    shards = [str(result.folder / f"shard-{group}.json") for group in (1, 2)]
    combined = str(result.folder / "all.json")

    assert main(["combine", *shards, "-o", combined, "--fail-under", "80"]) == 0
    assert main(["combine", *shards, "--fail-under", "90"]) == 1
    assert main(["diff", str(result.folder / "whole.json"), combined]) == 0
    assert main(["diff", shards[0], combined]) == 0
    assert main(["diff", combined, shards[0]]) == 1
    whole, both = result.json("whole.json"), json.loads((result.folder / "all.json").read_text())
    assert (whole["covered"], whole["planned"]) == (both["covered"], both["planned"])


def test_a_shard_is_not_asked_for_the_whole(pytester: pytest.Pytester) -> None:
    """As no other part of the suite is."""
    arguments = ["--splits", "2", "--group", "1", "--greenroom-fail-under=80"]
    assert split_tutorial().run(pytester, *arguments).code == 0


NO_MODELS = """
from fastapi import FastAPI
from sqlalchemy import create_engine
engine = create_engine("sqlite:///shop.db")
app = FastAPI()
"""


@pytest.mark.parametrize(
    ("files", "arguments", "code"),
    [
        ({}, [], 0),
        ({"test_red.py": "def test_red(): assert 0"}, [], 1),
        ({}, ["--greenroom-fail-under=100"], 1),
        ({}, ["--greenroom-fail-under=100", "-k", "limit"], 0),
        ({"main.py": NO_MODELS}, ["tests/test_blocking.py"], 2),
        ({"main.py": "1 / 0"}, [], 4),
        ({"main.py": ""}, [], 4),
        ({"app.py": TUTORIAL}, [], 4),
        ({}, ["--greenroom-isolation=none"], 4),
        ({}, ["-k", "elsewhere"], 5),
    ],
    ids=[
        "green",
        "a red test",
        "less than fail-under",
        "fail-under of a part",
        "a start-up that fails",
        "an app that fails",
        "no app",
        "two apps",
        "a mistake",
        "no test",
    ],
)
def test_the_exit_code_is_that_of_the_table(
    pytester: pytest.Pytester, files: dict[str, str], arguments: list[str], code: int
) -> None:
    """Of the tutorial, with something changed."""
    base = {**files_of("docs/tutorial.md"), "pyproject.toml": "[tool.greenroom]\n"}
    assert Project(base | files).run(pytester, *arguments).code == code


@pytest.mark.parametrize("name", ["migrating.md", "pytest-django.md", "parallel.md"])
def test_an_option_that_a_guide_names_is_there(name: str) -> None:
    """As a flag, a variable or a key."""
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    flags = set(re.findall(r"--greenroom-[a-z-]+[a-z]", text))
    variables = set(re.findall(r"GREENROOM_[A-Z_]+", text))
    assert flags <= {option.flag for option in OPTIONS}
    assert variables <= {option.variable for option in OPTIONS}
