"""The databases and drivers that one suite is run on, and which of them this machine has."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

import pytest

POSTGRESQL_SERVER = "postgresql://postgres@127.0.0.1:5432/postgres"
MARIADB_SERVER = "mysql://root@127.0.0.1:3306"


@dataclass(frozen=True)
class Dialect:
    """A pair of drivers for one kind of database.

    :param asynchronous: the async driver's URL scheme; None if only a sync one is tried.
    :param server: the server's URL; None for an embedded one, or for none at all.
    """

    name: str
    asynchronous: str
    blocking: str
    server: str | None = None

    def app(self, source: str) -> str:
        """The source of an app, with its SQLite URLs turned into this dialect's.

        They name a machine that isn't there: nobody may try to reach it.
        """
        if self.name == "sqlite":
            return source
        source = source.replace(', connect_args={"check_same_thread": False}', "")
        source = re.sub(r"sqlite\+aiosqlite:///[^\"]*", self.url(self.asynchronous), source)
        return re.sub(r"sqlite:///[^\"]*", self.url(self.blocking), source)

    @staticmethod
    def url(scheme: str) -> str:
        """The URL that an app is configured with."""
        return f"{scheme}://shop:geheim@db.invalid/shop"

    @property
    def environ(self) -> dict[str, str]:
        """What names the server to greenroom."""
        return {"GREENROOM_DATABASE": self.server} if self.server else {}


def is_there(port: int) -> bool:
    """Whether something listens on this machine."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


needs_postgresql = pytest.mark.skipif(
    not is_there(5432), reason="no PostgreSQL server listens on 127.0.0.1:5432"
)
needs_mariadb = pytest.mark.skipif(
    not is_there(3306), reason="no MariaDB server listens on 127.0.0.1:3306"
)

SQLITE = Dialect("sqlite", "sqlite+aiosqlite", "sqlite")
ASYNCPG = Dialect("asyncpg", "postgresql+asyncpg", "postgresql+psycopg2")
PSYCOPG = Dialect("psycopg", "postgresql+psycopg", "postgresql+psycopg")
MIXED = Dialect("mixed", "postgresql+asyncpg", "postgresql+psycopg")
SERVED = Dialect("served", "postgresql+asyncpg", "postgresql+psycopg2", POSTGRESQL_SERVER)
ASYNCMY = Dialect("asyncmy", "mysql+asyncmy", "mysql+pymysql", MARIADB_SERVER)
AIOMYSQL = Dialect("aiomysql", "mariadb+aiomysql", "mariadb+pymysql", MARIADB_SERVER)


def _params(*dialects: Dialect) -> list[object]:
    marks = {POSTGRESQL_SERVER: [needs_postgresql], MARIADB_SERVER: [needs_mariadb]}
    return [
        pytest.param(dialect, id=dialect.name, marks=marks.get(dialect.server or "", []))
        for dialect in dialects
    ]


#: Every server and every driver.
SERVERS = _params(ASYNCPG, PSYCOPG, SERVED, ASYNCMY, AIOMYSQL, MIXED)
#: One of each kind of database.
KINDS = _params(SQLITE, ASYNCPG, ASYNCMY)
#: One of each kind of server.
KINDS_OF_SERVER = _params(ASYNCPG, ASYNCMY)
