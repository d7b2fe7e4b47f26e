"""Bad input gets an error with a code, a cause and what to do, and no traceback into greenroom."""

from __future__ import annotations

import pytest

from tests.harness import Project, Result, app_source

USING = "async def test_it(client): pass"
APP = "from fastapi import FastAPI\napp = FastAPI()\n"


def using(**files: str) -> Project:
    return Project({"test_it.py": USING}).with_files(**files)


def refused(result: Result, *parts: str) -> None:
    """The run ended before its first test, with that message and without a traceback."""
    assert result.code == pytest.ExitCode.USAGE_ERROR, result.out
    result.says(*parts)
    result.silent_about("src/greenroom", "INTERNALERROR", "test_it.py .")


def test_no_app_is_found(pytester: pytest.Pytester) -> None:
    """A project that says that it uses greenroom is told where greenroom looked."""
    result = using().with_pyproject("[tool.greenroom]").run(pytester)
    refused(result, "GR001 no app was found in", "app/main.py", "src/main.py", "[tool.fastapi]")


def test_the_apps_module_does_not_exist(pytester: pytest.Pytester) -> None:
    """Its name is wrong, or it lies elsewhere."""
    result = using().with_pyproject('[tool.greenroom]\napp = "shop.web:app"').run(pytester)
    refused(result, "GR002 the app shop.web:app ([tool.greenroom]) can't be imported", "shop")


def test_the_apps_module_raises(pytester: pytest.Pytester) -> None:
    """Its own traceback is shown, once, and nobody else's."""
    project = using(main=APP + "\ndef settings():\n    return {}['DATABASE_URL']\nsettings()\n")
    result = project.run(pytester)
    refused(
        result,
        "GR002 the app main (found in main.py) raised KeyError while it was imported",
        "return {}['DATABASE_URL']",
        ".env.test",
    )
    result.silent_about("importlib")


def test_the_factory_raises(pytester: pytest.Pytester) -> None:
    """A factory is code of the app, too."""
    app = "def create_app():\n    raise RuntimeError('no settings')\n"
    project = using(main=app).with_pyproject('[tool.greenroom]\napp = "main:create_app()"')
    refused(project.run(pytester), "GR002 the factory main:create_app()", "no settings")


def test_the_module_does_not_parse(pytester: pytest.Pytester) -> None:
    """The place of the syntax error is shown."""
    project = using(main="app = FastAPI(\n").with_pyproject("[tool.greenroom]")
    refused(project.run(pytester), "GR002", "SyntaxError", "main.py")


@pytest.mark.parametrize(
    ("app", "message"),
    [
        ("main:nothing", "main has no attribute 'nothing'"),
        ("main:text", "main:text is a str, which is neither an ASGI app"),
        ("main:FastAPI", "main:FastAPI is a type, which is neither an ASGI app"),
        ("main:create_app", 'write app = "main:create_app()"'),
        ("main:text()", "main:text can't be called"),
    ],
)
def test_the_attribute_is_not_an_app(pytester: pytest.Pytester, app: str, message: str) -> None:
    """Each with what it is instead."""
    source = APP + "text = 'app'\ndef create_app():\n    return app\n"
    project = using(main=source).with_pyproject(f'[tool.greenroom]\napp = "{app}"')
    refused(project.run(pytester), "GR003", message)


def test_two_modules_could_be_the_app(pytester: pytest.Pytester) -> None:
    """`fastapi dev` would take the first without a word."""
    result = using(main=APP, app__main=APP).run(pytester)
    refused(result, "GR004 two apps could be meant: main.py and app/main.py", "Say which")


def test_two_apps_in_one_module(pytester: pytest.Pytester) -> None:
    """Neither has the usual name."""
    source = "from fastapi import FastAPI\npublic = FastAPI()\nadmin = FastAPI()\n"
    result = using(main=source).run(pytester)
    refused(result, "GR004 two apps could be meant: main:public and main:admin")


def test_every_mistake_in_the_configuration_is_reported_at_once(
    pytester: pytest.Pytester,
) -> None:
    """A line each, with the nearest valid key, the accepted values, and who said it."""
    table = """
[tool.greenroom]
isolaton = "reset"
app = 7
schema = "no-colon"
hue = "green"
"""
    project = using(main=APP).with_pyproject(table).with_environ(GREENROOM_ISOLATION="magic")
    result = project.run(pytester, "--greenroom-database=sqlite:///x.db")
    refused(
        result,
        "GR005 the configuration of greenroom has 6 mistakes",
        '[tool.greenroom] isolaton: there is no such key; did you mean "isolation"?',
        "[tool.greenroom] hue: there is no such key; no key is near it",
        '[tool.greenroom] app: 7 is not a non-empty string; it takes "module:attribute"',
        "[tool.greenroom] schema: 'no-colon'",
        "GREENROOM_ISOLATION: 'magic' is not one of them; it takes \"reset\"",
        "--greenroom-database: ",
    )


