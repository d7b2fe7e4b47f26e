"""The `queries` fixture: how many statements requests send, and which lines of the app send them."""

from __future__ import annotations

import pytest

from tests.harness import Project, app_source

FILES = {"main.py": app_source("async_items"), "pyproject.toml": "[tool.greenroom]\n"}
SYNC = {"main.py": app_source("sync_items"), "pyproject.toml": "[tool.greenroom]\n"}
N_PLUS_ONE = """
from fastapi import FastAPI
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

engine = create_engine("sqlite:///./x.db")

class Base(DeclarativeBase):
    pass

class Author(Base):
    __tablename__ = "authors"
    id: Mapped[int] = mapped_column(primary_key=True)
    books: Mapped[list["Book"]] = relationship()

class Book(Base):
    __tablename__ = "books"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("authors.id"))

app = FastAPI()

@app.get("/authors")
def authors() -> list[int]:
    with Session(engine) as session:
        found = session.scalars(select(Author)).all()
        return [len(author.books) for author in found]
"""
THREE = """
import pytest
@pytest.fixture
def three(db_session):
    from main import Author, Book
    db_session.add_all([Author(books=[Book()]) for _ in range(3)])
    db_session.commit()
"""


@pytest.mark.parametrize("files", [FILES, SYNC], ids=["async", "sync"])
def test_a_request_within_its_number_passes(
    pytester: pytest.Pytester, files: dict[str, str]
) -> None:
    """What the test itself arranges and asserts isn't counted."""
    test = """
from main import Item
from sqlalchemy import select, func

def test_it(sync_client, db_session, queries):
    with queries.at_most(1) as sent:
        db_session.add(Item(name="lamp"))
        assert len(sync_client.get("/items").json()) == 1
        assert db_session.scalar(select(func.count(Item.id))) == 1
    assert sent.count == 1
    assert "SELECT" in sent.statements[0]
    with queries.exactly(0):
        db_session.scalar(select(func.count(Item.id)))
"""
    Project({**files, "test_main.py": test}).run(pytester).passed(1)


@pytest.mark.parametrize("files", [FILES, SYNC], ids=["async", "sync"])
def test_too_many_are_shown_with_the_lines_that_sent_them(
    pytester: pytest.Pytester, files: dict[str, str]
) -> None:
    """The app's own lines, through the session's greenlet too."""
    test = """
async def test_it(client, queries):
    with queries.exactly(0):
        await client.get("/items")
"""
    result = Project({**files, "test_main.py": test}).run(pytester)
    result.counts(failed=1)
    assert "GR041 expected exactly 0 statements, and the requests sent 1." in result.out
    line = next(
        number
        for number, text in enumerate(files["main.py"].splitlines(), 1)
        if "select(Item.name)" in text
    )
    assert f"main.py:{line}  SELECT" in result.out
    assert "queries.py" not in result.out.split("short test summary")[0].replace("test_queries", "")


def test_repeated_statements_are_counted(pytester: pytest.Pytester) -> None:
    """The usual reason for too many."""
    test = f"""{THREE}
def test_it(three, client, queries):
    with queries.at_most(2):
        assert client.get("/authors").json() == [1, 1, 1]
"""
    files = {"main.py": N_PLUS_ONE, "pyproject.toml": "[tool.greenroom]\n", "test_main.py": test}
    result = Project(files).run(pytester)
    result.counts(failed=1)
    assert "expected at most 2 statements, and the requests sent 4" in result.out
    assert "3 times: SELECT books.id" in result.out


def test_n_plus_one_is_found_by_queryspy(pytester: pytest.Pytester) -> None:
    """The relationship is named."""
    test = f"""{THREE}
def test_it(three, client, queries):
    with queries.no_n_plus_one():
        client.get("/authors")
"""
    files = {"main.py": N_PLUS_ONE, "pyproject.toml": "[tool.greenroom]\n", "test_main.py": test}
    result = Project(files).run(pytester)
    result.counts(failed=1)
    assert "Author.books" in result.out


