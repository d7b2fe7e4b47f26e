"""`fake_redis`: the app's redis-py clients, made before or during the test, share one server in this process."""

from __future__ import annotations

import pytest

from tests.harness import Project, Result

APP = """
import redis
import redis.asyncio as aioredis
from fastapi import FastAPI

blocking = redis.Redis.from_url("rediss://cache.example.com:6380/1", ssl_cert_reqs="none")
pooled = redis.Redis(connection_pool=redis.BlockingConnectionPool(host="cache.example.com", db=1))
asynchronous = aioredis.Redis.from_url("redis://cache.example.com/1")
app = FastAPI()

@app.post("/{name}")
async def count(name: str):
    first = blocking.incr(name)
    second = pooled.incr(name)
    third = await asynchronous.incr(name)
    async with aioredis.from_url("redis://cache.example.com/1") as own:
        return [first, second, third, await own.incr(name)]
"""


def run(pytester: pytest.Pytester, test: str, *args: str, app: str = APP) -> Result:
    files = {"main.py": app, "test_main.py": test, "pyproject.toml": "[tool.greenroom]\n"}
    return Project(files).run(pytester, "-p", "no:randomly", *args)


def test_all_clients_share_one_server_for_one_test(pytester: pytest.Pytester) -> None:
    """Old and new ones, blocking and async, encrypted and pooled; the next test has an empty one."""
    test = """
def test_blocking(client, fake_redis):
    assert client.post("/a").json() == [1, 2, 3, 4]
    assert fake_redis.ping()

async def test_async(client, fake_redis):
    assert (await client.post("/a")).json() == [1, 2, 3, 4]
    await fake_redis.set("own", "1")
    assert await fake_redis.get("own") == "1"

async def test_again(client, fake_redis):
    assert (await client.post("/a")).json() == [1, 2, 3, 4]
    assert await fake_redis.get("own") is None
"""
    run(pytester, test).passed(3)


def test_the_client_sees_what_the_app_has_written(pytester: pytest.Pytester) -> None:
    """It's on the app's database number."""
    test = """
async def test_async(client, fake_redis):
    await client.post("/a")
    assert await fake_redis.get("a") == "4"

def test_blocking(client, fake_redis):
    fake_redis.set("a", 10)
    assert client.post("/a").json() == [11, 12, 13, 14]
"""
    run(pytester, test).passed(2)


def test_after_the_test_clients_go_where_they_would(pytester: pytest.Pytester) -> None:
    """To a server that may not be reached, here."""
    test = """
def test_fake(client, fake_redis):
    client.post("/a")

def test_real(client):
    client.post("/a")
"""
    result = run(pytester, test)
    result.counts(passed=1, failed=1)
    result.says("GR045", "cache.example.com", "Request the fixture fake_redis")


def test_a_missing_extra_is_named(pytester: pytest.Pytester) -> None:
    """Where fakeredis isn't installed."""
    test = """
import importlib.util, pytest
find = importlib.util.find_spec

@pytest.fixture(autouse=True)
def hidden(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *a: None if name == "fakeredis" else find(name, *a))

def test_it(fake_redis):
    pass
"""
    result = run(pytester, test)
    result.counts(errors=1)
    result.says("GR030 fake_redis needs fakeredis", "pip install greenroom[redis]")


def test_locks_scripts_sockets_and_sentinels(pytester: pytest.Pytester) -> None:
    """What a client is told of how to connect isn't the fake server's."""
    app = """
import redis
import redis.asyncio as aioredis
from redis.sentinel import Sentinel
from fastapi import FastAPI

here = redis.Redis(unix_socket_path="/run/redis.sock")
checked = aioredis.Redis(host="cache.example.com", health_check_interval=1)
master = Sentinel([("sentinel.example.com", 26379)]).master_for("m")
app = FastAPI()

@app.post("/{name}")
async def work(name: str):
    with here.lock("l", timeout=5):
        pass
    async with checked.lock("l", timeout=5):
        pass
    return [here.incr(name), await checked.incr(name), master.incr(name),
            here.eval("return redis.call('incr', KEYS[1])", 1, name)]
"""
    test = """
def test_blocking(client, fake_redis):
    assert client.post("/a").json() == [1, 2, 3, 4]

async def test_async(client, fake_redis):
    assert (await client.post("/a")).json() == [1, 2, 3, 4]
"""
    run(pytester, test, app=app).passed(2)


def test_a_client_of_the_lifespans_tells_the_number_too(pytester: pytest.Pytester) -> None:
    """It's kept on `app.state`, and no module has it."""
    app = """
from contextlib import asynccontextmanager
import redis.asyncio as aioredis
from fastapi import FastAPI

@asynccontextmanager
async def lifespan(app):
    app.state.redis = aioredis.Redis.from_url("redis://cache.example.com/3")
    yield
    await app.state.redis.aclose()

app = FastAPI(lifespan=lifespan)

@app.post("/")
async def count(): return await app.state.redis.incr("hits")
"""
    test = """
async def test_it(client, fake_redis):
    await client.post("/")
    assert await fake_redis.get("hits") == "1"
"""
    run(pytester, test, app=app).passed(1)
