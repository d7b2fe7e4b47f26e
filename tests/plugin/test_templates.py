"""Tables are made once, kept under a fingerprint, and made anew when what makes them has changed."""

from __future__ import annotations

import threading
import uuid

import psycopg
import pytest

from greenroom.database.mark import Mark
from greenroom.database.postgresql.server import Server
from greenroom.database.postgresql.template import Template, find_or_build
from tests.dialects import KINDS_OF_SERVER, Dialect
from tests.harness import Project, until

APP = """
from pathlib import Path
from fastapi import FastAPI
from sqlalchemy import String, event
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("sqlite+aiosqlite:///app.db")
app = FastAPI()
class Base(DeclarativeBase): pass
class Item(Base):
    __tablename__ = "{table}"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))
"""
TEST = """
from main import Item
async def test_it(db_session):
    db_session.add(Item(name="a"))
    await db_session.commit()
async def test_that(db_session):
    db_session.add(Item(name="a"))
    await db_session.flush()
    assert len([*(await db_session.scalars(__import__("sqlalchemy").select(Item)))]) == 1
"""


def project(dialect: Dialect, table: str) -> Project:
    files = {"main.py": dialect.app(APP.format(table=table)), "test_it.py": TEST}
    return Project(files, dialect.environ)


@pytest.mark.parametrize("dialect", KINDS_OF_SERVER)
def test_a_second_run_takes_the_template_of_the_first(
    pytester: pytest.Pytester, served: Dialect, worker_id: str
) -> None:
    """A change of the schema makes another; --greenroom-rebuild makes it anew."""
    first = project(served, f"reuse_{worker_id}").run(pytester, "--greenroom-rebuild")
    first.passed(2)
    assert "template reused" not in first.header()

    second = project(served, f"reuse_{worker_id}").run(pytester)
    second.passed(2)
    assert "(template reused)" in second.header()

    made = project(served, f"reuse_{worker_id}")
    longer = made.files["main.py"].replace("String(40)", "String(41)")
    changed = Project({**made.files, "main.py": longer}, made.environ).run(pytester)
    changed.passed(2)
    assert "template reused" not in changed.header()


COUNTED = """
from pathlib import Path
from main import Base
def build(connection):
    Base.metadata.create_all(connection)
    with Path("built").open("a") as file:
        file.write("once ")
"""


@pytest.mark.parametrize("dialect", KINDS_OF_SERVER)
def test_what_makes_the_tables_is_not_asked_again(
    pytester: pytest.Pytester, served: Dialect, worker_id: str
) -> None:
    """A second run spends nothing on them but their fingerprint."""
    counted = project(served, f"counted_{worker_id}").with_files(tables=COUNTED)
    counted = counted.with_environ(GREENROOM_SCHEMA="tables:build")
    for _ in range(2):
        counted.run(pytester).passed(2)
    assert (pytester.path / "built").read_text() == "once "


def test_the_embedded_servers_templates_are_kept_too(pytester: pytest.Pytester) -> None:
    """The server of the first run is gone when the second begins."""
    dialect = Dialect("asyncpg", "postgresql+asyncpg", "postgresql+psycopg2")
    first = project(dialect, "kept").run_subprocess(pytester)
    first.passed(2)
    assert "template reused" not in first.header()
    second = project(dialect, "kept").run_subprocess(pytester)
    second.passed(2)
    assert "(template reused)" in second.header()


def server_of(url: str) -> Server:
    from sqlalchemy import make_url

    return Server(make_url(url), "here")


def test_a_half_built_template_is_not_used(pytester: pytest.Pytester, postgresql_url: str) -> None:
    """A run that was killed in the middle has left it: it is dropped, and built anew."""
    dialect = Dialect("asyncpg", "postgresql+asyncpg", "", postgresql_url)
    project(dialect, "half").run(pytester, "--greenroom-rebuild").passed(2)
    server = server_of(postgresql_url)
    name, mark = next(
        (name, mark)
        for name, mark in server.marked().items()
        if mark.kind == "template" and mark.project == str(pytester.path)
    )
    server.mark(name, Mark("template", mark.project, mark.fingerprint, complete=False))
    again = project(dialect, "half").run(pytester)
    again.passed(2)
    assert "template reused" not in again.header()
    assert name not in server.marked()
    server.close()


