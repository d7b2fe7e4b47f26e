"""A database of somebody else's on MariaDB, by a user who may not create others."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

import pymysql
import pytest

from greenroom.cli.main import main
from greenroom.facts.errors import GreenroomError
from tests.dialects import (
    ASYNCMY,
    MARIADB,
    MARIADB_PORT,
    MARIADB_SERVER,
    Dialect,
    mariadb_alone,
    needs_mariadb,
)
from tests.harness import Project, app_source

pytestmark = needs_mariadb


class Limited:
    """The user, and his database."""

    def __init__(self) -> None:
        self.name = f"limited_{uuid.uuid4().hex[:8]}"
        self.url = f"mysql://{self.name}@{MARIADB.host}:{MARIADB.port}/{self.name}"
        #: The driver of an app, led to that server.
        self.dialect: Dialect = replace(ASYNCMY, server=self.url)

    def ask(self, *statements: str) -> list[tuple[object, ...]]:
        """As an administrator; the rows of the last."""
        with (
            pymysql.connect(
                host=MARIADB.host, port=MARIADB_PORT, user=MARIADB.username, autocommit=True
            ) as own,
            own.cursor() as cursor,
        ):
            for statement in statements:
                cursor.execute(statement.replace("NAME", self.name))
            return list(cursor.fetchall())

    def project(self, test: str) -> Project:
        files = {"main.py": self.dialect.app(app_source("async_items")), "test_it.py": test}
        return Project({**files, "pyproject.toml": "[tool.greenroom]\n"}, self.dialect.environ)


@pytest.fixture
def limited() -> Iterator[Limited]:
    made = Limited()
    made.ask(
        "CREATE DATABASE NAME",
        "CREATE USER NAME@'%' IDENTIFIED BY ''",
        "CREATE USER NAME@localhost IDENTIFIED BY ''",
        "GRANT ALL ON NAME.* TO NAME@'%'",
        "GRANT ALL ON NAME.* TO NAME@localhost",
    )
    yield made
    made.ask("DROP DATABASE NAME", "DROP USER NAME@'%'", "DROP USER NAME@localhost")


TEST = """
import pytest
@pytest.mark.parametrize("attempt", range(3))
async def test_it(client, attempt):
    assert (await client.post("/items/lamp")).json() == 1
    assert (await client.get("/items")).json() == ["lamp"]
"""


def test_it_is_reset_and_a_second_run_finds_its_tables(
    pytester: pytest.Pytester, limited: Limited, capsys: pytest.CaptureFixture[str]
) -> None:
    """The ids start again in each test; nothing of greenroom's is anywhere else."""
    assert main(["db", "adopt", limited.url, "--yes"]) == 0
    first = limited.project(TEST).run(pytester)
    first.passed(3)
    assert "(adopted) · reset" in first.header()
    second = limited.project(TEST).run(pytester)
    second.passed(3)
    assert "template reused" in second.header()
    assert limited.ask("SELECT count(*) FROM NAME.items") == [(0,)]
    capsys.readouterr()
    assert main(["db", "list", limited.url]) == 0
    assert f"{limited.name} " in capsys.readouterr().out


def test_other_tables_are_made_anew(pytester: pytest.Pytester, limited: Limited) -> None:
    """Where the schema has changed, and after a test that has changed it."""
    assert main(["db", "adopt", limited.url, "--yes"]) == 0
    test = """
import pytest
from sqlalchemy import text
from main import engine
@pytest.mark.parametrize("attempt", range(2))
async def test_it(client, attempt):
    assert (await client.post("/items/lamp")).json() == 1
    async with engine.begin() as connection:
        await connection.execute(text("CREATE VIEW names AS SELECT name FROM items"))
        await connection.execute(text("ALTER TABLE items ADD COLUMN more int"))
        await connection.execute(text("CREATE TABLE other (id int)"))
"""
    limited.project(test).run(pytester).passed(2)
    made = limited.project(TEST)
    files = {
        **made.files,
        "main.py": made.files["main.py"] + "\nclass Other(Base):\n"
        "    __tablename__ = 'others'\n    id: Mapped[int] = mapped_column(primary_key=True)\n",
    }
    result = replace(made, files=files).run(pytester)
    result.passed(3)
    assert "(2 tables)" in result.header()
    assert "reused" not in result.header()


