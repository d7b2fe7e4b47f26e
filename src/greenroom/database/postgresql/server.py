"""One PostgreSQL server, and the databases that greenroom has made on it.

Each of them carries a mark: a comment on the database, in JSON. greenroom changes, resets and drops
marked databases only. Who uses one holds an advisory lock under its name for as long as the process
lives, so that one that was left behind can be told from one in use.
"""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from greenroom.database import disk
from greenroom.database.mark import ADOPTED, FRESH_ENOUGH, LONGEST_REST, Mark
from greenroom.database.postgresql import words
from greenroom.facts.errors import Code, GreenroomError

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy.engine import URL

#: The versions since which PostgreSQL knows a word.
_COPIES_FILES = 150000
_DROPS_BY_FORCE = 130000
#: What the databases that greenroom makes are called.
_NAMES = r"^greenroom_(template_[0-9a-f]{12}|(test|clone)_[A-Za-z0-9]*_[0-9]+)_[0-9a-f]{6,8}$"
#: Whether somebody holds a lock under a number in any database. PostgreSQL shows its halves.
_HELD_ELSEWHERE = """
SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted
AND pid <> pg_backend_pid() AND (classid::bigint << 32 | objid::bigint) = %s)"""
#: How long, in seconds, a server may take to answer.
PATIENCE = 5


