"""pytest-asyncio runs the async tests: with greenroom's defaults, or as the project says."""

from __future__ import annotations

import pytest

from tests.harness import Project, app_source

SUITE = """
import asyncio
import pytest

LOOPS = []

@pytest.mark.parametrize("attempt", [1, 2, 3])
async def test_it(client, attempt):
    assert (await client.get("/items")).json() == []
    assert (await client.post("/items/lamp")).status_code == 201
    LOOPS.append(asyncio.get_running_loop())

def test_zz_loops(request):
    with open("loops.txt", "w") as file:
        file.write(str(len({id(loop) for loop in LOOPS})))
"""
MARKED = SUITE.replace(
    '@pytest.mark.parametrize("attempt"', '@pytest.mark.asyncio\n@pytest.mark.parametrize("attempt"'
)


def items(suite: str = SUITE) -> Project:
    return Project({"main.py": app_source("async_items"), "test_it.py": suite})


def run(pytester: pytest.Pytester, project: Project, *args: str) -> str:
    """Run the suite in its order, and give back the settings and the number of loops."""
    result = project.run(pytester, "-p", "no:randomly", *args)
    result.passed(4)
    settings = next(line for line in result.out.splitlines() if line.startswith("asyncio: "))
    return f"{settings}, loops={(result.folder / 'loops.txt').read_text()}"


def test_where_the_project_says_nothing_it_is_auto_mode_and_one_loop(
    pytester: pytest.Pytester,
) -> None:
    """The fast path; no marker is needed."""
    settings = run(pytester, items())
    assert "mode=Mode.AUTO" in settings
    assert "asyncio_default_fixture_loop_scope=session" in settings
    assert "asyncio_default_test_loop_scope=session, loops=1" in settings


@pytest.mark.parametrize(
    "file",
    [
        ("pyproject.toml", '[tool.pytest.ini_options]\nasyncio_mode = "strict"\n'),
        ("pytest.ini", "[pytest]\nasyncio_mode = strict\n"),
        ("tox.ini", "[pytest]\nasyncio_mode=strict\n"),
        ("setup.cfg", "[tool:pytest]\nasyncio_mode = strict\n"),
    ],
    ids=lambda file: file[0],
)
def test_the_mode_that_a_file_sets_holds(pytester: pytest.Pytester, file: tuple[str, str]) -> None:
    """And only the mode: the loops are still greenroom's default."""
    project = items(MARKED)
    project = Project({**project.files, file[0]: file[1]})
    settings = run(pytester, project)
    assert "mode=Mode.STRICT" in settings
    assert "asyncio_default_test_loop_scope=session, loops=1" in settings


def test_the_mode_on_the_command_line_holds(pytester: pytest.Pytester) -> None:
    """As an option, and as `-o`."""
    assert "mode=Mode.STRICT" in run(pytester, items(MARKED), "--asyncio-mode=strict")
    assert "mode=Mode.STRICT" in run(pytester, items(MARKED), "-o", "asyncio_mode=strict")


def test_a_commented_setting_says_nothing(pytester: pytest.Pytester) -> None:
    """It is the reader's, not the program's."""
    text = "[tool.pytest.ini_options]\n# asyncio_default_test_loop_scope = 'function'\n"
    settings = run(pytester, items().with_pyproject(text))
    assert "loops=1" in settings


@pytest.mark.parametrize(
    ("said", "tests", "loops"),
    [
        ('asyncio_default_fixture_loop_scope = "function"', "function", "3"),
        ('asyncio_default_test_loop_scope = "function"', "function", "3"),
        ('asyncio_default_test_loop_scope = "module"', "module", "1"),
    ],
)
def test_a_loop_scope_that_the_project_sets_holds_for_both(
    pytester: pytest.Pytester, said: str, tests: str, loops: str
) -> None:
    """Tests and fixtures on different loops would share connections that belong to one."""
    settings = run(pytester, items().with_pyproject(f"[tool.pytest.ini_options]\n{said}\n"))
    assert f"asyncio_default_test_loop_scope={tests}, loops={loops}" in settings


def test_markers_of_a_test_hold(pytester: pytest.Pytester) -> None:
    """A loop scope of its own."""
    suite = MARKED.replace("mark.asyncio", 'mark.asyncio(loop_scope="function")')
    assert "loops=3" in run(pytester, items(suite))


