"""Alembic's migrations make the tables, as they do in production."""

from __future__ import annotations

import uuid

import pymysql
import pytest

from tests.dialects import ASYNCMY, KINDS, MARIADB, MARIADB_PORT, SQLITE, Dialect, needs_mariadb
from tests.harness import Project

MAIN = """
import logging
from fastapi import FastAPI
from sqlalchemy import String, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

URL = "sqlite+aiosqlite:///app.db"
engine = create_async_engine(URL)
Session = async_sessionmaker(engine)
app = FastAPI()
log = logging.getLogger("shop")
class Base(DeclarativeBase): pass
class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40))

@app.get("/")
async def names() -> list[str]:
    log.warning("asked")
    async with Session.begin() as session:
        found = list(await session.scalars(select(Item.name).order_by(Item.id)))
        session.add(Item(name="more"))
    return found
"""
ASYNC_ENV = """
import asyncio
from logging.config import fileConfig
from alembic import context
from sqlalchemy import pool
from sqlalchemy.ext.asyncio import async_engine_from_config

config = context.config
if config.config_file_name:
    fileConfig(config.config_file_name)

def run(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def run_async():
    from main import URL
    section = {"sqlalchemy.url": URL}
    engine = async_engine_from_config(section, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()

asyncio.run(run_async())
"""
SYNC_ENV = """
from alembic import context
from sqlalchemy import create_engine

engine = create_engine("sqlite:///somewhere_else.db")
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
INI = """
[alembic]
script_location = %(here)s/migrations
prepend_sys_path = .
[loggers]
keys = root
[handlers]
keys = console
[formatters]
keys = plain
[logger_root]
level = WARNING
handlers = console
[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain
[formatter_plain]
format = %(message)s
"""
FIRST = '''
"""items"""
revision = "3f9c1a"
down_revision = None
import sqlalchemy as sa
from alembic import op
def upgrade():
    table = op.create_table("items", sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(40)))
    op.bulk_insert(table, [{"name": "by a migration"}])
'''
SECOND = '''
"""one more"""
revision = "77aa00"
down_revision = "3f9c1a"
from alembic import op
def upgrade():
    op.execute("UPDATE items SET name = 'changed'")
'''
TEST = """
import pytest
@pytest.mark.parametrize("attempt", [1, 2, 3])
async def test_it(client, caplog, attempt):
    assert (await client.get("/")).json() == ["{row}"]
    assert caplog.messages == ["asked"]
"""


def project(dialect: Dialect, env: str, row: str = "by a migration", **files: str) -> Project:
    there = {
        "main.py": dialect.app(MAIN),
        "alembic.ini": INI,
        "migrations/env.py": dialect.app(env),
        "migrations/script.py.mako": "",
        "migrations/versions/3f9c1a_items.py": FIRST,
        "test_it.py": TEST.format(row=row),
    }
    return Project({**there, **files}, dialect.environ)


def by_a_function(dialect: Dialect, build: str, main: str = MAIN) -> Project:
    test = TEST.format(row="by a function")
    files = {"main.py": dialect.app(main), "tables.py": build, "test_it.py": test}
    return Project(files, dialect.environ).with_environ(GREENROOM_SCHEMA="tables:build")


@pytest.mark.parametrize("dialect", KINDS)
@pytest.mark.parametrize("env", [ASYNC_ENV, SYNC_ENV], ids=["async", "sync"])
def test_the_migrations_make_the_tables(
    pytester: pytest.Pytester, served: Dialect, env: str
) -> None:
    """An async and a sync `env.py`, whatever URL it has; its rows are there in every test.

    `fileConfig` doesn't silence the app's loggers.
    """
    result = project(served, env).run(pytester)
    result.passed(3)
    if served.server:
        assert "alembic 3f9c1a" in result.header()
    assert not list(result.folder.glob("*.db"))


@pytest.mark.parametrize("dialect", KINDS[1:])
def test_a_new_migration_makes_a_new_template(pytester: pytest.Pytester, served: Dialect) -> None:
    """And the header names the newest."""
    project(served, SYNC_ENV).run(pytester).passed(3)
    later = {"migrations/versions/77aa00_more.py": SECOND}
    result = project(served, SYNC_ENV, "changed", **later).run(pytester)
    result.passed(3)
    assert "alembic 77aa00" in result.header()


@pytest.mark.parametrize("dialect", KINDS)
@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "two workers"])
def test_a_migration_that_fails_is_told_once(
    pytester: pytest.Pytester, served: Dialect, workers: list[str]
) -> None:
    """With its own error, and the line of it."""
    broken = {
        "migrations/versions/77aa00_more.py": SECOND.replace("UPDATE items", "UPDATE nothing")
    }
    result = project(served, SYNC_ENV, **broken).run_subprocess(pytester, *workers)
    assert result.code != 0
    result.says("GR031", "nothing", "77aa00_more.py:7 upgrade")
    assert result.out.count("Correct the migration") == 1


def test_pyproject_can_configure_alembic(pytester: pytest.Pytester, postgresql_url: str) -> None:
    """`[tool.alembic]`."""
    dialect = Dialect("asyncpg", "postgresql+asyncpg", "postgresql+psycopg", postgresql_url)
    made = project(dialect, SYNC_ENV)
    files = {name: text for name, text in made.files.items() if name != "alembic.ini"}
    toml = '[tool.alembic]\nscript_location = "%(here)s/migrations"\n'
    result = Project({**files, "pyproject.toml": toml}, dialect.environ).run(pytester)
    result.passed(3)
    assert "alembic 3f9c1a" in result.header()


def test_alembic_without_migrations_is_an_error(pytester: pytest.Pytester) -> None:
    """`schema = "alembic"` means it."""
    files = {"main.py": MAIN, "test_it.py": TEST.format(row="")}
    result = Project(files).with_environ(GREENROOM_SCHEMA="alembic").run(pytester)
    result.says("GR018", "neither an alembic.ini nor a [tool.alembic] table")


def test_a_named_metadata_wins_over_migrations(pytester: pytest.Pytester) -> None:
    """What the project says is what is done."""
    dialect = Dialect("sqlite", "", "")
    made = project(dialect, SYNC_ENV).with_environ(GREENROOM_SCHEMA="main:Base")
    test = "async def test_it(client):\n    assert (await client.get('/')).json() == []\n"
    result = Project({**made.files, "test_it.py": test}, made.environ).run(pytester)
    result.passed(1)


@pytest.mark.parametrize("dialect", KINDS)
def test_a_function_can_make_the_tables(pytester: pytest.Pytester, served: Dialect) -> None:
    """It gets a Connection."""
    build = """
from sqlalchemy import text
from main import Base
def build(connection):
    Base.metadata.create_all(connection)
    connection.execute(text("INSERT INTO items (name) VALUES ('by a function')"))
"""
    result = by_a_function(served, build).run(pytester)
    result.passed(3)
    assert "schema by tables:build" in result.header()


@pytest.mark.parametrize("ini", ["garbage", "[alembic]\nscript_location = nowhere\n"])
def test_a_broken_configuration_of_alembic_is_told(pytester: pytest.Pytester, ini: str) -> None:
    """Once, and without a traceback."""
    dialect = Dialect("embedded", "postgresql+asyncpg", "postgresql+psycopg")
    result = project(dialect, SYNC_ENV, **{"alembic.ini": ini}).run(pytester)
    result.says("GR031 Alembic's configuration (alembic.ini) can't be used")
    result.silent_about("Traceback")
    assert result.out.count("GR031") == 1


def test_migrations_of_another_kind_of_database_are_refused(pytester: pytest.Pytester) -> None:
    """An env.py that still names SQLite, in an app on PostgreSQL."""
    dialect = Dialect("embedded", "postgresql+asyncpg", "postgresql+psycopg")
    result = project(dialect, "", **{"migrations/env.py": SYNC_ENV}).run(pytester)
    result.says("GR031 the migrations connect to a database of another kind (sqlite)")


def test_an_env_that_asks_for_the_threads_loop_has_one(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """As it has when Alembic's command runs it."""
    dialect = Dialect("named", "postgresql+asyncpg", "postgresql+psycopg", postgresql_url)
    env = ASYNC_ENV.replace(
        "asyncio.run(run_async())", "asyncio.get_event_loop().run_until_complete(run_async())"
    )
    project(dialect, env).run(pytester).passed(3)


@needs_mariadb
@pytest.mark.parametrize("schema", ["main:Base", "alembic", "none"])
def test_another_databases_schema_is_refused_on_mariadb(
    pytester: pytest.Pytester, schema: str
) -> None:
    """It would be the real one, beside greenroom's: whoever makes the tables, none is made."""
    name = f"the_real_one_{uuid.uuid4().hex[:8]}"
    main = MAIN.replace(
        '__tablename__ = "items"',
        f'__tablename__ = "items"\n    __table_args__ = {{"schema": "{name}"}}',
    )
    migration = FIRST.replace('"items", ', f'"items", schema="{name}", *').replace(
        "*sa.Column", "*[sa.Column"
    )
    made = project(ASYNCMY, SYNC_ENV)
    files = {
        **made.files,
        "main.py": ASYNCMY.app(main),
        "migrations/versions/3f9c1a_items.py": migration.replace(
            "sa.String(40)))", "sa.String(40))])"
        ),
    }
    with (
        pymysql.connect(host=MARIADB.host, port=MARIADB_PORT, user=MARIADB.username) as server,
        server.cursor() as cursor,
    ):
        cursor.execute(f"CREATE DATABASE {name}")
        environ = {**made.environ, "GREENROOM_SCHEMA": schema}
        result = Project(files, environ).run(pytester)
        cursor.execute(f"SHOW TABLES FROM {name}")
        assert cursor.fetchall() == ()
        cursor.execute(f"DROP DATABASE {name}")
    result.says(f"GR018 a table has schema={name!r}")


def test_another_environment_makes_another_template(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """What `env.py` says is part of what makes the tables, as each migration is."""
    dialect = Dialect("asyncpg", "postgresql+asyncpg", "postgresql+psycopg2", postgresql_url)
    made = project(dialect, ASYNC_ENV)
    made.run(pytester, "--greenroom-rebuild").passed(3)
    again = made.run(pytester)
    again.passed(3)
    assert "template reused" in again.header()
    other = {**made.files, "migrations/env.py": made.files["migrations/env.py"] + "# Another.\n"}
    changed = Project(other, made.environ).run(pytester)
    changed.passed(3)
    assert "template reused" not in changed.header()


TWO = """
from fastapi import FastAPI
from sqlalchemy import create_engine, text

app = FastAPI()
first = create_engine("sqlite:///first.db")
second = create_engine("sqlite:///second.db")

@app.get("/")
def read() -> list[list[str]]:
    found = []
    for engine, table in ((first, "items"), (second, "events")):
        with engine.begin() as connection:
            found.append(list(connection.scalars(text(f"SELECT name FROM {table} ORDER BY id"))))
            connection.execute(text(f"INSERT INTO {table} (name) VALUES ('more')"))
    return found
"""
#: One transaction in each database, a revision's `upgrade(name)` for each.
SEVERAL_ENV = """
from alembic import context
from sqlalchemy import create_engine

URLS = {{"first": "sqlite:///first.db", "second": "sqlite:///second.db"}}
{order}
for name, connection in connections.items():
    {connect}
    context.configure(connection=connection, upgrade_token=name + "_upgrades")
    with context.begin_transaction():
        context.run_migrations(name=name)
    connection.commit()
    connection.close()
"""
AT_ONCE = "connections = {name: create_engine(url).connect() for name, url in URLS.items()}"
SEVERAL = """
revision = "3f9c1a"
down_revision = None
import sqlalchemy as sa
from alembic import op
def upgrade(name):
    table = op.create_table({"first": "items", "second": "events"}[name],
        sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(40)))
    op.bulk_insert(table, [{"name": f"{name} by a migration"}])
"""
BOTH = """
import pytest
@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_it(client, attempt):
    assert client.get("/").json() == [["first by a migration"], ["second by a migration"]]
"""


@pytest.mark.parametrize("dialect", KINDS)
@pytest.mark.parametrize("how", ["at once", "one by one", "the second first"])
def test_one_env_migrates_several_databases(
    pytester: pytest.Pytester, dialect: Dialect, how: str
) -> None:
    """Each engine is led to its own, in this run and in the next; elsewhere its server may have another name."""
    order, connect = AT_ONCE, "pass"
    if how != "at once":
        order = "connections = dict(URLS)"
        connect = "connection = create_engine(connection).connect()"
    if how == "the second first":
        order = "connections = dict(reversed(URLS.items()))"
    env = SEVERAL_ENV.format(order=order, connect=connect)
    for _ in range(2):
        result = _several(dialect, env).run(pytester)
        result.passed(3)
    assert not list(result.folder.glob("*.db"))


def test_each_worker_migrates_several_databases_of_its_own(pytester: pytest.Pytester) -> None:
    """At the same time."""
    dialect = Dialect("embedded", "postgresql+asyncpg", "postgresql+psycopg")
    env = SEVERAL_ENV.format(order=AT_ONCE, connect="pass")
    _several(dialect, env).run_subprocess(pytester, "-n", "2").passed(3)


def _several(dialect: Dialect, env: str) -> Project:
    files = {
        "main.py": _two_databases(dialect, TWO, "db.invalid"),
        "alembic.ini": INI,
        "migrations/env.py": _two_databases(dialect, env, "elsewhere.invalid"),
        "migrations/script.py.mako": "",
        "migrations/versions/3f9c1a_both.py": SEVERAL,
        "test_it.py": BOTH,
    }
    return Project(files, dialect.environ)


def _two_databases(dialect: Dialect, source: str, host: str) -> str:
    if dialect.name == "sqlite":
        return source
    for name in ("first", "second"):
        source = source.replace(
            f"sqlite:///{name}.db", f"{dialect.blocking}://shop:geheim@{host}/{name}"
        )
    return source


@pytest.mark.parametrize("dialect", KINDS)
def test_a_function_that_fails_is_told_with_its_line(
    pytester: pytest.Pytester, dialect: Dialect
) -> None:
    """And without a traceback."""
    build = "def build(connection):\n    raise LookupError('no seeds')\n"
    result = by_a_function(dialect, build).run(pytester)
    result.says("GR018 the tables can't be made from tables:build: LookupError: no seeds")
    result.says("tables.py:2 build")
    result.silent_about("Traceback")
    result.silent_about("INTERNALERROR")


def test_a_migration_creates_the_extension_vector_as_the_apps_role(
    pytester: pytest.Pytester,
) -> None:
    """On the embedded server, whose roles are no superusers; the next run takes it from the template."""
    dialect = Dialect("embedded", "postgresql+asyncpg", "postgresql+psycopg")
    migration = """
revision = "3f9c1a"
down_revision = None
from alembic import op
def upgrade():
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.execute("CREATE TABLE items (id serial PRIMARY KEY, name text NOT NULL, place vector(2))")
    op.execute("CREATE INDEX ON items USING hnsw (place vector_l2_ops)")
    op.execute("INSERT INTO items (name, place) VALUES ('near', '[1,1]'), ('far', '[9,9]')")
"""
    test = """
import pytest
from sqlalchemy import text
@pytest.mark.parametrize("attempt", [1, 2])
async def test_it(client, db_session, attempt):
    assert (await client.get("/")).json() == ["near", "far"]
    await db_session.execute(text("INSERT INTO items (name, place) VALUES ('here', '[0,0]')"))
    await db_session.execute(text("DELETE FROM items WHERE name = 'far'"))
    found = await db_session.scalars(text("SELECT name FROM items ORDER BY place <-> '[0,0]' LIMIT 2"))
    assert found.all() == ["here", "near"]
    assert not await db_session.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))
"""
    made = project(dialect, SYNC_ENV, **{"migrations/versions/3f9c1a_items.py": migration})
    for _ in range(2):
        Project({**made.files, "test_it.py": test}, made.environ).run(pytester).passed(2)


@pytest.mark.parametrize("dialect", KINDS)
def test_a_function_alone_makes_the_tables(pytester: pytest.Pytester, dialect: Dialect) -> None:
    """None that is mapped is there before it."""
    build = """
from sqlalchemy import text
def build(connection):
    connection.execute(text("CREATE TABLE base (id integer NOT NULL PRIMARY KEY, name varchar(40))"))
    connection.execute(text("CREATE VIEW items AS SELECT id, name FROM base"))
    connection.execute(text("INSERT INTO base VALUES (1, 'by a function')"))
"""
    main = MAIN.replace('        session.add(Item(name="more"))\n', "")
    made = by_a_function(dialect, build, main)
    for _ in range(2):
        made.run(pytester).passed(3)


def test_an_async_function_is_refused(pytester: pytest.Pytester) -> None:
    """It isn't called and forgotten."""
    build = "async def build(connection): pass\n"
    result = by_a_function(SQLITE, build).run(pytester)
    result.says("GR018 schema 'tables:build'", "is an async function", "Make it a `def`")