class Server:
    """A server that answers.

    :param url: how to reach it: the door's database, and the user whose rights are used.
    :param place: where it is, for the header and for messages.
    """

    def __init__(self, url: URL, place: str) -> None:
        self.url = url
        self.place = place
        #: Called when there is something that is to be there after the run.
        self.when_built: Callable[[], None] = lambda: None
        #: Whether it is a run's own, and ends with it.
        self.is_embedded = False
        self._held: set[str] = set()
        self._admin: psycopg.Connection[Any] | None = None

    # -- connections -------------------------------------------------------------------------------

    def connect(self, database: str) -> psycopg.Connection[Any]:
        """A connection of greenroom's own, in autocommit mode.

        :raises psycopg.OperationalError: if the server refuses.
        """
        connection: psycopg.Connection[Any] = driver().connect(
            **self.arguments(database), options="", autocommit=True, application_name="greenroom"
        )
        return connection

    def arguments(self, database: str) -> dict[str, Any]:
        """The words of a connection in libpq's terms."""
        named = {
            "host": self.url.host,
            "port": self.url.port,
            "user": self.url.username,
            "password": str(self.url.password) if self.url.password is not None else None,
            "dbname": database,
            "connect_timeout": PATIENCE,
            # Said, so that no variable of the environment leads somewhere else.
            "hostaddr": "",
            "target_session_attrs": "any",
            "requirepeer": "",
        }
        said = {word: value for word, value in named.items() if value is not None}
        return {**said, **words.of_libpq(self.url.query)}

    @property
    def admin(self) -> psycopg.Connection[Any]:
        """The connection that holds the locks; lost locks are taken again by who needs them.

        All of a server's users connect to the same database for it where they may, since advisory
        locks are a database's own.
        """
        psycopg = driver()
        if self._admin is None or self._admin.closed:
            door = self.url.database or self.url.username or "postgres"
            try:
                self._admin = self.connect("postgres")
            except psycopg.Error as first:
                if door == "postgres":
                    raise self._unreachable(first) from None
                try:
                    self._admin = self.connect(door)
                except psycopg.Error as error:
                    raise self._unreachable(error) from None
        return self._admin

    @cached_property
    def version(self) -> str:
        """The server's version, as it names it: 18.4."""
        number = self.admin.info.server_version
        return f"{number // 10000}.{number % 10000}"

    def fingerprint(self, of_the_schema: str) -> str:
        """Of a schema on this server: another version, or other extensions, may make other tables."""
        extensions = self._one(
            "SELECT string_agg(name || ' ' || default_version, ',' ORDER BY name) "
            "FROM pg_available_extensions"
        )
        found = f"{of_the_schema} {self.version} {extensions}"
        return hashlib.sha256(found.encode()).hexdigest()

    @cached_property
    def may_create(self) -> bool:
        """Whether its user may create databases."""
        question = "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        return bool(self._one(question))

    def close(self) -> None:
        """Close the connection, and with it give up every lock."""
        if self._admin is not None:
            self._admin.close()
            self._admin = None

    def leave(self) -> None:
        """Close it at a run's end: what a worker that died meanwhile has left needn't wait for the next run."""
        if not self.is_embedded:
            with contextlib.suppress(driver().Error, GreenroomError):
                self.sweep()
        self.close()

    # -- databases ---------------------------------------------------------------------------------

    def create(
        self, name: str, mark: Mark, template: str | None = None, owner: str | None = None
    ) -> None:
        """Create a marked database, and hold it.

        :raises GreenroomError: if the server refuses, with what it said.
        """
        psycopg = driver()
        self.hold(name)
        # Copying files needs no write-ahead log: on a memory disk it is several times faster.
        how = f' OWNER "{escaped(owner)}"' if owner else ""
        how += f' TEMPLATE "{template}"' if template else ""
        if template and self.admin.info.server_version >= _COPIES_FILES:
            how += " STRATEGY file_copy"
        try:
            self._do(f'CREATE DATABASE "{name}"{how}')
            self.mark(name, mark)
        except psycopg.Error as error:
            said = str(error).strip().splitlines()[0]
            if disk.is_full(error):
                raise GreenroomError(
                    Code.DISK_FULL,
                    f"the test database can't be created {self.place}: {said}.",
                    "Free some space there; `greenroom db clean` drops what isn't used.",
                ) from None
            raise GreenroomError(
                Code.SERVER,
                f"the test database can't be created {self.place}: {said}.",
                "Look at the server's log, or name another one: [tool.greenroom] database.",
            ) from None

    def mark(self, name: str, mark: Mark) -> None:
        """Write the mark on a database."""
        self._do(marking(name, mark))

    def marked(self) -> dict[str, Mark]:
        """The databases that greenroom has marked and whose owner this user is, or may be."""
        return self._marks("pg_has_role(datdba, 'USAGE')")

    def adopted(self) -> dict[str, Mark]:
        """The databases with a mark that this user may use, whoever owns them.

        The one that the URL names, and those in which he may do more than everybody.
        """
        named = (self.url.database or "").replace("'", "''")
        found = self._marks(
            "datallowconn AND has_database_privilege(oid, 'CONNECT') "
            f"AND (datname = '{named}' OR has_database_privilege(oid, 'CREATE'))"
        )
        return {name: mark for name, mark in found.items() if mark.kind == ADOPTED}

    def _marks(self, condition: str) -> dict[str, Mark]:
        """The marks of the databases of which a condition holds."""
        rows = self._run(
            "SELECT datname, shobj_description(oid, 'pg_database') FROM pg_database "
            f"WHERE {condition} ORDER BY datname"
        ).fetchall()
        found = ((str(name), Mark.read(comment)) for name, comment in rows)
        return {name: mark for name, mark in found if mark is not None}

    def drop(self, name: str, *, force: bool = False) -> bool:
        """Drop a database of greenroom's; whether it is gone.

        :param force: whether its connections are ended for it.
        """
        psycopg = driver()
        if name not in self.marked() and name not in self._unmarked():
            return False
        how = " WITH (FORCE)" if force and self.admin.info.server_version >= _DROPS_BY_FORCE else ""
        refusals = (psycopg.errors.ObjectInUse, psycopg.errors.InsufficientPrivilege)
        with contextlib.suppress(*refusals):
            self._do(f'DROP DATABASE IF EXISTS "{escaped(name)}"{how}')
            return True
        return False

    def disconnect(self, name: str) -> None:
        """End every connection to a database of greenroom's, and wait until they are gone."""
        # Two steps: in one, PostgreSQL may end connections before it looks whose they are.
        found = self._run(
            "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'",
            name,
        )
        for (pid,) in found.fetchall():
            with contextlib.suppress(driver().errors.InsufficientPrivilege):
                self._run("SELECT pg_terminate_backend(%s)", pid)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            if not self._one(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = %s "
                "AND backend_type = 'client backend'",
                name,
            ):
                return
            time.sleep(0.005)

    def sweep(self) -> list[str]:
        """Drop what dead runs have left, and templates that nobody has used for long."""
        dropped = []
        for name, mark in self._left():
            if self.try_hold(name):
                # Read again: it may have been completed, or dropped, before it was held.
                if (name, mark) in self._left() and self.drop(name):
                    dropped.append(name)
                self.release(name)
        return dropped

    def _left(self) -> list[tuple[str, Mark | None]]:
        """What is to be dropped if nobody holds it, each with its mark."""
        found: list[tuple[str, Mark | None]] = []
        for name, mark in self.marked().items():
            dead = mark.kind in {"test", "clone"}
            old = mark.kind in {"template", "kept"} and time.time() - mark.used > LONGEST_REST
            half = mark.kind == "template" and not mark.complete
            if dead or old or half:
                found.append((name, mark))
        return [*found, *((name, None) for name in self._unmarked())]

    def _unmarked(self) -> list[str]:
        """Databases of this user's that a run was killed over, between making and marking them.

        Nothing else tells that they are greenroom's but their names, which end in random digits: who makes one
        holds it first.
        """
        rows = self._run(
            "SELECT datname FROM pg_database WHERE datname ~ %s AND pg_has_role(datdba, 'USAGE') "
            "AND shobj_description(oid, 'pg_database') IS NULL ORDER BY datname",
            _NAMES,
        ).fetchall()
        return [str(name) for (name,) in rows]

    def touch(self, name: str, mark: Mark) -> None:
        """Note that a template is used today."""
        if time.time() - mark.used > FRESH_ENOUGH:
            self.mark(name, replace(mark, used=time.time()))

    # -- locks -------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Wait for the lock under a name, and hold it."""
        self._run("SELECT pg_advisory_lock(%s)", _key(name))
        try:
            yield
        finally:
            if not self.admin.closed:
                self.release(name)

    def hold(self, name: str) -> None:
        """Hold a database for as long as this process lives."""
        self._run("SELECT pg_advisory_lock(%s)", _key(name))
        self._held.add(name)

    def share(self, name: str) -> None:
        """Keep others from dropping a template for as long as this process lives."""
        self._run("SELECT pg_advisory_lock_shared(%s)", _key(name))

    def try_hold(self, name: str) -> bool:
        """Hold a database if nobody else does."""
        if not self._one("SELECT pg_try_advisory_lock(%s)", _key(name)):
            return False
        self._held.add(name)
        # A lock is its own database's, and not all users may connect to the same one for it.
        if self._one(_HELD_ELSEWHERE, _key(name)):
            self.release(name)
            return False
        return True

    def release(self, name: str) -> None:
        """Let go of it."""
        self._held.discard(name)
        self._run("SELECT pg_advisory_unlock(%s)", _key(name))

    # -- means -------------------------------------------------------------------------------------

    def _do(self, statement: str) -> None:
        self._run(statement)

    def _one(self, question: str, *parameters: object) -> Any:
        row = self._run(question, *parameters).fetchone()
        return row[0] if row else None

    def _run(self, statement: str, *parameters: object) -> psycopg.Cursor[Any]:
        """Send it; once more, with the locks taken again, if the connection was lost meanwhile."""
        try:
            return self.admin.execute(statement.encode(), parameters or None)
        except driver().OperationalError:
            if self._admin is None or not self._admin.closed:
                raise
        for name in self._held:
            self.admin.execute(b"SELECT pg_try_advisory_lock(%s)", [_key(name)])
        return self.admin.execute(statement.encode(), parameters or None)

    def _unreachable(self, error: Exception) -> GreenroomError:
        said = " ".join(str(error).split())
        return GreenroomError(
            Code.SERVER,
            f"the PostgreSQL server {self.place} doesn't let greenroom in: {said}.",
            "Correct [tool.greenroom] database or GREENROOM_DATABASE, or start that server.",
        )


def driver() -> Any:
    """The driver of greenroom's own connections.

    :raises GreenroomError: if it isn't installed.
    """
    try:
        import psycopg
    except ImportError as error:
        raise GreenroomError(
            Code.EXTRA,
            f"the app is on PostgreSQL, and greenroom's own connections need psycopg: {error}.",
            "pip install 'greenroom[postgres]', which also brings an embedded server.",
        ) from None
    return psycopg


def marking(name: str, mark: Mark) -> str:
    """The statement that writes a mark on a database."""
    text = mark.text().replace("'", "''")
    return f"COMMENT ON DATABASE \"{escaped(name)}\" IS '{text}'"


def escaped(name: str) -> str:
    """A name, as it stands between double quotes."""
    return name.replace('"', '""')


def _key(name: str) -> int:
    """An advisory lock's number for a name."""
    return int.from_bytes(hashlib.sha256(f"greenroom {name}".encode()).digest()[:8], signed=True)
