"""Greenroom's own connection to a private database: it goes back to pictures, and ends what is in the way."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any

from greenroom.database.postgresql import catalogue, picture
from greenroom.database.postgresql.picture import Picture
from greenroom.database.postgresql.server import Server, driver
from greenroom.facts.errors import Code, GreenroomError

if TYPE_CHECKING:
    import psycopg

#: How long, in seconds, a reset waits for a commit that is just under way.
PATIENCE = 0.25
#: How long, in milliseconds, greenroom's own statements wait for a lock.
LOCK_TIMEOUT = 2000
#: How often a transaction must be found idle to count as left open.
LOOKS = 4


class Control:
    """A connection that comes back when it was lost, with the functions of its pictures.

    :param server: the server.
    :param name: the database.
    :param pictures: the pictures by the names of their functions; whoever opens it fills them in.
    """

    def __init__(self, server: Server, name: str, pictures: dict[str, Picture]) -> None:
        self.name = name
        self._server = server
        self._pictures = pictures
        self._one_at_a_time = threading.RLock()
        self._privileged = True
        self._open: psycopg.Connection[Any] | None = None

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """With the right to skip triggers, if it can be had, and no patience with locks."""
        if self._open is None or self._open.closed:
            self._open = self._server.connect(self.name)
            self._open.execute(
                f"SET lock_timeout = {LOCK_TIMEOUT}; SET synchronous_commit = off".encode()
            )
            try:
                self._open.execute(b"SET session_replication_role = replica")
            except driver().errors.InsufficientPrivilege:
                self._privileged = False
            for function, state in self._pictures.items():
                # Rows that this connection hasn't seen aren't trusted.
                with contextlib.suppress(driver().ProgrammingError):  # Of tables that are no more.
                    self._install(function, state, trusted=False)
        return self._open

    def close(self) -> None:
        """Close it. It is opened again where it is used."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def reopen(self) -> None:
        """Go on after it was lost.

        :raises GreenroomError: if the server, or the database, is no more.
        """
        self.close()
        try:
            _ = self.connection
        except driver().Error as error:
            said = " ".join(str(error).split())
            raise GreenroomError(
                Code.SERVER,
                f"the PostgreSQL server {self._server.place} was lost in the middle of the run: "
                f"{said}.",
                "Look at the server's log; the tests after this one can't be trusted to be isolated.",
            ) from None

    # -- pictures ----------------------------------------------------------------------------------

    def take(self, function: str) -> None:
        """Make the state of now the one that a function goes back to."""
        # Whatever is committed later would look older than the picture.
        self.end_open()
        self._pictures[function] = picture.take(self.connection)
        self._install(function, self._pictures[function], trusted=True)

    def put(self, function: str, state: Picture) -> None:
        """Have a function that goes back to a picture which the database isn't like now."""
        self._pictures[function] = state
        _ = self.connection
        self._install(function, state, trusted=False)

    def call(self, function: str) -> str:
        """Go back to a picture; the function's answer."""
        errors = driver().errors
        try:
            return self.ask(f"SELECT pg_temp.{function}()")
        except (errors.UndefinedFunction, errors.InvalidSchemaName):
            # A lost connection was opened again, and the function doesn't fit the tables any more.
            return picture.CHANGED

    def ask(self, question: str) -> str:
        """The one text that a question is answered with.

        It goes by libpq's own blocking call, which costs a third of a cursor: it is asked for before
        and after each test.

        :raises psycopg.Error: what the server said.
        """
        with self._one_at_a_time:  # libpq's connection is no thing for two threads at once.
            return self._asked(question)

    def _asked(self, question: str) -> str:
        connection = self.connection
        answer = connection.pgconn.exec_(question.encode())
        if answer.status != driver().pq.ExecStatus.TUPLES_OK:
            if connection.pgconn.status != driver().pq.ConnStatus.OK:
                said = connection.pgconn.error_message.decode(errors="replace").strip()
                connection.close()
                raise driver().OperationalError(said)
            raise driver().errors.error_from_result(answer)
        value = answer.get_value(0, 0)
        return value.decode() if value is not None else ""

    def differs(self, function: str) -> bool:
        """Whether a definition isn't that of the picture any more."""
        before = self._pictures[function].catalogue.definitions
        try:
            return catalogue.definitions(self.connection) != before
        except (driver().OperationalError, driver().InterfaceError):
            self.reopen()
            return catalogue.definitions(self.connection) != before

    def _install(self, function: str, state: Picture, *, trusted: bool) -> None:
        assert self._open is not None
        picture.install(self._open, state, function, privileged=self._privileged, trusted=trusted)

    # -- what is in the way ------------------------------------------------------------------------

    def end_open(self) -> bool:
        """End the transactions that have written and aren't committed; whether there were any."""
        until = time.monotonic() + PATIENCE
        idle = 0
        while time.monotonic() < until and idle < LOOKS:
            states = [state for _, state in self._open_transactions()]
            if not states:
                return False
            # Between two statements of one that works on, it is idle for a moment.
            idle = 0 if "active" in states else idle + 1
            time.sleep(0.005)
        self._end("pid = ANY(%s)", [pid for pid, _ in self._open_transactions()])
        return True

    def end_all(self) -> None:
        """End every transaction, also those that only read."""
        self._end("xact_start IS NOT NULL")

    def _open_transactions(self) -> list[tuple[int, str]]:
        rows = self.connection.execute(picture.OPEN_TRANSACTIONS.encode())
        return [(int(pid), str(state)) for pid, state in rows]

    def _end(self, which: str, *parameters: object) -> None:
        """End some of this database's connections, and wait until they have gone."""
        connection = self.connection
        # Two steps: in one, PostgreSQL may end connections before it looks whose they are.
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            f"AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND {which}".encode(),
            parameters or None,
        )
        pids = [row[0] for row in found]
        for pid in pids:
            connection.execute(b"SELECT pg_terminate_backend(%s)", [pid])
        until = time.monotonic() + 20 * PATIENCE
        while time.monotonic() < until:
            left = connection.execute(
                b"SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", [pids]
            )
            if left.fetchone() == (0,):
                return
            time.sleep(0.002)
