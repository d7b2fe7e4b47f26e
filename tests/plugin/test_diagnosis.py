"""A failed test's report says what the test did last."""

from __future__ import annotations

import pytest

from tests.dialects import KINDS, Dialect
from tests.harness import Project, Result, app_source

TEST = """
import pytest
async def test_a(client, db_session):
    await client.post("/items/lamp")
    assert (await client.get("/items")).json() == ["chair"]
def test_b(sync_client):
    sync_client.post("/items/desk", json={"password": "ge" + "heim"})
    with pytest.raises(AssertionError):
        assert False
def test_c():
    assert False
async def test_d(client):
    await client.get("/items", params={"token": "ge" + "heim"})
    await client.get("/nothing")
    assert False
"""


@pytest.mark.parametrize("dialect", KINDS)
def test_exchanges_statements_and_changed_rows(pytester: pytest.Pytester, served: Dialect) -> None:
    """Of the test itself; nothing of one that passed, or that did nothing."""
    files = {"main.py": served.app(app_source("async_items")), "test_it.py": TEST}
    result = Project(files, served.environ).run(pytester, "-p", "no:randomly")
    result.counts(failed=3, passed=1)
    assert result.out.count("- greenroom -") == 2, result.out
    result.says(
        "POST /items/lamp -> 201",
        "GET /items -> 200",
        '    < ["lamp"]',
        "statements since the last request began:",
        "    SELECT items.name",
        "rows changed: items 1 insert",
        "GET /items?token=*** -> 200",
        "GET /nothing -> 404",
    )
    result.silent_about("geheim", "desk -> ")


def test_workers_tell_it_too(pytester: pytest.Pytester) -> None:
    """It is part of the report, and travels with it."""
    files = {"main.py": app_source("async_items"), "test_it.py": TEST}
    result = Project(files).run_subprocess(pytester, "-n", "2")
    result.says("POST /items/lamp -> 201", "rows changed: items 1 insert")


RAISES = """
from fastapi import FastAPI
app = FastAPI()
@app.get("/")
async def broken():
    raise KeyError("what")
"""


def test_a_request_whose_handler_raises_is_told(pytester: pytest.Pytester) -> None:
    """With the error, since there is no status."""
    test = "async def test_it(client): await client.get('/')"
    result = Project({"main.py": RAISES, "test_it.py": test}).run(pytester)
    result.says("GET / -> raised KeyError: 'what'")


HINTS = """
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine("sqlite:///app.db")
SessionLocal = sessionmaker(engine)
class Base(DeclarativeBase): pass
class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

def get_db():
    with SessionLocal() as session:
        yield session
def current_user(db=Depends(get_db)): return "nobody"
def tenant(): return "acme"

app = FastAPI()
@app.get("/")
def root(user=Depends(current_user)) -> str: return user
admin = FastAPI()
@admin.get("/")
def admin_root(tenant=Depends(tenant)) -> str: return tenant
app.mount("/admin", admin)
"""


def hints(pytester: pytest.Pytester, test: str, **more: str) -> Result:
    files = {"main.py": HINTS, "test_it.py": test, **more}
    return Project(files).with_pyproject("[tool.greenroom]\n").run(pytester, "-p", "no:randomly")


def test_an_override_that_nothing_depends_on_is_told(pytester: pytest.Pytester) -> None:
    """With the dependency that was meant; one that is used, or set on every app, isn't."""
    test = """
import main
def current_user(): return "ada"  # Another object of that name, as a wrong import gives it.
def test_other_object(client):
    main.app.dependency_overrides[current_user] = lambda: "ada"
    assert client.get("/").json() == "ada"
def test_a_mounted_apps(client):
    main.app.dependency_overrides[main.tenant] = lambda: "own"
    assert client.get("/admin/").json() == "own"
def test_used(client, overrides):
    overrides[main.get_db] = lambda: None
    overrides[main.tenant] = lambda: "own"
    assert client.get("/admin/").json() == "no"
"""
    result = hints(pytester, test)
    result.counts(failed=3)
    result.says(
        "hint: the override of test_it.current_user was never used: no operation depends on that object; "
        "did you mean main.current_user?",
        "hint: the override of main.tenant was never used: it is a dependency of an app that is mounted",
        "GR036 test_it.py::test_other_object left the override of current_user changed; it was put back.",
    )
    assert result.out.count("was never used") == 2, result.out


@pytest.mark.parametrize(
    ("work", "told"),
    [
        ("session.add(main.Item(name='own'))", "1 Item"),
        ("session.add(main.Item(name='own')); session.flush()", "1 Item"),
        ("session.add_all([main.Item(name='a'), main.Item(name='b')])", "2 Item"),
    ],
)
def test_a_session_with_uncommitted_work_is_told(
    pytester: pytest.Pytester, work: str, told: str
) -> None:
    """The usual reason why the app doesn't see what a test has arranged."""
    test = f"""
import main
def test_it(client, db_session):
    session = main.SessionLocal()
    {work}
    try:
        assert client.get("/").json() == "else"
    finally:
        test_it.session = session
def test_after(): test_it.session.close()
"""
    result = hints(pytester, test)
    result.counts(failed=1, passed=1)
    result.says(
        f"hint: a session holds work that isn't committed ({told}): no other one can see it."
    )


def test_a_session_whose_work_is_committed_is_not_told(pytester: pytest.Pytester) -> None:
    """Nor is one that has only read, nor db_session."""
    test = """
import main
from sqlalchemy import select
def test_it(client, db_session):
    db_session.add(main.Item(name="own"))
    with main.SessionLocal() as session:
        session.add(main.Item(name="own"))
        session.commit()
        session.scalars(select(main.Item)).all()
        assert False
"""
    hints(pytester, test).silent_about("hint:")


def test_a_connection_to_another_database_is_told(pytester: pytest.Pytester) -> None:
    """With the line that opened it."""
    test = """
from sqlalchemy import create_engine
engine = create_engine("sqlite:///other.db")
def test_it(client):
    with engine.connect():
        assert False
"""
    result = hints(pytester, test)
    result.says(
        "hint: a connection to sqlite:", "/other.db was opened at", "test_it.py:5, which is none"
    )
