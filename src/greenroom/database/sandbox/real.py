"""The one real connection, and the savepoint on it that everybody goes back to.

Only one transaction at a time has uncommitted writes, and nobody else sends anything meanwhile. So one
savepoint is enough, the *guard*: it stands where everything before it is committed, as far as the
test can tell. A commit moves it forward; a rollback goes back to it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from sqlalchemy.util import await_only, greenlet_spawn

from greenroom.database.sandbox.turns import LoopTurn, ThreadTurn, Turn

GUARD = "greenroom_guard"

_DEFERRABLE = """
SELECT DISTINCT quote_ident(n.nspname) || '.' || quote_ident(c.conname), c.condeferred
FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_namespace n ON n.oid = c.connamespace
WHERE c.condeferrable"""
_CLOCKS = """
SELECT DISTINCT a.attname FROM pg_catalog.pg_attrdef d
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
WHERE pg_catalog.pg_get_expr(d.adbin, d.adrelid) ~* '\\m(now\\(\\)|transaction_timestamp\\(\\)|CURRENT_(DATE|TIME|TIMESTAMP)|LOCALTIME|LOCALTIMESTAMP)'"""
_TIMES = """
SELECT DISTINCT a.attname FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.oid >= 16384 AND a.attnum > 0 AND a.atttypid IN (
  'timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype, 'time'::regtype, 'timetz'::regtype)"""
_ORDERED = """
SELECT viewname FROM pg_catalog.pg_views
WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND definition ~* 'ORDER BY'
UNION SELECT matviewname FROM pg_catalog.pg_matviews WHERE definition ~* 'ORDER BY'"""


class Real:
    """A real connection, in a transaction that is rolled back after the test.

    :param dialect: of an engine that leads here.
    :param connection: what the dialect connected; nobody else uses it.
    :param loop: the loop that an async driver's connection belongs to.
    """

    def __init__(self, dialect: Any, connection: Any, loop: Any) -> None:
        self.dialect = dialect
        self.backend = "mysql" if dialect.name in {"mysql", "mariadb"} else dialect.name
        self.connection = connection
        self.loop = loop
        self.turn: Turn = LoopTurn() if dialect.is_async else ThreadTurn()
        self.begun = False
        #: Whether the guard may have to be gone back to before anything else.
        self.uncertain = False
        #: What was set on the connection: each name with the statement that set it.
        self.settings: dict[str, str] = {}
        self._lasting: dict[str, str] = {}
        self._at_guard: dict[str, str] = {}
        self._deferrable: list[tuple[str, bool]] | None = None
        #: PostgreSQL: the columns whose default is the time, all that hold times, and the level.
        self.clocks: frozenset[str] = frozenset()
        self.times: frozenset[str] = frozenset()
        #: The views that order rows.
        self.ordered: frozenset[str] = frozenset()
        self.level = "read committed"
        #: Keeps what closes the connection with its loop.
        self.ending: Any = None
        #: Whether the driver begins no transaction by itself; and when it does: "always", or before
        #: "changes" of rows.
        self.autocommit, self.begins = _begins(dialect, connection)
        type(dialect).set_isolation_level(dialect, connection, "AUTOCOMMIT")

    def begin(self) -> None:
        """Open the transaction of the test."""
        if self.begun:
            return
        self._lasting = self._at_guard = dict(self.settings)
        self.send("BEGIN" if self.backend != "mysql" else "START TRANSACTION", f"SAVEPOINT {GUARD}")
        self.begun = True
        if self.backend == "postgresql" and self._deferrable is None:
            self.look()

    def look(self) -> None:
        """Find out what of the schema a sandbox has to know."""
        if self.backend == "postgresql":
            self._deferrable = [(name, late) for name, late in self.rows(_DEFERRABLE)]
            self.clocks = frozenset(name for (name,) in self.rows(_CLOCKS))
            # What a default makes of the time may be a number.
            self.times = self.clocks | frozenset(name for (name,) in self.rows(_TIMES))
            self.ordered = frozenset(name for (name,) in self.rows(_ORDERED))
            self.level = str(self.rows("SHOW transaction_isolation")[0][0])

    def end(self) -> None:
        """Roll the test's transaction back."""
        if not self.begun:
            return
        self.begun = self.uncertain = False
        if self.backend == "postgresql":
            self.settings = self._lasting
        self.send("ROLLBACK")

    def forward(self, *between: str) -> None:
        """Move the guard: everything up to now is committed."""
        self.send(f"RELEASE SAVEPOINT {GUARD}", *between, f"SAVEPOINT {GUARD}")
        self._at_guard = dict(self.settings)

    def back(self) -> None:
        """Go back to the guard."""
        self.uncertain = False
        self.send(f"ROLLBACK TO SAVEPOINT {GUARD}")
        if self.backend == "postgresql":
            self.settings = dict(self._at_guard)

    def check_deferred(self) -> None:
        """What a commit would check now. Raises the driver's own error."""
        if not self._deferrable:
            return
        cursor = self.connection.cursor()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        late = ", ".join(name for name, deferred in self._deferrable if deferred)
        if late:
            cursor.execute(f"SET CONSTRAINTS {late} DEFERRED")
        cursor.close()

    def note(self, name: str, text: str | None) -> None:
        """Remember what set a setting; None if it was set back."""
        self.settings.pop(name, None)
        if text is not None:
            self.settings[name] = text

    def is_inside(self) -> bool:
        """Whether the connection is still in the test's transaction."""
        driver = self.dialect.get_driver_connection(self.connection)
        if self.backend == "sqlite":
            return bool(driver.in_transaction)
        if self.backend == "mysql":
            status = getattr(driver, "server_status", None)
            return bool(driver.get_transaction_status() if status is None else status & 1)
        if self.dialect.driver == "asyncpg":
            return bool(driver.is_in_transaction() and not driver.is_closed())
        return bool(driver.info.transaction_status in {1, 2, 3} and not driver.closed)

    def is_alive(self) -> bool:
        """Whether the connection is there at all."""
        try:
            return not self.begun or self.is_inside()
        except Exception:  # noqa: BLE001 - whatever a driver says of one that is no more
            return False

    def is_aborted(self) -> bool:
        """Whether PostgreSQL refuses everything until a rollback."""
        try:
            self.rows("SELECT 1")
        except Exception:  # noqa: BLE001 - whatever the driver calls it
            return True
        return False

    def rows(self, statement: str) -> list[Any]:
        """The result of one of the sandbox's own statements."""
        cursor = self.connection.cursor()
        try:
            cursor.execute(statement)
            return list(cursor.fetchall())
        finally:
            cursor.close()

    def send(self, *statements: str) -> None:
        """The sandbox's own statements; on PostgreSQL in one round trip."""
        if self.dialect.driver == "asyncpg":
            await_only(self.connection._connection.execute("; ".join(statements)))  # noqa: SLF001
            return
        cursor = self.connection.cursor()
        try:
            for statement in (
                ["; ".join(statements)] if self.backend == "postgresql" else statements
            ):
                cursor.execute(statement)
        finally:
            cursor.close()

    def from_outside(self, call: Callable[[], Any]) -> None:
        """Call between two tests, where nothing runs."""
        if self.loop is None:
            call()
        elif not self.loop.is_closed() and not self.loop.is_running():
            self.loop.run_until_complete(greenlet_spawn(call))

    def close(self) -> None:
        """End the transaction, and the connection. Raises nothing: nobody needs it any more."""
        with contextlib.suppress(Exception):
            self.end()
        with contextlib.suppress(Exception):
            self.connection.close()


def _begins(dialect: Any, connection: Any) -> tuple[bool, str]:
    autocommit = dialect._on_connect_isolation_level == "AUTOCOMMIT"  # noqa: SLF001 - create_engine's
    if dialect.name != "sqlite":
        return autocommit, "always"
    driver = dialect.get_driver_connection(connection)
    mode = getattr(driver, "autocommit", -1)  # Since Python 3.12.
    autocommit = autocommit or mode is True or driver.isolation_level is None
    return autocommit, "always" if mode is False else "changes"
