"""Which projects use greenroom, and that the others are left alone."""

from __future__ import annotations

import pytest

from tests.harness import Project, app_source

#: Reaches the database without a fixture: the second of the two fails unless each is isolated.
DIRECT = """
import pytest
from main import SessionLocal
from sqlalchemy import text

@pytest.mark.parametrize("attempt", [1, 2])
async def test_direct(attempt):
    async with SessionLocal() as session:
        assert (await session.scalar(text("SELECT count(*) FROM items"))) == 0
        await session.execute(text("INSERT INTO items (name) VALUES ('direct')"))
        await session.commit()
"""
REQUESTS = """
async def test_request(client):
    assert (await client.get("/items")).json() == []
"""
#: A suite of its own making, as it was before greenroom was installed.
OWN_CONFTEST = """
import pytest
from main import Base, app, blocking_engine, engine
from starlette.testclient import TestClient

@pytest.fixture
def client():
    Base.metadata.drop_all(blocking_engine)
    Base.metadata.create_all(blocking_engine)
    with TestClient(app) as client:
        yield client
        client.portal.call(engine.dispose)
    blocking_engine.dispose()
"""
OWN_TEST = """
def test_own(client):
    client.post("/items/lamp")
    assert client.get("/items").json() == ["lamp"]
"""


def async_app(**tests: str) -> Project:
    return Project({"main.py": app_source("async_items")}).with_files(**tests)


def test_a_request_anywhere_in_the_suite_activates_it_for_a_test_that_is_run_alone(
    pytester: pytest.Pytester,
) -> None:
    """No fixture, no configuration, one node id: isolated all the same."""
    project = async_app(test_direct=DIRECT, test_request=REQUESTS)

    result = project.run(pytester, "test_direct.py::test_direct")

    result.passed(2)
    result.says("active: test_request in test_request.py requests client")
    assert not (result.folder / "app.db").exists()


@pytest.mark.parametrize(
    "pyproject",
    [
        "[tool.greenroom]",
        '[project]\nname = "shop"\nversion = "0"\ndependencies = ["greenroom >= 0.1"]',
        '[dependency-groups]\ndev = ["greenroom"]',
        '[project]\nname = "shop"\nversion = "0"\noptional-dependencies.test = ["greenroom[x]"]',
        '[tool.poetry.group.dev.dependencies]\ngreenroom = "*"',
    ],
)
def test_a_project_that_says_so_uses_it_without_requesting_a_fixture(
    pytester: pytest.Pytester, pyproject: str
) -> None:
    """The table, or greenroom among the dependencies."""
    result = async_app(test_direct=DIRECT).with_pyproject(pyproject).run(pytester)
    result.passed(2)
    assert not (result.folder / "app.db").exists()


def test_an_app_named_in_the_environment_activates_it(pytester: pytest.Pytester) -> None:
    """GREENROOM_APP says that the project uses it."""
    project = async_app(test_direct=DIRECT).with_environ(GREENROOM_APP="main:app")
    result = project.run(pytester)
    result.passed(2)
    result.says("app main:app (GREENROOM_APP)")


def test_a_project_with_fixtures_of_its_own_is_left_alone(pytester: pytest.Pytester) -> None:
    """Its conftest provides what its tests request: greenroom does nothing at all."""
    project = async_app(conftest=OWN_CONFTEST, test_own=OWN_TEST)

    result = project.run(pytester, "-p", "no:asyncio")

    result.passed(1)
    assert result.header() == ""
    assert (result.folder / "app.db").exists()
    result.silent_about("greenroom:")


def test_a_project_without_an_app_is_left_alone(pytester: pytest.Pytester) -> None:
    """A library, or a project of another framework."""
    result = Project({"test_plain.py": "def test_plain(): pass"}).run(pytester)
    result.passed(1)
    assert result.header() == ""


def test_fixture_names_that_are_parametrized_or_patched_are_not_requests(
    pytester: pytest.Pytester,
) -> None:
    """`client` may be the name of anything."""
    test = """
        from unittest.mock import patch
        import pytest

        @pytest.mark.parametrize(("client", "other"), [(1, 2)])
        def test_parametrized(client, other): pass

        @patch("os.getcwd")
        def test_patched(client): pass

        def client(): pass
        def helper(db_session): pass
    """
    result = async_app(test_names=_dedent(test)).run(pytester)
    result.passed(2)
    assert result.header() == ""


