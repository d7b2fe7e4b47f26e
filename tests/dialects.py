"""The databases and drivers that one suite is run on, and which of them this machine has."""

from __future__ import annotations

import os
import re
import socket
from dataclasses import dataclass

import pytest
from sqlalchemy import make_url

POSTGRESQL_SERVER = "postgresql://postgres@127.0.0.1:5432/postgres"
#: Another one, of MySQL for example, is said by TESTS_MYSQL: its user may do anything, and has no password.
MARIADB_SERVER = os.environ.get("TESTS_MYSQL", "mysql://root@127.0.0.1:3306")
MARIADB = make_url(MARIADB_SERVER)
MARIADB_PORT = MARIADB.port or 3306


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


def greeting(port: int) -> bytes:
    """What a MariaDB or MySQL server of this machine says first: its version is in it."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            return connection.recv(200)
    except OSError:
        return b""


needs_postgresql = pytest.mark.skipif(
    not is_there(5432), reason="no PostgreSQL server listens on 127.0.0.1:5432"
)
_GREETING = greeting(MARIADB_PORT)
IS_MYSQL = bool(_GREETING) and b"mariadb" not in _GREETING.lower()
needs_mariadb = pytest.mark.skipif(
    not _GREETING, reason=f"no MariaDB or MySQL server listens on {MARIADB.host}:{MARIADB_PORT}"
)
#: For what MySQL hasn't got: sequences, tables that keep their history.
mariadb_alone = pytest.mark.skipif(IS_MYSQL, reason="this server is MySQL, which hasn't got it")

SQLITE = Dialect("sqlite", "sqlite+aiosqlite", "sqlite")
ASYNCPG = Dialect("asyncpg", "postgresql+asyncpg", "postgresql+psycopg2")
PSYCOPG = Dialect("psycopg", "postgresql+psycopg", "postgresql+psycopg")
MIXED = Dialect("mixed", "postgresql+asyncpg", "postgresql+psycopg")
SERVED = Dialect("served", "postgresql+asyncpg", "postgresql+psycopg2", POSTGRESQL_SERVER)
ASYNCMY = Dialect("asyncmy", "mysql+asyncmy", "mysql+pymysql", MARIADB_SERVER)
# SQLAlchemy's own name for MariaDB, where it is one.
_NAME = "mysql" if IS_MYSQL else "mariadb"
AIOMYSQL = Dialect("aiomysql", f"{_NAME}+aiomysql", f"{_NAME}+pymysql", MARIADB_SERVER)


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