@pytest.mark.parametrize("loops", ["session", "function"])
def test_uvloop_by_its_factory(pytester: pytest.Pytester, loops: str) -> None:
    """pytest-asyncio's hook for loop factories."""
    pytest.importorskip("uvloop")
    conftest = """
import uvloop

def pytest_asyncio_loop_factories(config, item):
    return {"uvloop": uvloop.new_event_loop}
"""
    suite = SUITE.replace(
        "    LOOPS.append",
        "    assert type(asyncio.get_running_loop()).__module__ == 'uvloop'\n    LOOPS.append",
    )
    run(
        pytester,
        items(suite).with_files(conftest=conftest),
        "-o",
        f"asyncio_default_test_loop_scope={loops}",
        "-o",
        f"asyncio_default_fixture_loop_scope={loops}",
    )


def test_without_pytest_asyncio_blocking_tests_work(pytester: pytest.Pytester) -> None:
    """The run has a loop of its own then."""
    suite = """
import pytest

@pytest.mark.parametrize("attempt", [1, 2])
def test_it(client, db_session, attempt):
    assert client.get("/items").json() == []
    client.post("/items/lamp")
"""
    items(suite).run(pytester, "-p", "no:asyncio").passed(2)


def test_unittest_cases_are_isolated(pytester: pytest.Pytester) -> None:
    """They request no fixture, and reach the database by themselves."""
    suite = """
import unittest
from main import BlockingSession, Item
from sqlalchemy import func, select

class Case(unittest.TestCase):
    def check(self):
        with BlockingSession() as session:
            self.assertEqual(session.scalar(select(func.count()).select_from(Item)), 0)
            session.add(Item(name="lamp"))
            session.commit()

    def test_one(self): self.check()
    def test_two(self): self.check()

class AsyncCase(unittest.IsolatedAsyncioTestCase):
    async def check(self):
        from main import SessionLocal
        async with SessionLocal() as session:
            self.assertEqual(await session.scalar(select(func.count()).select_from(Item)), 0)
            session.add(Item(name="lamp"))
            await session.commit()

    async def test_one(self): await self.check()
    async def test_two(self): await self.check()
"""
    items(suite).with_pyproject("[tool.greenroom]").run(pytester).passed(4)


def test_nothing_but_collecting_runs_nothing_of_the_app(pytester: pytest.Pytester) -> None:
    """`--collect-only` starts no app and makes no table."""
    app = app_source("async_items").replace(
        "app = FastAPI()",
        "from contextlib import asynccontextmanager\n"
        "@asynccontextmanager\nasync def lifespan(app):\n    raise RuntimeError('started')\n"
        "    yield\napp = FastAPI(lifespan=lifespan)",
    )
    result = items().with_files(main=app).run(pytester, "--collect-only", "-q")
    assert result.code == 0, result.out
    result.says("test_it.py::test_it[1]")
    result.silent_about("started")


ANYIO = """
import pytest

@pytest.fixture
def anyio_backend(): return "asyncio"

@pytest.mark.anyio
async def test_a_anyio(client):
    assert (await client.get("/items")).json() == []
    assert (await client.post("/items/lamp")).status_code == 201

def test_b_blocking(client): assert client.get("/items").json() == []

async def test_c_asyncio(client): assert (await client.get("/items")).json() == []
"""


@pytest.mark.parametrize("order", ["-p no:randomly", "--randomly-seed=1", "--randomly-seed=2"])
def test_tests_of_anyios_plugin_disturb_nobody(pytester: pytest.Pytester, order: str) -> None:
    """In strict mode, where they are anyio's, and first or last."""
    project = items(ANYIO.replace("async def test_c", "@pytest.mark.asyncio\nasync def test_c"))
    project.run(pytester, *order.split(), "-o", "asyncio_mode=strict").passed(3)


def test_without_pytest_asyncio_anyio_runs_the_async_tests(pytester: pytest.Pytester) -> None:
    """On loops of its own."""
    suite = ANYIO.partition("async def test_c")[0]
    items(suite).run(pytester, "-p", "no:asyncio").passed(2)
