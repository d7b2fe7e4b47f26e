"""Fixtures of a higher scope may request `client`, `sync_client` and `db_session`, as existing ones do."""

from __future__ import annotations

import pytest

from tests.dialects import KINDS, Dialect
from tests.harness import Project, app_source

SUITE = """
import pytest
from main import Item
from sqlalchemy import func, select, text

{fixtures}

@pytest.mark.parametrize("attempt", [1, 2])
async def test_async(client, db_session, lamp, attempt):
    assert (await client.get("/items")).json() == ["lamp", "chair"]
    assert await db_session.scalar(select(func.count()).select_from(Item)) == 2
    assert lamp.name == "lamp"
    await client.post("/items/own")

@pytest.mark.parametrize("attempt", [1, 2])
def test_blocking(client, db_session, lamp, attempt):
    assert client.get("/items").json() == ["lamp", "chair"]
    assert lamp.name == "lamp"
    client.post("/items/own")
"""
ASYNC = """
@pytest.fixture(scope="{scope}")
async def lamp(chair, db_session):
    item = await db_session.get(Item, 1)
    yield item
    assert await db_session.get(Item, 1) is item

@pytest.fixture(scope="{scope}")
async def chair(client, db_session):
    db_session.add(Item(name="lamp"))
    assert (await client.post("/items/chair")).json() == 2
    return 2
"""
BLOCKING = """
@pytest.fixture(scope="{scope}")
def lamp(chair, db_session):
    item = db_session.get(Item, 1)
    yield item
    assert db_session.get(Item, 1) is item

@pytest.fixture(scope="{scope}")
def chair(client, sync_client, db_session):
    db_session.add(Item(name="lamp"))
    assert client.post("/items/chair").json() == 2
    assert sync_client.get("/items").json() == ["lamp", "chair"]
    return 2
"""


@pytest.mark.parametrize("dialect", KINDS)
@pytest.mark.parametrize("scope", ["session", "module", "class"])
@pytest.mark.parametrize("fixtures", [ASYNC, BLOCKING], ids=["async", "blocking"])
def test_each_scope_has_its_own(
    pytester: pytest.Pytester, served: Dialect, scope: str, fixtures: str
) -> None:
    """What such a fixture does stays for its scope; what a test adds goes."""
    suite = SUITE.replace("{fixtures}", fixtures.replace("{scope}", scope))
    files = {"main.py": served.app(app_source("async_items")), "test_it.py": suite}
    Project(files, served.environ).run(pytester).passed(4)


def test_a_clients_cookies_and_headers_stay_for_the_scope(pytester: pytest.Pytester) -> None:
    """It's one client for all fixtures of that scope that ask for one; each test has its own."""
    app = """
from fastapi import FastAPI, Request, Response
app = FastAPI()
@app.post("/login")
def login(response: Response):
    response.set_cookie("who", "ada")
@app.get("/")
def who(request: Request) -> str: return request.cookies.get("who", "nobody")
"""
    suite = """
import pytest
@pytest.fixture(scope="module")
def logged_in(client):
    client.post("/login")
    return client
def test_the_module(logged_in): assert logged_in.get("/").json() == "ada"
def test_the_test(client, logged_in):
    assert client is not logged_in
    assert client.get("/").json() == "nobody"
"""
    Project({"main.py": app, "test_it.py": suite}).run(pytester).passed(2)


def test_a_fixture_of_the_projects_own_of_that_name_wins(pytester: pytest.Pytester) -> None:
    """Whatever its scope."""
    suite = """
import pytest
@pytest.fixture(scope="module")
def client(): return "own"
@pytest.fixture(scope="module")
def user(client): return client
def test_it(user, client, sync_client):
    assert user == client == "own"
    assert sync_client.get("/items").json() == []
"""
    files = {"main.py": app_source("sync_items"), "test_it.py": suite}
    Project(files).run(pytester).passed(1)


