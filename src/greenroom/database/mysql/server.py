"""One MariaDB or MySQL server, and the databases that greenroom has made on it.

MySQL has no comment on a database, so the marks are rows in a database of greenroom's own. Who uses
a database holds a lock under its name (`GET_LOCK`), which the server drops with the connection.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from greenroom.database.mark import ADOPTED, LONGEST_REST, Mark
from greenroom.facts.errors import Code, GreenroomError

if TYPE_CHECKING:
    from pymysql.connections import Connection
    from sqlalchemy.engine import URL

REGISTRY = "greenroom_registry"
#: The table that marks an adopted database: nothing of greenroom's may lie beside it.
MARK = "greenroom_mark"
#: PyMySQL's words for an encrypted connection.
_TLS = frozenset(
    {
        "ssl_ca",
        "ssl_cert",
        "ssl_disabled",
        "ssl_key",
        "ssl_key_password",
        "ssl_verify_cert",
        "ssl_verify_identity",
    }
)
#: How long, in seconds, a server may take to answer.
PATIENCE = 5


class Server:
    """A server that answers.

    :param url: how to reach it.
    :param place: where it is, for the header and for messages.
    """

    def __init__(self, url: URL, place: str) -> None:
        self.url = url
        self.place = place
        self._admin: Connection[Any] | None = None
        self._own: set[int] = set()
        self._held: set[str] = set()

    # -- connections -------------------------------------------------------------------------------

    def connect(self) -> Connection[Any]:
        """A connection of greenroom's own, in no database, in autocommit mode."""
        pymysql = driver()
        connection: Connection[Any] = pymysql.connect(
            **self.arguments(), **self._tls(), autocommit=True, connect_timeout=PATIENCE
        )
        opened: Any = connection
        self._own.add(opened.thread_id())
        return connection

    def arguments(self) -> dict[str, Any]:
        """The words of a connection in PyMySQL's terms, but for the database."""
        socket = self.url.query.get("unix_socket")
        named = {
            "host": self.url.host,
            "port": self.url.port,
            "user": self.url.username,
            "password": str(self.url.password) if self.url.password is not None else None,
            "unix_socket": socket,
        }
        return {name: value for name, value in named.items() if value is not None}

    def _tls(self) -> dict[str, Any]:
        """What the URL says of encryption, in PyMySQL's terms: its other words are the drivers' of apps."""
        said = {
            word: str(value) for word, value in self.url.query.items() if word.startswith("ssl_")
        }
        truths = {"true": True, "1": True, "false": False, "0": False}
        if "ssl_check_hostname" in said:
            said.setdefault("ssl_verify_identity", said.pop("ssl_check_hostname"))
        return {
            word: truths.get(value.lower(), value) for word, value in said.items() if word in _TLS
        }

    @property
    def admin(self) -> Connection[Any]:
        """The connection that holds the locks."""
        pymysql = driver()
        if self._admin is None or not self._admin.open:
            try:
                self._admin = self.connect()
            except (pymysql.MySQLError, RuntimeError) as error:
                # A RuntimeError: MySQL's passwords need the package cryptography where nothing is encrypted.
                self._admin = None
                raise GreenroomError(
                    Code.SERVER,
                    f"the MariaDB or MySQL server {self.place} doesn't let greenroom in: "
                    f"{error.args[-1]}.",
                    "Correct [tool.greenroom] database or GREENROOM_DATABASE, or start that server.",
                ) from None
        return self._admin

    @cached_property
    def product(self) -> str:
        """The server's name and version: mariadb 10.11.19."""
        version = str(self.ask("SELECT version()")[0][0])
        name = "mariadb" if "mariadb" in version.lower() else "mysql"
        return f"{name} {version.partition('-')[0]}"

    def close(self) -> None:
        """Close the connection, and with it give up every lock."""
        if self._admin is not None:
            with contextlib.suppress(driver().MySQLError):
                self._admin.close()
            self._admin = None

    def leave(self) -> None:
        """Close it at a run's end: what a worker that died meanwhile has left needn't wait for the next run."""
        with contextlib.suppress(driver().MySQLError, GreenroomError):
            self.sweep()
        self.close()

    # -- databases ---------------------------------------------------------------------------------

    def create(self, name: str, mark: Mark) -> None:
        """Create a marked database. It is marked first: what a killed run leaves is known as ours.

        :raises GreenroomError: if the server refuses, with what it said.
        """
        pymysql = driver()
        self.mark(name, mark)
        try:
            self.do(f"CREATE DATABASE `{name}`")
        except pymysql.MySQLError as error:
            self.do(f"DELETE FROM {REGISTRY}.`databases` WHERE name = %s", name)
            raise GreenroomError(
                Code.SERVER,
                f"the test database can't be created {self.place}: {error.args[-1]}.",
                "Give that user the right to create databases, or name another server: "
                "[tool.greenroom] database.",
            ) from None

    def mark(self, name: str, mark: Mark) -> None:
        """Write the mark of a database."""
        if not self._has_registry():
            self._make_registry()
        self.do(
            f"REPLACE INTO {REGISTRY}.`databases` (name, mark) VALUES (%s, %s)", name, mark.text()
        )

    def marked(self) -> dict[str, Mark]:
        """The databases of this server that greenroom has marked."""
        if not self._has_registry():
            return {}
        try:
            rows = self.ask(f"SELECT name, mark FROM {REGISTRY}.`databases` ORDER BY name")
        except driver().MySQLError:
            if self._has_registry():
                raise
            return {}  # Another run has removed it in between.
        found = ((str(name), Mark.read(text)) for name, text in rows)
        return {name: mark for name, mark in found if mark is not None}

    @cached_property
    def may_create(self) -> bool:
        """Whether its user may create databases."""
        if self._has_registry():
            return True
        try:
            self._make_registry()
        except GreenroomError:
            return False
        return True

    def adopted(self) -> dict[str, Mark]:
        """The databases of somebody else's that greenroom may use, and that this user sees."""
        rows = self.ask(
            "SELECT table_schema FROM information_schema.tables WHERE table_name = %s ORDER BY 1",
            MARK,
        )
        found = {}
        for (name,) in rows:
            with contextlib.suppress(driver().MySQLError):
                mark = Mark.read(str(self.ask(f"SELECT mark FROM {identifier(name)}.{MARK}")[0][0]))
                if mark is not None and mark.kind == ADOPTED:
                    found[str(name)] = mark
        return found

    def mark_adopted(self, name: str, mark: Mark) -> None:
        """Write the mark of an adopted database, into it."""
        self.do(
            f"CREATE TABLE IF NOT EXISTS {identifier(name)}.{MARK} "
            "(id INT NOT NULL DEFAULT 1 PRIMARY KEY, mark TEXT NOT NULL)"
        )
        self.do(f"DELETE FROM {identifier(name)}.{MARK}")
        self.do(f"INSERT INTO {identifier(name)}.{MARK} (mark) VALUES (%s)", mark.text())

    def drop(self, name: str) -> bool:
        """Drop a database of greenroom's; whether it was one."""
        if name not in self.marked():
            return False
        self.disconnect(name)
        self.do(f"DROP DATABASE IF EXISTS `{name}`")
        self._drop_procedures(one for one in self._procedures() if one.startswith(f"{name}_"))
        self.do(f"DELETE FROM {REGISTRY}.`databases` WHERE name = %s", name)
        return True

    def _procedures(self) -> list[str]:
        """What the databases go back by."""
        rows = self.ask(
            "SELECT routine_name FROM information_schema.routines WHERE routine_schema = %s",
            REGISTRY,
        )
        return [str(routine) for (routine,) in rows]

    def _drop_procedures(self, routines: Iterable[str]) -> None:
        for routine in routines:
            # MySQL refuses an administrator's to anybody else: whoever made it sweeps it.
            with contextlib.suppress(driver().MySQLError):
                self.do(f"DROP PROCEDURE IF EXISTS {REGISTRY}.`{routine}`")

    def remove_registry(self) -> bool:
        """Drop greenroom's own database, if no database is marked any more; whether it's gone."""
        if not self._has_registry() or self.marked():
            return False
        self.do(f"DROP DATABASE IF EXISTS {REGISTRY}")
        return True

    def disconnect(self, name: str) -> None:
        """End every other connection to a database of greenroom's.

        Who asks information_schema about another database may be shown as being in this one while the
        server opens its tables: such a connection is another run's, and is left alone.
        """
        rows = self.ask(
            "SELECT id FROM information_schema.processlist WHERE db = %s "
            "AND coalesce(info, '') NOT LIKE '%%information_schema%%'",
            name,
        )
        for (number,) in rows:
            if number not in self._own:
                self.kill(number)

    def kill(self, number: int) -> None:
        """End one connection; that it has gone meanwhile is as good."""
        with contextlib.suppress(driver().MySQLError):
            self.do(f"KILL {int(number)}")

    def sweep(self) -> list[str]:
        """Drop what dead runs have left, and what nobody has used for long."""
        dropped = []
        for name, mark in self.marked().items():
            dead = mark.kind in {"test", "clone"} or (mark.kind == "template" and not mark.complete)
            old = mark.kind != ADOPTED and time.time() - mark.used > LONGEST_REST
            if (dead or old) and self.try_hold(name):
                if self.marked().get(name) == mark and self.drop(name):
                    dropped.append(name)
                self.release(name)
        if self._has_registry():
            # Those of a database that is no more. They are read first: a database is marked before it
            # gets one.
            routines = self._procedures()
            names = tuple(f"{name}_" for name in self.marked())
            self._drop_procedures(one for one in routines if not one.startswith(names))
        return dropped

    def touch(self, name: str, mark: Mark) -> None:
        """Note that a database is in use, so that it is not what was complete."""
        self.mark(name, replace(mark, used=time.time()))

    # -- locks -------------------------------------------------------------------------------------

    def try_hold(self, name: str) -> bool:
        """Hold a database for as long as this process lives, if nobody else does."""
        # The server gives a lock to the connection that has it once more.
        if name in self._held:
            return False
        held = bool(self.ask("SELECT GET_LOCK(%s, 0)", _lock(name))[0][0])
        if held:
            self._held.add(name)
        return held

    def release(self, name: str) -> None:
        """Let go of it."""
        self._held.discard(name)
        self.ask("SELECT RELEASE_LOCK(%s)", _lock(name))

    # -- means -------------------------------------------------------------------------------------

    def do(self, statement: str, *parameters: object) -> None:
        """Send a statement by the connection that holds the locks."""
        with self.admin.cursor() as cursor:
            cursor.execute(statement, parameters or None)

    def ask(self, question: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Send a question by it; its rows."""
        with self.admin.cursor() as cursor:
            cursor.execute(question, parameters or None)
            return list(cursor.fetchall())

    def _has_registry(self) -> bool:
        question = (
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = %s "
            "AND table_name = 'databases'"
        )
        return bool(self.ask(question, REGISTRY)[0][0])

    def _make_registry(self) -> None:
        try:
            self.do(f"CREATE DATABASE IF NOT EXISTS {REGISTRY}")
            self.do(
                f"CREATE TABLE IF NOT EXISTS {REGISTRY}.`databases` "
                "(name VARCHAR(64) PRIMARY KEY, mark TEXT NOT NULL) CHARACTER SET utf8mb4"
            )
        except driver().MySQLError as error:
            raise GreenroomError(
                Code.MAY_NOT_CREATE,
                f"greenroom may not create databases {self.place}: {error.args[-1]}.",
                "Give its user the right: GRANT ALL ON `greenroom\\_%`.* TO ...",
            ) from None


def driver() -> Any:
    """The driver of greenroom's own connections.

    :raises GreenroomError: if it isn't installed.
    """
    try:
        import pymysql
    except ImportError as error:
        raise GreenroomError(
            Code.EXTRA,
            f"the app is on MariaDB or MySQL, and greenroom's own connections need PyMySQL: {error}.",
            "pip install 'greenroom[mysql]'",
        ) from None
    return pymysql


def identifier(name: str) -> str:
    """A name as SQL has it."""
    return f"`{name.replace('`', '``')}`"


def _lock(name: str) -> str:
    """A lock's name: at most 64 characters, and no other program's."""
    return f"greenroom_{hashlib.sha256(name.encode()).hexdigest()[:40]}"