def test_a_fixture_that_extends_greenrooms_activates_it(pytester: pytest.Pytester) -> None:
    """A conftest's `client` that requests `client` means greenroom's."""
    conftest = """
        import pytest

        @pytest.fixture
        def client(client):
            client.headers["x-own"] = "yes"
            return client
    """
    project = async_app(conftest=_dedent(conftest), test_request=REQUESTS)
    result = project.run(pytester)
    result.passed(1)
    result.says("active: client in conftest.py requests client")


def test_a_projects_own_fixture_wins_and_its_engines_are_isolated_all_the_same(
    pytester: pytest.Pytester,
) -> None:
    """pytest's rule for fixtures of one name, on greenroom's databases."""
    project = async_app(conftest=OWN_CONFTEST, test_own=OWN_TEST).with_pyproject("[tool.greenroom]")
    result = project.run(pytester)
    result.passed(1)
    assert not (result.folder / "app.db").exists()


def test_switched_off_it_does_nothing(pytester: pytest.Pytester) -> None:
    """`-p no:greenroom` leaves a suite with its own conftest as it was."""
    project = async_app(conftest=OWN_CONFTEST, test_own=OWN_TEST).with_pyproject("[tool.greenroom]")
    result = project.run(pytester, "-p", "no:greenroom", "-p", "no:asyncio")
    result.passed(1)
    assert (result.folder / "app.db").exists()


def test_a_greenroom_fixture_in_a_project_without_an_app_says_where_it_looked(
    pytester: pytest.Pytester,
) -> None:
    """The hint stands in the place of pytest's list of fixtures."""
    result = Project({"test_request.py": REQUESTS}).run(pytester)
    result.counts(errors=1)
    result.says("GR001 no app was found in", "src/app/main.py", "[tool.greenroom] app =")
    result.silent_about("available fixtures")


def test_a_request_that_no_source_shows_says_how_to_activate(pytester: pytest.Pytester) -> None:
    """What is requested dynamically can't be read from the source."""
    test = "def test_dynamic(request): request.getfixturevalue('db_' + 'session')"
    result = async_app(test_dynamic=test).run(pytester)
    result.counts(failed=1)
    result.says("GR008 the fixture db_session was requested", "Add a [tool.greenroom] table")


def test_the_nearest_project_counts(pytester: pytest.Pytester) -> None:
    """A service in a repository whose root configures pytest."""
    files = {
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-q'",
        "services/items/pyproject.toml": "[tool.greenroom]",
        "services/items/main.py": app_source("async_items"),
        "services/items/test_request.py": REQUESTS,
    }
    result = Project(files).run(pytester, "services/items/test_request.py")
    result.passed(1)


def _dedent(text: str) -> str:
    import textwrap

    return textwrap.dedent(text)


@pytest.mark.parametrize(
    ("files", "args"),
    [
        ({"tests/pytest.ini": "[pytest]\n"}, ["tests/test_direct.py::test_direct"]),
        ({"ci/pytest.ini": "[pytest]\n"}, ["-c", "ci/pytest.ini", "tests"]),
    ],
    ids=["in the tests' folder", "in a folder of its own"],
)
def test_where_pytests_own_configuration_lies_makes_no_difference(
    pytester: pytest.Pytester, files: dict[str, str], args: list[str]
) -> None:
    """The project is where its pyproject.toml speaks of greenroom."""
    project = Project(
        {
            "main.py": app_source("async_items"),
            "tests/test_direct.py": DIRECT,
            "pyproject.toml": "[tool.greenroom]",
            **files,
        }
    )
    result = project.run(pytester, *args)
    result.passed(2)
    assert list(result.folder.rglob("app.db")) == []


