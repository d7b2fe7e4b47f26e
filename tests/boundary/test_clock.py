"""The `clock` fixture: the time that the app reads, while everything that waits goes on."""

from __future__ import annotations

import importlib.util

import pytest

from tests.harness import Project, Result

APP = """
import asyncio
import datetime as dt
import time
from fastapi import FastAPI
app = FastAPI()

@app.get("/now")
async def now() -> str:
    return dt.datetime.now(dt.UTC).isoformat()

@app.get("/thread")
def thread() -> float:
    return time.time()

@app.get("/waits")
async def waits() -> float:
    started = time.monotonic()
    await asyncio.sleep(0.01)
    return time.monotonic() - started
"""
FILES = {"main.py": APP, "pyproject.toml": "[tool.greenroom]\n"}


def run(pytester: pytest.Pytester, test: str, *args: str) -> Result:
    return Project({**FILES, "test_main.py": test}).run(pytester, "-p", "no:randomly", *args)


def test_the_app_reads_the_time_that_the_test_has_set(pytester: pytest.Pytester) -> None:
    """In async code and in threads; frozen, moved on, and going on from elsewhere."""
    test = """
import datetime as dt
import pytest

async def test_frozen(client, clock):
    clock.freeze("2026-01-31 12:00")
    for _ in range(2):
        assert (await client.get("/now")).json() == "2026-01-31T12:00:00+00:00"
    assert (await client.get("/thread")).json() == dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC).timestamp()
    clock.tick(60)
    assert (await client.get("/now")).json() == "2026-01-31T12:01:00+00:00"
    clock.tick(dt.timedelta(days=1))
    assert clock.now == dt.datetime(2026, 2, 1, 12, 1, tzinfo=dt.UTC)

def test_goes_on(client, clock):
    start = clock.travel(dt.date(2030, 1, 1))
    first = dt.datetime.fromisoformat(client.get("/now").json())
    second = dt.datetime.fromisoformat(client.get("/now").json())
    assert start <= first < second < start + dt.timedelta(minutes=1)

def test_from_now(clock):
    real = clock.now
    clock.freeze()
    assert clock.now - real < dt.timedelta(minutes=1)
    frozen = clock.now
    assert clock.freeze(dt.timedelta(hours=-1)) == frozen - dt.timedelta(hours=1)
    assert clock.travel(0).year == 1970
    clock.restore()
    assert clock.now - real < dt.timedelta(minutes=1)

def test_ticks_without_being_frozen(clock):
    real = clock.now
    clock.tick(3600)
    assert dt.timedelta(minutes=59) < clock.now - real < dt.timedelta(minutes=61)
"""
    run(pytester, test).passed(4)


def test_what_waits_goes_on_while_the_clock_is_frozen(pytester: pytest.Pytester) -> None:
    """asyncio's sleep and timeouts, in the app and in the test, and a limit of a request."""
    test = """
import asyncio
import time

async def test_it(client, clock):
    clock.freeze("2026-01-31")
    assert (await client.get("/waits")).json() >= 0.009
    await asyncio.wait_for(asyncio.sleep(0.01), 1)
    with __import__("pytest").raises(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.sleep(10), 0.01)
"""
    run(pytester, test).passed(1)


def test_the_clock_is_right_again_after_the_test(pytester: pytest.Pytester) -> None:
    """Also after one that failed, and one that only moved it."""
    test = """
import datetime as dt

def test_frozen(clock):
    clock.freeze("1999-12-31")
    assert False

def test_next():
    assert dt.datetime.now().year > 2020
"""
    run(pytester, test).counts(failed=1, passed=1)


@pytest.mark.parametrize("given", ["'tomorrow'", "None, None", "object()", "1e300", "True"])
def test_what_is_no_moment_is_told(pytester: pytest.Pytester, given: str) -> None:
    """And the clock stays as it was."""
    test = f"""
import datetime as dt

def test_it(clock):
    try:
        clock.travel(*[{given}][:1])
    finally:
        assert dt.datetime.now().year > 2020
"""
    result = run(pytester, test)
    result.counts(failed=1)
    assert "is no moment." in result.out
    assert "GR044" in result.out


def test_without_time_machine_the_extra_is_named(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clear error."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "time_machine" else find(name, *rest),
    )
    result = run(pytester, "def test_it(clock): pass")
    result.counts(errors=1)
    assert "GR030" in result.out
    assert "pip install greenroom[clock]" in result.out
