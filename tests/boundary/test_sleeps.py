"""Real sleeps are noticed with their line: of the test, of the app, in threads; short ones and timeouts aren't."""

from __future__ import annotations

import pytest

from tests.harness import Project, Result

APP = """
import asyncio
import time
from time import sleep as nap
from asyncio import sleep as async_nap

import anyio
from fastapi import FastAPI
app = FastAPI()

@app.get("/blocking")
def blocking():
    nap(0.06)

@app.get("/async")
async def asynchronous():
    await async_nap(0.06)

@app.get("/anyio")
async def by_anyio():
    await anyio.sleep(0.06)

@app.get("/short")
async def short():
    await asyncio.sleep(0.05)
    time.sleep(0.001)
"""
TEST = """
import asyncio
import time

def test_blocking(client):
    client.get("/blocking")

async def test_async(client):
    await client.get("/async")

async def test_anyio(client):
    await client.get("/anyio")

async def test_own(client):
    await asyncio.sleep(0.06)

def test_own_blocking(client):
    time.sleep(0.06)

async def test_short(client):
    await client.get("/short")
    await asyncio.wait_for(asyncio.Event().wait(), 0.06) if False else None
    done, waiting = await asyncio.wait([asyncio.ensure_future(asyncio.Event().wait())], timeout=0.06)
    for one in waiting:
        one.cancel()
"""
PLACES = [
    "main.py:13 slept 0.06 s in all (time.sleep): test_main.py::test_blocking",
    "main.py:17 slept 0.06 s in all (asyncio.sleep): test_main.py::test_async",
    "main.py:21 slept 0.06 s in all (asyncio.sleep): test_main.py::test_anyio",
    "test_main.py:15 slept 0.06 s in all (asyncio.sleep): test_main.py::test_own",
    "test_main.py:18 slept 0.06 s in all (time.sleep): test_main.py::test_own_blocking",
]


def run(pytester: pytest.Pytester, *args: str, table: str = "", test: str = TEST) -> Result:
    files = {
        "main.py": APP,
        "test_main.py": test,
        "pyproject.toml": f"[tool.greenroom]\n{table}",
    }
    return Project(files).run(pytester, *args)


def test_long_sleeps_are_told_at_the_end(pytester: pytest.Pytester) -> None:
    """Each with its line; the run is green."""
    result = run(pytester)
    result.passed(6)
    result.says("greenroom: real sleeps", *PLACES)
    assert result.out.count(" slept ") == 5


def test_a_suite_on_uvloop_is_looked_at_too(pytester: pytest.Pytester) -> None:
    """Its loop is another class."""
    conftest = """
import pytest, uvloop
@pytest.fixture(scope="session")
def event_loop_policy():
    return uvloop.EventLoopPolicy()
"""
    files = {
        "main.py": APP,
        "test_main.py": TEST,
        "conftest.py": conftest,
        "pyproject.toml": "[tool.greenroom]\n",
    }
    result = Project(files).run(pytester, "-W", "ignore::DeprecationWarning")
    result.passed(6)
    result.says(*PLACES)


def test_two_workers_tell_it_once(pytester: pytest.Pytester) -> None:
    """The workers' sleeps are added up by place."""
    test = "import time, pytest\n@pytest.mark.parametrize('n', range(4))\ndef test_it(client, n): time.sleep(0.06)\n"
    files = {"main.py": APP, "test_main.py": test, "pyproject.toml": "[tool.greenroom]\n"}
    result = Project(files).run_subprocess(pytester, "-n", "2", "-p", "no:randomly")
    assert result.code == 0, result.out
    result.says(
        "test_main.py:3 slept 0.24 s in all (time.sleep): test_main.py::test_it[0] and 3 more"
    )


def test_a_sleep_fails_its_test_where_that_is_asked_for(pytester: pytest.Pytester) -> None:
    """By the setting or by a marker, and a marker lets one be."""
    result = run(pytester, table='sleep = "fail"\n')
    result.counts(failed=5, passed=1)
    result.says("GR048 main.py:17 really slept for 0.06 s (asyncio.sleep), more than 0.05 s.")
    marked = """
import time, pytest

@pytest.mark.sleep("off")
def test_off(client):
    time.sleep(0.06)

@pytest.mark.sleep("fail")
def test_fail(client):
    time.sleep(0.06)
"""
    run(pytester, table='sleep = "fail"\n', test=marked).counts(passed=1, failed=1)
    run(pytester, test=marked).counts(passed=1, failed=1)
    off = run(pytester, "--greenroom-sleep=off")
    off.passed(6)
    off.silent_about("real sleeps")