def test_a_run_from_within_the_tests_folder_finds_the_app_above(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any configuration at all."""
    project = Project({"main.py": app_source("async_items"), "tests/test_direct.py": DIRECT})
    project = project.with_files(tests__test_request=REQUESTS)
    project.write(pytester.path)
    monkeypatch.chdir(pytester.path / "tests")
    result = Project({}).run_in(pytester, pytester.path / "tests", "test_direct.py")
    result.passed(2)
    assert list(result.folder.rglob("app.db")) == []


@pytest.mark.parametrize(
    "provided",
    [
        {"conftest.py": "import pytest\nif True:\n    @pytest.fixture\n    def client(): pass"},
        {
            "conftest.py": "from typing import Any\nimport pytest\n"
            "def make(): pass\nclient: Any = pytest.fixture(make)"
        },
        {
            "conftest.py": "def pytest_generate_tests(metafunc):\n"
            "    if 'client' in metafunc.fixturenames:\n"
            "        metafunc.parametrize('client', [1])"
        },
        {
            "conftest.py": "pytest_plugins = ['support.web']",
            "support/__init__.py": "",
            "support/web.py": "import pytest\n@pytest.fixture\ndef client(): pass",
        },
    ],
    ids=["in an if", "annotated", "generated", "by pytest_plugins"],
)
def test_a_fixture_that_is_provided_in_other_ways_is_provided(
    pytester: pytest.Pytester, provided: dict[str, str]
) -> None:
    """The project is left alone."""
    test = "def test_own(client): pass"
    project = Project({"main.py": app_source("async_items"), "tests/test_own.py": test, **provided})
    result = project.run(pytester, "tests")
    result.passed(1)
    assert result.header() == ""


def test_an_app_above_another_project_is_not_that_projects(pytester: pytest.Pytester) -> None:
    """A folder with a project file of its own is where the looking ends."""
    project = Project(
        {
            "main.py": app_source("async_items"),
            "other/test_request.py": REQUESTS,
            "lib/pyproject.toml": "[project]\nname = 'lib'\nversion = '0'\n",
            "lib/test_plain.py": "def test_plain(): pass",
        }
    )
    result = project.run(pytester, "lib")
    result.passed(1)
    assert result.header() == ""


def test_a_service_of_a_repository_whose_root_declares_greenroom_uses_it(
    pytester: pytest.Pytester,
) -> None:
    """Its app is the nearest one; the dependency may stand above it."""
    project = Project(
        {
            "pyproject.toml": "[dependency-groups]\ndev = ['greenroom']",
            "services/a/pyproject.toml": "[project]\nname = 'a'\nversion = '0'\n",
            "services/a/main.py": app_source("async_items"),
            "services/a/tests/test_direct.py": DIRECT,
        }
    )
    result = project.run(pytester, "services/a")
    result.passed(2)
    result.says("active: greenroom is a dependency of ")
    assert list(result.folder.rglob("app.db")) == []


def test_a_project_that_declares_greenroom_and_has_no_app_is_told(
    pytester: pytest.Pytester,
) -> None:
    """Its tests would not be isolated, in silence."""
    project = Project(
        {
            "pyproject.toml": "[dependency-groups]\ndev = ['greenroom']",
            "api.py": "def helper(): pass",
            "test_plain.py": "def test_plain(): pass",
        }
    )
    result = project.run(pytester)
    assert result.code == pytest.ExitCode.USAGE_ERROR
    result.says("GR001 no app was found")


def test_a_fixture_of_another_plugin_is_provided_whatever_the_order(
    pytester: pytest.Pytester,
) -> None:
    """Its own `client` makes no request; `db_session` is greenroom's all the same."""
    plugin = "import pytest\n\n@pytest.fixture\ndef client(): pass\n"
    only = "def test_only(client): pass"
    project = async_app(other_plugin=plugin, test_a=only)
    result = project.run_subprocess(pytester, "-p", "other_plugin")
    result.passed(1)
    assert result.header() == ""
    both = project.with_files(test_z="async def test_it(db_session): pass")
    result = both.run_subprocess(pytester, "-p", "other_plugin")
    result.says("active: test_it in test_z.py requests db_session")


def test_a_wrong_variable_stops_no_project_that_does_not_use_greenroom(
    pytester: pytest.Pytester,
) -> None:
    """Whatever the environment says."""
    project = async_app(conftest=OWN_CONFTEST, test_own=OWN_TEST)
    result = project.with_environ(GREENROOM_ISOLATION="bogus").run(pytester, "-p", "no:asyncio")
    result.passed(1)


def test_the_project_itself_may_be_named_as_the_folder_of_its_tests(
    pytester: pytest.Pytester,
) -> None:
    """`testpaths = ["."]`."""
    main = "from fastapi import FastAPI\napp = FastAPI()\n"
    table = '[tool.pytest.ini_options]\ntestpaths = ["."]\n'
    files = {"main.py": main, "test_it.py": "def test_it(client): pass", "pyproject.toml": table}
    Project(files).run(pytester).passed(1)
