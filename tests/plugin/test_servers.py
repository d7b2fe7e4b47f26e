"""Which server is used, what the header says of it, and what is said where there is none."""

from __future__ import annotations

import socket
import sys
import uuid

import pytest

from greenroom.database.postgresql import embedded
from tests.dialects import MARIADB, MARIADB_PORT, MARIADB_SERVER, needs_mariadb, needs_postgresql
from tests.harness import Project

APP = """
from fastapi import FastAPI
from sqlalchemy import String, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("{url}")
app = FastAPI()
class Base(DeclarativeBase): pass
class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)

@app.get("/")
async def where() -> str:
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO items DEFAULT VALUES"))
        row = (await connection.execute(text("SELECT current_database(), current_user"))).one()
        return f"{{row[0]}} {{row[1]}}"
"""
TEST = """
async def test_it(client):
    print("got", (await client.get("/")).json())
"""


def app_on(url: str, **environ: str) -> Project:
    return Project({"main.py": APP.format(url=url), "test_it.py": TEST}, environ)


def test_an_app_on_postgresql_gets_an_embedded_server(pytester: pytest.Pytester) -> None:
    """Nothing is named, and the extra is installed. The app finds its own role there."""
    result = app_on("postgresql+asyncpg://shop:geheim@db.invalid/shop").run(pytester, "-rP")
    result.passed(1)
    assert "postgresql 18" in result.header()
    assert ", embedded · reset · metadata (1 table)" in result.header()
    result.says("got greenroom_test_main_1_", " shop")
    result.silent_about("geheim")