def test_a_mode_that_is_none_is_refused(pytester: pytest.Pytester) -> None:
    """In the marker and in the setting."""
    result = run(
        pytester, test="import pytest\n@pytest.mark.sleep('never')\ndef test_it(client): pass\n"
    )
    assert result.code == 4
    result.says("GR007", "sleep('never'): 'never' is not one of 'report', 'fail', 'off'")
    setting = run(pytester, table='sleep = "never"\n')
    assert setting.code == 4
    setting.says("GR005", "'never' is none of them")


def test_what_did_not_pass_is_no_sleep(pytester: pytest.Pytester) -> None:
    """A task that sleeps for an hour between its rounds, and one that is cancelled."""
    app = """
import asyncio
from contextlib import asynccontextmanager
from fastapi import FastAPI

async def every_hour():
    while True:
        await asyncio.sleep(3600)

@asynccontextmanager
async def lifespan(app):
    task = asyncio.create_task(every_hour())
    yield
    task.cancel()

app = FastAPI(lifespan=lifespan)
"""
    test = """
import asyncio
from main import every_hour

async def test_it(client):
    task = asyncio.create_task(every_hour())
    await asyncio.sleep(0)
    task.cancel()

def test_that(client):
    pass
"""
    files = {
        "main.py": app,
        "test_main.py": test,
        "pyproject.toml": "[tool.greenroom]\nsleep = 'fail'\n",
    }
    Project(files).run(pytester).passed(2)


GIVEN = """
import asyncio, time
from fastapi import BackgroundTasks, FastAPI
from fastapi.concurrency import run_in_threadpool
app = FastAPI()

@app.get("/thread")
async def thread(): await asyncio.to_thread(time.sleep, 0.06)
@app.get("/pool")
async def pool(): await run_in_threadpool(time.sleep, 0.06)
@app.get("/limit")
async def limit(): await asyncio.wait_for(asyncio.sleep(0.06), 1)
@app.get("/task")
async def task(): await asyncio.create_task(asyncio.sleep(0.06))
@app.get("/gather")
async def gather(): await asyncio.gather(asyncio.sleep(0.06))
@app.get("/afterwards")
async def afterwards(tasks: BackgroundTasks): tasks.add_task(time.sleep, 0.06)
"""


@pytest.mark.parametrize("kind", ["async", "blocking"])
def test_a_sleep_that_is_given_to_a_task_or_a_thread_is_noticed(
    pytester: pytest.Pytester, kind: str
) -> None:
    """With the line that gave it; one that Starlette was given, with the request's."""
    paths = '["thread", "pool", "limit", "task", "gather", "afterwards"]'
    head = f"import pytest\n@pytest.mark.parametrize('path', {paths})\n"
    body = {
        "async": "async def test_it(client, path): await client.get(f'/{path}')\n",
        "blocking": "def test_it(client, path): client.get(f'/{path}')\n",
    }
    files = {
        "main.py": GIVEN,
        "test_main.py": head + body[kind],
        "pyproject.toml": "[tool.greenroom]\n",
    }
    result = Project(files).run(pytester, "-p", "no:randomly")
    result.passed(6)
    result.says(
        "main.py:8 slept 0.06 s in all (time.sleep): test_main.py::test_it[thread]",
        "main.py:10 slept 0.06 s in all (time.sleep): test_main.py::test_it[pool]",
        "main.py:12 slept 0.06 s in all (asyncio.sleep): test_main.py::test_it[limit]",
        "main.py:14 slept 0.06 s in all (asyncio.sleep): test_main.py::test_it[task]",
        "main.py:16 slept 0.06 s in all (asyncio.sleep): test_main.py::test_it[gather]",
        "(time.sleep): test_main.py::test_it[afterwards]",
    )