def test_without_queryspy_the_extra_is_named(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clear error."""
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "queryspy" else find(name, *rest),
    )
    test = """
def test_it(queries):
    with queries.no_n_plus_one():
        pass
"""
    result = Project({**FILES, "test_main.py": test}).run(pytester)
    result.counts(failed=1)
    assert "GR030" in result.out
    assert "pip install greenroom[queries]" in result.out


def test_requests_side_by_side_are_counted_together(pytester: pytest.Pytester) -> None:
    """And each has its own number in the outcome."""
    test = """
import asyncio

async def test_it(client, queries):
    with queries.exactly(3):
        await asyncio.gather(*(client.get("/items") for _ in range(3)))
"""
    result = Project({**FILES, "test_main.py": test}).run(pytester, "--greenroom-report=json")
    result.passed(1)
    found = {one["operation"]: one for one in result.json("greenroom.json")["operations"]}
    assert found["GET /items"]["statements"] == 1
    assert found["GET /items"]["times"] == 3


def test_an_operation_has_a_budget(pytester: pytest.Pytester) -> None:
    """In the configuration; more is a problem like others, or fails the test."""
    table = (
        '[tool.greenroom.contract.budgets]\n"GET /items" = 0\n"GET /nothing" = 1\n'
        '[tool.greenroom.contract.rules]\nbudget = "fail"\n'
    )
    test = """
async def test_it(client):
    assert (await client.get("/items")).status_code == 200
"""
    files = {**FILES, "pyproject.toml": table, "test_main.py": test}
    result = Project(files).run(pytester)
    result.counts(failed=1)
    assert "GET /items answered 200:" in result.out
    assert (
        "budget: expected no more statements than its budget, came 1 statements, where 0"
        in result.out
    )
    assert '"GET /nothing" is no operation of the app' in result.out


@pytest.mark.parametrize("number", ["-1", "'3'", "True"])
def test_a_number_that_is_none_is_refused(pytester: pytest.Pytester, number: str) -> None:
    """Before anything is counted wrongly."""
    test = f"""
def test_it(queries):
    with queries.at_most({number}):
        pass
"""
    result = Project({**FILES, "test_main.py": test}).run(pytester)
    result.counts(failed=1)
    assert "is no number of statements" in result.out


def test_what_greenroom_reads_again_for_the_test_is_no_pattern_of_the_apps(
    pytester: pytest.Pytester,
) -> None:
    """`db_session` catches up after a request, row by row."""
    test = """
from main import Author, Book

def test_it(client, db_session, queries):
    author = Author(books=[Book() for _ in range(4)])
    db_session.add(author)
    db_session.commit()
    books = list(author.books)
    with queries.no_n_plus_one():
        assert client.get("/authors").json() == [4]
    assert books
"""
    files = {"main.py": N_PLUS_ONE, "pyproject.toml": "[tool.greenroom]\n", "test_main.py": test}
    Project(files).run(pytester).passed(1)


def test_blocks_may_overlap_and_be_used_again(pytester: pytest.Pytester) -> None:
    """In any order; each counts what is sent while it stands."""
    test = """
async def test_it(client, queries):
    first, second = queries.counted(), queries.counted()
    a = first.__enter__()
    b = second.__enter__()
    await client.get("/items")
    first.__exit__(None, None, None)
    await client.get("/items")
    second.__exit__(None, None, None)
    await client.get("/items")
    assert (a.count, b.count) == (1, 2)
    again = queries.exactly(1)
    for _ in range(2):
        with again:
            await client.get("/items")
    queries.counted().__enter__()

async def test_next(client, queries):
    with queries.exactly(1):
        await client.get("/items")
"""
    Project({**FILES, "test_main.py": test}).run(pytester, "-p", "no:randomly").passed(2)