def test_a_named_server_wins_over_the_embedded_one(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """Whoever names it."""
    project = app_on("postgresql+asyncpg://shop:geheim@db.invalid/shop")
    named = project.with_environ(GREENROOM_DATABASE=postgresql_url).run(pytester, "-rP")
    named.passed(1)
    assert "on localhost:5432" in named.header()
    named.says(" postgres")


@pytest.mark.parametrize(
    "query",
    [
        "application_name=ours&options=-cwork_mem%3D5MB",
        "ssl=disable&prepared_statement_cache_size=0",
    ],
)
def test_a_named_servers_url_may_say_more(
    pytester: pytest.Pytester, postgresql_url: str, query: str
) -> None:
    """Also what only another driver knows."""
    url = postgresql_url.replace("postgresql://", "postgresql+asyncpg://") + f"&{query}"
    app_on("postgresql+asyncpg://localhost/shop", GREENROOM_DATABASE=url).run(pytester).passed(1)


@needs_postgresql
def test_where_the_apps_url_leads_is_not_left_to_the_environment(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libpq takes PGHOST where no host is said; here one is, in the query."""
    monkeypatch.setattr(embedded, "is_installed", lambda: False)
    monkeypatch.setenv("PGHOST", "192.0.2.1")
    result = app_on("postgresql+asyncpg://postgres@/shop?host=127.0.0.1").run(pytester)
    result.passed(1)
    assert "on 127.0.0.1:5432" in result.header()


def test_the_embedded_one_can_be_asked_for(pytester: pytest.Pytester) -> None:
    """`database = "embedded"`, and without the extra that is an error which names it."""
    project = app_on("postgresql+asyncpg://localhost/shop", GREENROOM_DATABASE="embedded")
    project.run(pytester).passed(1)


def test_without_the_extra_the_embedded_one_is_an_error(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the extra."""
    monkeypatch.setattr(embedded, "is_installed", lambda: False)
    project = app_on("postgresql+asyncpg://localhost/shop", GREENROOM_DATABASE="embedded")
    result = project.run(pytester)
    result.says("GR030", "pip install 'greenroom[postgres]'")
    assert result.code == pytest.ExitCode.USAGE_ERROR


def test_without_the_driver_of_its_own_connections_it_names_the_extra(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment with asyncpg alone."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    result = app_on("postgresql+asyncpg://localhost/shop").run(pytester)
    result.says("GR030", "pip install 'greenroom[postgres]'")


@needs_postgresql
def test_without_the_extra_the_server_on_loopback_is_used(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that the app's own URL names, and a database of greenroom's on it."""
    monkeypatch.setattr(embedded, "is_installed", lambda: False)
    result = app_on("postgresql+asyncpg://postgres@localhost/shop").run(pytester, "-rP")
    result.passed(1)
    result.says("got greenroom_test_main_1_")
    assert "on localhost:5432" in result.header()


@pytest.mark.parametrize("host", ["db.example.com", "10.0.0.7"])
def test_the_apps_url_is_never_followed_to_another_machine(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Three ways out are named instead, and no password."""
    monkeypatch.setattr(embedded, "is_installed", lambda: False)
    result = app_on(f"postgresql+asyncpg://shop:geheim@{host}/shop").run(pytester)
    assert result.code == pytest.ExitCode.USAGE_ERROR
    result.says(
        "GR027", "pip install 'greenroom[postgres]'", "GREENROOM_DATABASE", "on this machine"
    )
    result.silent_about("geheim", "Traceback")
    assert result.out.count("GR027") == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [("PGHOST", "db.example.com"), ("PGHOSTADDR", "10.0.0.7"), ("PGSERVICE", "shop")],
)
def test_a_url_without_a_host_is_not_followed_to_where_the_environment_leads(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """libpq would take it from there, as it does in production."""
    monkeypatch.setattr(embedded, "is_installed", lambda: False)
    monkeypatch.setenv(variable, value)
    for url in ("postgresql+psycopg:///shop", "postgresql+asyncpg:///shop"):
        result = app_on(url).run(pytester)
        assert result.code == pytest.ExitCode.USAGE_ERROR
        result.says("GR027", "its URL names another machine")


@pytest.mark.parametrize("host", ["db.example.com", "10.0.0.7"])
def test_the_url_of_an_app_on_mysql_is_not_followed_to_another_machine(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Before anything is looked up."""
    import socket as sockets

    def nobody(*_: object, **__: object) -> None:
        raise AssertionError("somebody has looked for the server")

    monkeypatch.setattr(sockets, "create_connection", nobody)
    result = app_on(f"mysql+asyncmy://shop:geheim@{host}/shop").run(pytester)
    result.says("GR027", "its URL names another machine")
    result.silent_about("geheim", "somebody has looked")


def test_a_server_on_loopback_that_does_not_answer_is_no_server(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is told with the three ways out."""
    monkeypatch.setattr(embedded, "is_installed", lambda: False)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        result = app_on(f"postgresql+asyncpg://shop:geheim@127.0.0.1:{port}/shop").run(pytester)
    result.says("GR027", "doesn't answer")
    result.silent_about("geheim", "Traceback")


def test_a_named_server_that_does_not_answer_is_told(pytester: pytest.Pytester) -> None:
    """Once, with what it said and no password."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"postgresql://me:geheim@127.0.0.1:{taken.getsockname()[1]}/postgres"
        project = app_on("postgresql+asyncpg://localhost/shop", GREENROOM_DATABASE=url)
        result = project.run(pytester)
    result.says("GR026 the PostgreSQL server on 127.0.0.1:")
    result.silent_about("geheim", "Traceback")


@pytest.mark.parametrize("value", ["oracle://me:geheim@host/x", "shop", "sqlite:///x.db"])
def test_what_is_no_server_is_refused_without_being_repeated(
    pytester: pytest.Pytester, value: str
) -> None:
    """It may hold a password."""
    project = app_on("postgresql+asyncpg://localhost/shop", GREENROOM_DATABASE=value)
    result = project.run(pytester)
    result.says("GR005", '"auto", "embedded" or the URL of a server')
    result.silent_about("geheim")


def test_an_app_on_mariadb_without_a_server_is_told_two_ways(pytester: pytest.Pytester) -> None:
    """There is no embedded MariaDB."""
    result = app_on("mysql+asyncmy://shop:geheim@db.invalid/shop").run(pytester)
    result.says("GR027", "GREENROOM_DATABASE=mysql://user@host", "on this machine")
    result.silent_about("geheim", "Traceback")


def test_a_broken_cache_is_no_error(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cluster is made anew then."""
    (pytester.path / "cache").write_text("a file where a folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(pytester.path / "cache"))
    app_on("postgresql+asyncpg://localhost/shop").run(pytester).passed(1)


OWN = """
CREATE TABLE items (id serial PRIMARY KEY, name text);
INSERT INTO items (name) VALUES ('mine'), ('yours');
CREATE VIEW names AS SELECT name FROM items;
COMMENT ON DATABASE the_apps_own IS 'of the app';
ALTER DATABASE the_apps_own SET work_mem = '5MB';
"""
ALL_OF_IT = """
SELECT (SELECT string_agg(i::text, ' ' ORDER BY id) FROM items i), last_value, is_called,
  (SELECT shobj_description(oid, 'pg_database') || coalesce(datacl::text, '') FROM pg_database
   WHERE datname = current_database()),
  (SELECT string_agg(setconfig::text, '') FROM pg_db_role_setting),
  (SELECT string_agg(nspname, ' ' ORDER BY 1) FROM pg_namespace WHERE nspname NOT LIKE 'pg_t%')
FROM items_id_seq
"""


def test_the_door_and_the_apps_own_database_stay_as_they_are(
    pytester: pytest.Pytester, postgresql_url: str
) -> None:
    """Even where the app's URL and the named server are the same database."""
    import psycopg
    from sqlalchemy import make_url

    from greenroom.database.postgresql import catalogue

    folder = str(make_url(postgresql_url).query["host"])
    door = f"postgresql://postgres@/the_apps_own?host={folder}"

    def look() -> object:
        with psycopg.connect(host=folder, user="postgres", dbname="the_apps_own") as own:
            return catalogue.read(own), own.execute(ALL_OF_IT.encode()).fetchone()

    with psycopg.connect(
        host=folder, user="postgres", dbname="postgres", autocommit=True
    ) as server:
        server.execute("DROP DATABASE IF EXISTS the_apps_own")
        server.execute("CREATE DATABASE the_apps_own")
        with psycopg.connect(host=folder, user="postgres", dbname="the_apps_own") as own:
            own.execute(OWN.encode())
        before = look()
        url = door.replace("postgresql://", "postgresql+asyncpg://")
        app_on(url, GREENROOM_DATABASE=door).run(pytester).passed(1)
        assert look() == before
        server.execute("DROP DATABASE the_apps_own")


@needs_mariadb
def test_the_door_of_mariadb_stays_as_it_is(
    pytester: pytest.Pytester, nothing_is_left_on: list[str]
) -> None:
    """The same."""
    import pymysql

    nothing_is_left_on.append(MARIADB_SERVER)
    name = f"the_apps_own_{uuid.uuid4().hex[:8]}"
    with pymysql.connect(
        host=MARIADB.host, port=MARIADB_PORT, user=MARIADB.username, autocommit=True
    ) as server:

        def look() -> list[object]:
            found: list[object] = []
            for question in (
                f"SELECT * FROM {name}.items ORDER BY id",
                f"SHOW CREATE TABLE {name}.items",
                f"SHOW CREATE DATABASE {name}",
                f"SELECT table_name, update_time FROM information_schema.tables WHERE table_schema = '{name}'",
            ):
                with server.cursor() as cursor:
                    cursor.execute(question)
                    found.append(cursor.fetchall())
            return found

        with server.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
            cursor.execute(
                f"CREATE TABLE {name}.items (id int AUTO_INCREMENT PRIMARY KEY, name text)"
            )
            cursor.execute(f"INSERT INTO {name}.items (name) VALUES ('mine'), ('yours')")
        before = look()
        app = APP.format(url=f"mysql+asyncmy://root@{MARIADB.host}:{MARIADB.port}/{name}")
        app = app.replace("INSERT INTO items DEFAULT VALUES", "INSERT INTO items () VALUES ()")
        app = app.replace("current_database()", "database()").replace(
            "current_user", "current_user()"
        )
        files = {"main.py": app, "test_it.py": TEST}
        environ = {"GREENROOM_DATABASE": f"{MARIADB_SERVER}/{name}"}
        Project(files, environ).run(pytester).passed(1)
        assert look() == before
        with server.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")


def test_tables_that_mariadb_refuses_are_no_matter_where_it_is_not(
    pytester: pytest.Pytester,
) -> None:
    """A text without a length: the schema is looked at before there is a database to name."""
    app = APP.format(url="mysql+asyncmy://db.invalid/shop").replace(
        "    id: Mapped[int]", "    name: Mapped[str]\n    id: Mapped[int]"
    )
    result = Project({"main.py": app, "test_it.py": TEST}).run(pytester)
    result.says("GR027")
    result.silent_about("INTERNALERROR", "AssertionError")


HIDDEN = """
from contextlib import asynccontextmanager
from fastapi import FastAPI
from sqlalchemy import DDL, event, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("postgresql+asyncpg://shop@db.invalid/shop")
class Base(DeclarativeBase): pass
class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str]
for statement in (
    "ALTER TABLE notes ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE notes FORCE ROW LEVEL SECURITY",
    "CREATE POLICY own ON notes USING (owner = current_setting('app.user', true))",
):
    event.listen(Note.__table__, "after_create", DDL(statement))

@asynccontextmanager
async def lifespan(app):
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield

app = FastAPI(lifespan=lifespan)

@app.post("/")
async def add() -> None:
    async with engine.begin() as connection:
        await connection.execute(text("SELECT set_config('app.user', 'ann', true)"))
        await connection.execute(text("INSERT INTO notes VALUES (1, 'ann')"))
"""
HIDDEN_TEST = """
import pytest
@pytest.mark.parametrize("attempt", range(3))
async def test_it(client, attempt):
    assert (await client.post("/")).status_code == 200
"""


def test_rows_that_a_policy_hides_from_a_reset_are_undone_all_the_same(
    pytester: pytest.Pytester, createdb_url: str
) -> None:
    """By a user who may create databases and not see all rows: tests are rolled back then, and it's said."""
    files = {"main.py": HIDDEN, "test_it.py": HIDDEN_TEST}
    result = Project(files, {"GREENROOM_DATABASE": createdb_url}).run(pytester)
    result.passed(3)
    assert "rollback (reset would need to see the rows that policies of notes" in result.header()


def test_where_the_start_up_makes_such_a_table_it_is_an_error(
    pytester: pytest.Pytester, createdb_url: str
) -> None:
    """Which says what to do: rows that nobody sees would leak."""
    files = {"main.py": HIDDEN, "test_it.py": HIDDEN_TEST}
    environ = {"GREENROOM_DATABASE": createdb_url, "GREENROOM_SCHEMA": "none"}
    result = Project(files, environ).run(pytester)
    assert result.code != 0
    result.says("GR017", "that would need to see the rows that policies of notes hide", "BYPASSRLS")
    result.silent_about("Traceback")