def test_a_fixture_in_a_class_keeps_its_self(pytester: pytest.Pytester) -> None:
    """It's a method, and stays one."""
    suite = """
import pytest
class TestIt:
    name = "lamp"
    @pytest.fixture(scope="class")
    def lamp(self, client):
        assert isinstance(self, TestIt)
        return client.post(f"/items/{self.name}").json()
    def test_one(self, lamp, client): assert (lamp, client.get("/items").json()) == (1, ["lamp"])
    def test_two(self, lamp, client): assert (lamp, client.get("/items").json()) == (1, ["lamp"])
def test_after(client): assert client.get("/items").json() == []
"""
    files = {"main.py": app_source("sync_items"), "test_it.py": suite}
    Project(files).run(pytester).passed(3)


LOOPS = """
import pytest
@pytest.fixture(scope="module")
def lamp(client):
    client.post("/items/lamp")
    yield
    assert client.get("/items").json() == ["lamp"]
    client.delete("/items/1")
def test_a(client, lamp): assert client.get("/items").json() == ["lamp"]
@pytest.mark.asyncio(loop_scope="function")
async def test_b(client, lamp):
    assert (await client.get("/items")).json() == ["lamp"]
    await client.post("/items/own")
def test_c(client, lamp): assert client.get("/items").json() == ["lamp"]
@pytest.mark.asyncio(loop_scope="function")
async def test_d(client, lamp): assert (await client.get("/items")).json() == ["lamp"]
"""


@pytest.mark.parametrize("dialect", KINDS)
@pytest.mark.parametrize("order", ["no:randomly", "randomly"])
def test_the_rows_and_the_client_stay_over_tests_on_other_loops(
    pytester: pytest.Pytester, served: Dialect, order: str
) -> None:
    """Also where the fixture is torn down after one of them."""
    files = {"main.py": served.app(app_source("async_items")), "test_it.py": LOOPS}
    Project(files, served.environ).run(pytester, "-p", order, "-W", "error").passed(4)


@pytest.mark.parametrize("selected", ["", "test_a.py", "test_b.py"])
def test_it_does_not_depend_on_what_is_selected(pytester: pytest.Pytester, selected: str) -> None:
    """Where one module extends the client, too."""
    conftest = """
import pytest
@pytest.fixture(scope="session")
def user(client): return client.post("/items/user").json()
"""
    extends = """
import pytest
@pytest.fixture
def client(client):
    client.headers["x-own"] = "yes"
    return client
def test_it(client, user): assert user == 1 and client.headers["x-own"] == "yes"
"""
    plain = "def test_it(client, user): assert user == 1"
    files = {
        "main.py": app_source("sync_items"),
        "conftest.py": conftest,
        "test_a.py": extends,
        "test_b.py": plain,
    }
    count = 1 if selected else 2
    Project(files).run(pytester, *filter(None, [selected])).passed(count)


HANDED_OVER = """
import pytest
from main import Item
from sqlalchemy import select

@pytest.fixture(scope="session")
def db(db_session): return db_session

@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("flush", [True, False])
def test_what_it_holds_is_there_for_a_request(db, client, flush, attempt):
    assert db.scalars(select(Item.name)).all() == []
    db.add(Item(name="own"))
    if flush:
        db.flush()
    assert client.get("/items").json() == ["own"]
    client.put("/items/1/renamed")
    assert db.get(Item, 1).name == "renamed"

@pytest.mark.parametrize("attempt", [1, 2])
def test_what_a_test_leaves_pending_is_gone(db, attempt):
    assert db.scalars(select(Item.name)).all() == []
    db.add(Item(name="pending"))

@pytest.mark.parametrize("attempt", [1, 2])
def test_what_a_test_only_reads(db, client, attempt):
    client.post("/items/lamp")
    assert db.get(Item, 1).name == "lamp"
"""


@pytest.mark.parametrize("dialect", KINDS)
def test_a_wide_session_is_handed_over_as_a_tests_own_is(
    pytester: pytest.Pytester, served: Dialect
) -> None:
    """It's an alias with another scope, to a suite that has one; nobody leaves anything open."""
    files = {"main.py": served.app(app_source("sync_items")), "test_it.py": HANDED_OVER}
    result = Project(files, served.environ).run(pytester, "-W", "error")
    result.passed(8)
    result.silent_about("left behind")