def test_a_table_that_is_not_a_table(pytester: pytest.Pytester) -> None:
    """`greenroom = true` under [tool]."""
    result = using(main=APP).with_pyproject("[tool]\ngreenroom = true").run(pytester)
    refused(result, "GR005 tool.greenroom in", "is not a table")


@pytest.mark.parametrize("flag", ["--help", "--version", "-VV"])
def test_help_and_version_work_whatever_the_configuration_says(
    pytester: pytest.Pytester, flag: str
) -> None:
    """Whoever asks for help needs it."""
    project = using(main="raise SystemExit(3)").with_pyproject("[tool.greenroom]\nnonsense = 1")
    result = project.run(pytester, flag)
    assert result.code == 0, result.out
    result.silent_about("GR0")


def test_an_env_file_that_does_not_parse(pytester: pytest.Pytester) -> None:
    """The line is named, and nothing of the file is used."""
    project = Project(
        {"main.py": APP, "test_it.py": USING, ".env.test": "GOOD=1\nthis is not a line\n"}
    )
    refused(project.run(pytester), "GR006", ".env.test doesn't parse", "line 2: this is not a line")


def test_an_env_file_that_is_not_there(pytester: pytest.Pytester) -> None:
    """It was named, so it must be."""
    project = using(main=APP).with_pyproject('[tool.greenroom]\nenv-file = "test.env"')
    refused(project.run(pytester), "GR006 the env-file", "named by [tool.greenroom], doesn't exist")


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ('"rolback"', "isolation('rolback'): 'rolback' is not one of 'reset'"),
        ("", "isolation(): "),
        ('"reset", "clone"', "isolation('reset', 'clone'): "),
        ("how='reset'", "isolation(how='reset'): "),
    ],
)
def test_a_marker_with_a_wrong_argument(
    pytester: pytest.Pytester, written: str, message: str
) -> None:
    """Its test is named, before any test is run."""
    test = f"import pytest\n@pytest.mark.isolation({written})\n{USING}\ndef test_other(): pass"
    result = using(main=APP, test_it=test).run(pytester)
    refused(
        result, "GR007 a marker of greenroom is used wrongly", f"test_it.py::test_it: {message}"
    )


def test_a_marker_with_the_right_argument(pytester: pytest.Pytester) -> None:
    """It is known to --strict-markers, too."""
    test = f'import pytest\n@pytest.mark.isolation("reset")\n{USING}'
    using(main=APP, test_it=test).run(pytester, "--strict-markers").passed(1)


def test_a_dialect_that_is_not_supported_yet(pytester: pytest.Pytester) -> None:
    """The app is told so before it can connect."""
    app = (
        APP
        + """
from types import SimpleNamespace
from sqlalchemy import create_engine
from sqlalchemy.dialects import registry
from sqlalchemy.engine.default import DefaultDialect

class Dialect(DefaultDialect):
    name, driver = "fancy", "driver"

    @classmethod
    def import_dbapi(cls):
        return SimpleNamespace(paramstyle="qmark", Error=OSError)

registry.register("fancy", "main", "Dialect")
engine = create_engine("fancy://user:secret@db.example/shop")
"""
    )
    result = using(main=app).run(pytester)
    refused(result, "GR012 the app has an engine on fancy", "It supports SQLite")
    result.silent_about("secret")

    in_the_lifespan = app.replace(
        'engine = create_engine("fancy://user:secret@db.example/shop")\n',
        """
from contextlib import asynccontextmanager

@asynccontextmanager
async def lifespan(app):
    create_engine("fancy://user:secret@db.example/shop").connect()
    yield

app = FastAPI(lifespan=lifespan)
""",
    ).replace("Error=OSError", "Error=OSError, connect=lambda *a, **k: print('connected')")
    result = using(main=in_the_lifespan).run(pytester, "-s")
    result.counts(errors=1)
    result.says("GR012 the app has an engine on fancy")
    result.silent_about("secret", "connected", "greenroom/database")


def test_an_engine_without_tables(pytester: pytest.Pytester) -> None:
    """The models were never imported, most likely."""
    app = APP + "from sqlalchemy import create_engine\nengine = create_engine('sqlite:///x.db')\n"
    result = using(main=app).run(pytester)
    result.counts(errors=1)
    result.says("GR015 the app has a database engine, but no mapped table is known", "Import")
    result.silent_about("greenroom/runtime")