def test_tables_that_cannot_be_made_leave_no_template(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """The error is the schema's own, told once."""
    dialect = Dialect("asyncpg", "postgresql+asyncpg", "", postgresql_url)
    broken = APP.replace("String(40)", 'String(40), server_default=text("no_such_function()")')
    broken = broken.replace("import String", "import text, String")
    files = {"main.py": dialect.app(broken.format(table="broken")), "test_it.py": TEST}
    result = Project(files, dialect.environ).run(pytester)
    result.says("GR018", "no_such_function")
    assert result.out.count("GR018") == 1
    server = server_of(postgresql_url)
    assert not [m for m in server.marked().values() if m.project == str(pytester.path)]
    server.close()


def test_nothing_of_a_run_is_left_on_the_server(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """But for its template; also where the run stopped at its first failure."""
    dialect = Dialect("asyncpg", "postgresql+asyncpg", "", postgresql_url)
    failing = "\ndef test_zz(client): assert False\n"
    made = project(dialect, "left")
    made = Project({**made.files, "test_zz.py": failing}, made.environ)
    made.run(pytester, "-x", "-p", "no:randomly").counts(passed=2, failed=1)
    server = server_of(postgresql_url)
    kinds = [m.kind for m in server.marked().values() if m.project == str(pytester.path)]
    server.close()
    assert kinds == ["template"]


def test_workers_that_start_together_build_it_once(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """And clone it at the same time."""
    dialect = Dialect("asyncpg", "postgresql+asyncpg", "", postgresql_url)
    result = project(dialect, "together").run_subprocess(pytester, "-n", "2")
    result.passed(2)
    server = server_of(postgresql_url)
    kinds = [m.kind for m in server.marked().values() if m.project == str(pytester.path)]
    server.close()
    assert kinds == ["template"]


def test_a_sweep_drops_what_the_dead_left_and_nothing_else(postgresql_url: str) -> None:
    """A database that is in use, an unmarked one and a fresh template stay."""
    alive, server = server_of(postgresql_url), server_of(postgresql_url)
    names = [f"greenroom_sweep_{number}" for number in range(4)]
    alive.create(names[0], Mark("test", used=1.0))
    server.create(names[1], Mark("test", used=1.0))
    server.release(names[1])
    server.create(names[2], Mark("template", complete=True, used=1.0))
    server.release(names[2])
    server.admin.execute(f'CREATE DATABASE "{names[3]}"'.encode())
    dropped = server.sweep()
    there = [
        name
        for (name,) in server.admin.execute("SELECT datname FROM pg_database").fetchall()
        if name in names
    ]
    server.admin.execute(f'DROP DATABASE "{names[3]}"'.encode())
    alive.drop(names[0])
    alive.close()
    server.close()
    assert set(dropped) >= {names[1], names[2]}
    assert sorted(there) == [names[0], names[3]]


def test_a_template_that_a_run_uses_is_dropped_by_nobody(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """Neither by `greenroom db clean` nor by another run's --greenroom-rebuild: it copies it later."""
    from greenroom.database import made

    dialect = Dialect("asyncpg", "postgresql+asyncpg", "", postgresql_url)
    test = """
from greenroom.database import made
from sqlalchemy import text
from main import engine
async def test_a(db_session):
    assert not [one for one in made.clean(URL) if one.kind == "template" and one.project == PROJECT]
    async with engine.begin() as connection:
        await connection.execute(text('DROP TABLE "in_use"'))
async def test_b(db_session):
    await db_session.execute(text('SELECT * FROM "in_use"'))
"""
    names = f"URL = {postgresql_url!r}\nPROJECT = {str(pytester.path)!r}\n"
    made_here = project(dialect, "in_use")
    files = {**made_here.files, "test_it.py": names + test}
    Project(files, dialect.environ).run(pytester, "-p", "no:randomly").passed(2)
    assert made.find(postgresql_url)


CALLABLE = """
import os, signal
def make_tables(connection):
    Base.metadata.create_all(connection)
    if os.environ.get("DIES"):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def with_callable(url: str, table: str, **environ: str) -> Project:
    dialect = Dialect("asyncpg", "postgresql+asyncpg", "", url)
    made = project(dialect, table)
    files = {**made.files, "main.py": made.files["main.py"] + CALLABLE}
    return Project(files, {**made.environ, "GREENROOM_SCHEMA": "main:make_tables", **environ})


def test_a_changed_callable_makes_another(pytester: pytest.Pytester, postgresql_url: str) -> None:
    """Its source is part of what makes the schema."""
    made = with_callable(postgresql_url, "called")
    made.run(pytester, "--greenroom-rebuild").passed(2)
    again = made.run(pytester)
    again.passed(2)
    assert "template reused" in again.header()
    other = made.files["main.py"] + "# Another source.\n"
    changed = Project({**made.files, "main.py": other}, made.environ).run(pytester)
    changed.passed(2)
    assert "template reused" not in changed.header()


def test_a_template_over_which_a_run_was_killed_is_not_used(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """Its tables are all there, but nobody has said so."""
    killed = with_callable(postgresql_url, "killed", DIES="1").run_subprocess(pytester)
    assert killed.code == -9
    server = server_of(postgresql_url)
    mine = str(pytester.path)
    half = [name for name, mark in server.marked().items() if mark.project == mine]
    assert half
    again = with_callable(postgresql_url, "killed", DIES="").run_subprocess(pytester)
    again.passed(2)
    assert "template reused" not in again.header()
    assert not set(half) & set(server.marked())
    server.close()


def test_two_who_want_the_same_build_it_once(postgresql_url: str) -> None:
    """The second waits for the first, and takes what that has made."""
    server, other = server_of(postgresql_url), server_of(postgresql_url)
    mark = Mark("template", "two who want the same", uuid.uuid4().hex)
    built: list[str] = []
    found: list[Template] = []

    def build_in(name: str) -> None:
        built.append(name)
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        with psycopg.connect(**server.arguments("postgres"), autocommit=True) as looking:
            until(lambda: len(built) > 1 or looking.execute(waiting.encode()).fetchone() != (0,))

    def want(one: Server) -> None:
        found.append(find_or_build(one, mark, build_in, owner=None, rebuild=False))

    threads = [threading.Thread(target=want, args=(one,)) for one in (server, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 1
    assert {one.name for one in found} == set(built)
    other.close()
    server.drop(built[0], force=True)
    server.close()