def test_two_workers_need_two(pytester: pytest.Pytester, limited: Limited) -> None:
    """The error says so; it's one of the workers who has none."""
    assert main(["db", "adopt", limited.url, "--yes"]) == 0
    result = limited.project(TEST).run_subprocess(pytester, "-n", "2")
    result.says("GR028", "is in use", "Adopt one for each worker")


def test_a_clone_cannot_be_made_there(pytester: pytest.Pytester, limited: Limited) -> None:
    """It says why, and what to do."""
    assert main(["db", "adopt", limited.url, "--yes"]) == 0
    test = "import pytest\n@pytest.mark.isolation('clone')\nasync def test_it(client): pass\n"
    limited.project(test).run(pytester).says("GR028 a clone can't be made")


def test_where_the_rights_allow_no_reset_tests_are_rolled_back(
    pytester: pytest.Pytester, limited: Limited
) -> None:
    """The header says what is missing."""
    assert main(["db", "adopt", limited.url, "--yes"]) == 0
    for host in ("'%'", "localhost"):
        limited.ask(f"REVOKE CREATE ROUTINE, ALTER ROUTINE ON NAME.* FROM NAME@{host}")
    result = limited.project(TEST).run(pytester)
    assert (
        "rollback (reset would need CREATE ROUTINE, ALTER ROUTINE and EXECUTE on" in result.header()
    )


def test_without_an_adopted_one_both_ways_out_are_told(
    pytester: pytest.Pytester, limited: Limited
) -> None:
    """Once, and without a traceback."""
    result = limited.project(TEST).run(pytester)
    result.says("GR028", "GRANT ALL ON", "greenroom db adopt")
    result.silent_about("Traceback")
    assert result.out.count("GR028") == 1


def test_one_that_has_rows_is_refused_unless_told(limited: Limited) -> None:
    """Nothing in it has changed."""
    from greenroom.database import made

    limited.ask("CREATE TABLE NAME.precious (id int)", "INSERT INTO NAME.precious VALUES (1)")
    with pytest.raises(
        GreenroomError, match=r"GR029 the database limited_.* has rows, in precious"
    ):
        made.adopt(limited.url, with_rows=False)
    assert limited.ask("SHOW TABLES FROM NAME") == [("precious",)]
    made.adopt(limited.url, with_rows=True)
    assert sorted(limited.ask("SHOW TABLES FROM NAME")) == [("greenroom_mark",), ("precious",)]


@mariadb_alone
def test_one_that_keeps_the_history_of_its_rows_is_refused_too(limited: Limited) -> None:
    """A system-versioned table is a table, and its rows are rows."""
    from greenroom.database import made

    limited.ask(
        "CREATE TABLE NAME.precious (id int) WITH SYSTEM VERSIONING",
        "INSERT INTO NAME.precious VALUES (1)",
    )
    with pytest.raises(GreenroomError, match=r"GR029 .* has rows, in precious"):
        made.adopt(limited.url, with_rows=False)
    assert limited.ask("SELECT count(*) FROM NAME.precious") == [(1,)]


@pytest.mark.parametrize(
    ("database", "said"),
    [
        ("mysql", "GR029 mysql belongs to the server itself"),
        ("nowhere", "GR026 there is no database"),
    ],
)
def test_what_cannot_be_adopted_is_told(database: str, said: str) -> None:
    """Without a traceback of the driver's."""
    from greenroom.database import made

    with pytest.raises(GreenroomError, match=said):
        made.adopt(f"{MARIADB_SERVER}/{database}", with_rows=False)
