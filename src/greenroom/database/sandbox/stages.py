"""The isolation `rollback` for all of the app's databases."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from greenroom.database.private import PrivateDatabase
from greenroom.database.sandbox.logical import LogicalConnection
from greenroom.database.sandbox.stage import Stage
from greenroom.facts.errors import GreenroomError

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine


class Stages:
    """Leads engines to shared connections while a test runs, and back after it.

    :param engines: the app's engines, with the databases that they lead to.
    """

    def __init__(self, engines: Callable[[], Iterable[tuple[Engine, PrivateDatabase]]]) -> None:
        self._engines = engines
        self._stages: dict[PrivateDatabase, Stage] = {}
        #: Whether the last test left a transaction open that had written.
        self.left_open = False
        #: Whether engines are led to shared connections now.
        self.is_on = False

    def enter(self) -> None:
        """Lead every engine to its database's shared connection."""
        self.is_on = True
        for engine, database in self._engines():
            self.take_in(engine, database)

    def take_in(self, engine: Engine, database: PrivateDatabase) -> None:
        """Lead one more engine there, if a test is being rolled back."""
        if self.is_on:
            if database not in self._stages:
                self._stages[database] = Stage(lambda: database.place)
            database.is_shared = True
            self._stages[database].enter(engine)

    def leave(self) -> None:
        """Lead every engine back; what the test has done stays until `end`."""
        self.is_on = False
        for engine, database in self._engines():
            if database in self._stages:
                database.is_shared = False
                self._stages[database].leave(engine)

    def end(self) -> GreenroomError | None:
        """Undo what the test has done; the first thing in it that couldn't be told truthfully."""
        self.leave()
        problems = [stage.end() for stage in self._stages.values()]
        self.left_open = any(stage.sandbox.left_open for stage in self._stages.values())
        return next((problem for problem in problems if problem is not None), None)

    def check(self, connection: Any, database: PrivateDatabase) -> None:
        """Refuse a statement on a connection that was opened before the test.

        :raises GreenroomError: if it is one.
        """
        stage = self._stages.get(database) if self.is_on else None
        if stage is None:
            return
        held = connection.connection.dbapi_connection
        if not isinstance(held, LogicalConnection):
            raise stage.sandbox.refuse(
                "a connection that was opened before the test is used in it, and sees nothing of "
                "what the test does."
            )

    def version(self, database: PrivateDatabase) -> object | None:
        """A value that changes whenever somebody commits."""
        if self.is_on and database in self._stages:
            return ("shared", self._stages[database].sandbox.commits)
        return database.version()

    def close(self) -> None:
        """Close every shared connection."""
        self.leave()
        for stage in self._stages.values():
            stage.close()
        self._stages.clear()