def test_an_engine_without_tables_by_choice(pytester: pytest.Pytester) -> None:
    """`schema = "none"` says that the app makes its tables by itself."""
    app = APP + "from sqlalchemy import create_engine\nengine = create_engine('sqlite:///x.db')\n"
    project = using(main=app).with_pyproject('[tool.greenroom]\nschema = "none"')
    project.run(pytester).passed(1)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("models:Base", "No module named 'models'"),
        ("main:Base", "has no attribute 'Base'"),
        ("main:app", "is a FastAPI"),
    ],
)
def test_a_named_schema_that_cannot_be_had(
    pytester: pytest.Pytester, schema: str, message: str
) -> None:
    """Each with the reason."""
    app = APP + "from sqlalchemy import create_engine\nengine = create_engine('sqlite:///x.db')\n"
    project = using(main=app).with_pyproject(f'[tool.greenroom]\nschema = "{schema}"')
    result = project.run(pytester)
    assert result.code != 0
    result.says(f"GR018 schema '{schema}' ([tool.greenroom])", message)
    result.silent_about("greenroom/runtime", "greenroom/database", "INTERNALERROR")


def test_the_apps_own_database_is_refused_to_everybody(pytester: pytest.Pytester) -> None:
    """A connection that goes around the app's engines is refused, with the way to go."""
    test = """
import pytest
from main import engine
from sqlalchemy.engine import create_engine
from sqlalchemy.dialects.sqlite.pysqlite import dialect
from greenroom import GreenroomError

def test_by_a_second_engine_of_the_tests():
    with create_engine("sqlite:///./app.db").connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM items").scalar() == 0

def test_around_the_engines(tmp_path):
    import sqlalchemy.event
    from sqlalchemy.engine import Engine
    from pathlib import Path
    other = create_engine(f"sqlite:///{tmp_path}/other.db")

    @sqlalchemy.event.listens_for(other, "do_connect", insert=True)
    def elsewhere(dialect, record, arguments, keywords):
        arguments[0] = str(Path("app.db").absolute())

    with pytest.raises(GreenroomError, match="GR014 a connection to .*app.db was refused"):
        other.connect()
"""
    project = Project({"main.py": app_source("async_items"), "test_it.py": test})
    result = project.with_pyproject("[tool.greenroom]").run(pytester)
    result.passed(2)
    assert not (result.folder / "app.db").exists()


def test_a_sync_client_in_an_async_test(pytester: pytest.Pytester) -> None:
    """It would wait for the loop that it blocks."""
    test = "async def test_it(sync_client): sync_client.get('/')"
    result = using(main=APP, test_it=test).run(pytester)
    result.counts(failed=1)
    result.says("GR019 a blocking client was used while an event loop is running", "use client")


def test_an_override_that_is_not_callable(pytester: pytest.Pytester) -> None:
    """The usual slip: the value instead of a function that returns it."""
    test = "async def test_it(overrides): overrides[print] = 7"
    result = using(main=APP, test_it=test).run(pytester)
    result.counts(failed=1)
    result.says("GR020 7 can't be the replacement of an override", "lambda: user")


def test_overrides_of_an_app_that_has_none(pytester: pytest.Pytester) -> None:
    """Starlette knows no dependencies."""
    app = "from starlette.applications import Starlette\napp = Starlette()\n"
    test = "async def test_it(overrides): pass"
    result = using(main=app, test_it=test).run(pytester)
    result.counts(errors=1)
    result.says("GR020 a Starlette has no dependency_overrides")
    result.silent_about("greenroom/app")


def test_a_transaction_that_is_left_open_is_ended_and_its_test_named(
    pytester: pytest.Pytester,
) -> None:
    """The next test starts clean, and doesn't hang."""
    test = """
from main import SessionLocal, Item, blocking_engine
from sqlalchemy import text

async def test_a_leaves_an_async_session_open(client):
    globals()["leaked"] = session = SessionLocal()
    session.add(Item(name="leaked"))
    await session.flush()

async def test_b_starts_clean(client):
    assert (await client.get("/items")).json() == []
    await client.post("/items/lamp")

def test_c_leaves_a_blocking_connection_open(sync_client):
    globals()["other"] = connection = blocking_engine.connect()
    connection.execute(text("INSERT INTO items (name) VALUES ('leaked')"))

def test_d_starts_clean(sync_client):
    assert sync_client.get("/items").json() == []
    sync_client.post("/items/lamp")
"""
    project = Project({"main.py": app_source("async_items"), "test_it.py": test})
    result = project.run(pytester, "-p", "no:randomly", "-W", "default")
    result.passed(4)
    result.says(
        "GR021 test_it.py::test_a_leaves_an_async_session_open left a transaction open",
        "GR021 test_it.py::test_c_leaves_a_blocking_connection_open left a transaction open",
    )


def test_a_connection_after_the_run_is_refused(pytester: pytest.Pytester) -> None:
    """An app that goes on working after the run doesn't get to its own database either."""
    conftest = """
import pytest

def pytest_configure(config):
    config.add_cleanup(after_the_run)

def after_the_run():
    import main
    from greenroom import GreenroomError
    with pytest.raises(GreenroomError, match="GR022"):
        main.blocking_engine.connect()
    print("refused after the run")
"""
    project = Project({"main.py": app_source("async_items"), "test_it.py": USING})
    result = project.with_files(conftest=conftest).run(pytester, "-s")
    result.passed(1)
    result.says("refused after the run")
