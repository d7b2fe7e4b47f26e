"""A Redis server in this process, by fakeredis, for apps that use redis-py."""

from __future__ import annotations

import importlib
import importlib.util
import weakref
from collections.abc import Iterable
from contextlib import ExitStack
from types import ModuleType
from typing import Any

from greenroom.boundary.live import live_objects
from greenroom.boundary.patching import put
from greenroom.facts.errors import Code, GreenroomError

#: What a connection is told that isn't the fake's: of encryption, sockets and Sentinel, and a check of its
#: health, which would wait for ever.
_NOT_OURS = ("ssl", "path", "connection_pool", "health_check_interval")


class FakeRedisServer:
    """The server of one test: every client of redis-py, made before or during the test, is led to it.

    :param modules: the project's.
    :raises GreenroomError: if fakeredis isn't installed.
    """

    def __init__(self, modules: Iterable[ModuleType]) -> None:
        if importlib.util.find_spec("fakeredis") is None:
            raise GreenroomError(
                Code.EXTRA,
                "fake_redis needs fakeredis, which isn't installed.",
                "pip install greenroom[redis]",
            )
        self._fake: Any = importlib.import_module("fakeredis")
        self._server = self._fake.FakeServer()
        self._number = _number(modules)
        self._undo = ExitStack()
        aio: Any = importlib.import_module("fakeredis.aioredis")
        self._met: weakref.WeakSet[Any] = weakref.WeakSet()
        for module, connection in (
            ("redis.connection", self._fake.FakeRedisConnection),
            ("redis.asyncio.connection", aio.FakeAsyncRedisConnection),
        ):
            known: Any = importlib.import_module(module)
            for pool in (known.ConnectionPool, known.BlockingConnectionPool):
                self._lead(pool, connection)

    def client(self, *, blocking: bool) -> Any:
        """A client of the server's, whose answers are texts; on the database that the app uses."""
        kind = self._fake.FakeRedis if blocking else self._fake.FakeAsyncRedis
        return kind(server=self._server, db=self._number, decode_responses=True)

    def close(self) -> None:
        """Let clients go where they would."""
        self._undo.close()
        for pool in list(self._met):
            pool.reset()

    def _lead(self, pool: Any, connection: Any) -> None:
        server = self._server

        def make_connection(own: Any) -> Any:
            told = {
                name: value
                for name, value in own.connection_kwargs.items()
                if not name.startswith(_NOT_OURS)
            }
            return connection(**{**told, "server": server})

        def get_connection(own: Any, *args: Any, **options: Any) -> Any:
            if own not in self._met:
                own.reset()  # It may have connections to a real server.
                self._met.add(own)
            return original(own, *args, **options)

        original = pool.get_connection
        self._undo.callback(put(pool, "make_connection", make_connection))
        self._undo.callback(put(pool, "get_connection", get_connection))


def _number(modules: Iterable[ModuleType]) -> int:
    """The number of the database that the first client in the project's modules uses.

    Where there is none, it's that of one that lives elsewhere, on `app.state` for instance; else 0.
    """
    found = [
        getattr(value, "connection_pool", value)
        for module in modules
        for value in list(vars(module).values())
        if type(value).__module__.startswith("redis.")
    ]
    if not found:
        for module in ("redis.connection", "redis.asyncio.connection"):
            pool = importlib.import_module(module).ConnectionPool
            found += live_objects(pool)
    told = [getattr(pool, "connection_kwargs", None) for pool in found]
    return next((int(one.get("db") or 0) for one in told if one is not None), 0)
