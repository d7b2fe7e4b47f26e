"""The app's databases as one thing: start, picture, reset, close."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.pool import NullPool

from greenroom.database.engines import Engines, copy_listeners
from greenroom.database.folder import PrivateFolder, make
from greenroom.database.schema import Schema
from greenroom.database.session import make_async_session, make_session
from greenroom.database.sqlite import Reset, SqliteDatabase
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.setting import Setting
from greenroom.facts.summary import DatabaseSummary

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session


class Databases:
    """Everything that one process's run does to the app's databases.

    :param schema: the `schema` option.
    :param directory: where the private folder is made; None chooses.
    :param is_test_file: tells the files of the test suite from those of the app.
    :param before_a_stranger_connects: called before an engine that isn't the app's connects to a file.
    """

    def __init__(
        self,
        schema: Setting[str],
        directory: str | None,
        is_test_file: Callable[[Path], bool],
        before_a_stranger_connects: Callable[[], None],
    ) -> None:
        self._directory = directory
        self._folder: PrivateFolder | None = None
        self._built: set[SqliteDatabase] = set()
        self._faces: dict[SqliteDatabase, Engine] = {}
        self._app_is_loaded = False
        self._ready = False
        self.schema = Schema(schema)
        self._engines = Engines(self._open, is_test_file)
        self._engines.before_connect = self._before_connect
        self._engines.before_a_stranger_connects = before_a_stranger_connects

    def watch(self) -> None:
        """See, and point away, every engine from now on."""
        self.schema.watch()
        self._engines.watch()

    def check(self) -> None:
        """Refuse an app whose databases can't be isolated, or whose tables can't be known.

        :raises GreenroomError: with what it is.
        """
        self._engines.check()
        self.schema.metadatas()

    def build(self) -> None:
        """Make the tables in each database that the app has; in later ones when they appear."""
        self._app_is_loaded = True
        self._engines.adopt_strays()
        for database in self._engines.databases:
            self._build_once(database)

    def take_baseline(self) -> None:
        """Make the state of now the baseline: what every test starts from.

        :raises GreenroomError: if there is a database and not a table in any.
        """
        self.check()
        databases = self._engines.databases
        for database in databases:
            self._build_once(database)
        empty = all(database.is_empty() for database in databases)
        if databases and empty and self.schema.makes_tables:
            raise self.schema.no_tables()
        for database in databases:
            database.take_baseline()
        self._ready = True
        self._engines.leave_new_memory_alone = True

    def rewind(self) -> None:
        """Go back to the state before the app's start-up. Raises GreenroomError."""
        self._each(SqliteDatabase.rewind)

    def reset(self) -> bool:
        """Restore the baseline of each database that was written to.

        :returns: whether a transaction had been left open; it was ended.
        :raises GreenroomError: if one can't be restored.
        """
        return self._each(SqliteDatabase.reset)

    def roll_back(self) -> bool:
        """End what was left open, without going back to the baseline: no test comes any more.

        :returns: whether a transaction had been left open.
        """
        found = [database.roll_back() for database in self._engines.databases]
        return any(found)

    async def let_go(self) -> None:
        """Close the pooled connections of the running loop: the app has shut down on it.

        An app that makes its engine in its start-up may never dispose of it: in production the
        process ends there. Its engines stay usable; they connect again when they are asked to.
        """
        from sqlalchemy.util import greenlet_spawn

        await greenlet_spawn(self._engines.dispose)

    def session(self, *, blocking: bool) -> AsyncSession | Session:
        """A session for arranging and asserting, after the app's own first engine.

        :param blocking: whether the test is a `def`, which can't await: it gets a `Session` even
            where the app's engine is async, on another connection to the same database.
        :raises GreenroomError: if the app has no engine.
        """
        engines = list(self._engines.engines())
        if not engines:
            raise GreenroomError(
                Code.NO_ENGINE,
                "db_session was requested, but the app has made no SQLAlchemy engine.",
                "It must have made one when its start-up is done: import the module that makes it, "
                "or make it in the lifespan.",
            )
        # The app's main database is the one that it made an engine on first; of the engines on it,
        # an async one is what its async code uses.
        database = engines[0][1]
        own = [engine for engine, leads_to in engines if leads_to is database]
        asynchronous = [engine for engine in own if engine.dialect.is_async]
        if not asynchronous:
            return make_session(own[0], database.version)
        if not blocking:
            return make_async_session(asynchronous[0], database.version)
        return make_session(self._blocking_face(asynchronous[0], database), database.version)

    def summaries(self) -> tuple[DatabaseSummary, ...]:
        """What the header says of each database."""
        place = self._folder.place if self._folder is not None else ""
        return tuple(DatabaseSummary(one.product, place) for one in self._engines.databases)

    def close(self) -> None:
        """Stop watching, and remove every file. Calling it twice is harmless."""
        self._engines.close()
        self.schema.close()
        for database in self._engines.databases:
            database.close()
        if self._folder is not None:
            self._folder.close()
            self._folder = None

    def _open(self) -> SqliteDatabase:
        if self._folder is None:
            self._folder = make(self._directory)
        return SqliteDatabase(self._folder.path / f"{len(self._engines.databases) + 1}.db")

    def _each(self, go_back: Callable[[SqliteDatabase], Reset]) -> bool:
        found = [(database, go_back(database)) for database in self._engines.databases]
        for database, reset in found:
            if reset is Reset.MOVED:
                self._engines.drop_pools(database)
        return any(reset is not Reset.CLEAN for _, reset in found)

    def _before_connect(self, database: SqliteDatabase) -> None:
        """Have a database that appeared in the start-up, or in the middle of a test, ready in time."""
        if self._app_is_loaded:
            self._build_once(database)
        if self._ready and not database.has_baseline:
            database.take_baseline()

    def _build_once(self, database: SqliteDatabase) -> None:
        if database in self._built:
            return
        self._built.add(database)
        # Of several databases, one that the app has given tables gets no others': which metadata
        # belongs to which is the app's knowledge.
        by_the_app = len(self._engines.databases) > 1 and not database.is_empty()
        if self.schema.makes_tables and not by_the_app:
            engine = next(own for own, leads_to in self._engines.engines() if leads_to is database)
            self.schema.build(self._blocking_face(engine, database), database.path)
        database.take_origin()

    def _blocking_face(self, engine: Engine, database: SqliteDatabase) -> Engine:
        """A sync engine like one of the app's: its options and its listeners, on a plain driver."""
        if database in self._faces:
            return self._faces[database]
        dialect: Any = engine.dialect
        face = self._engines.create_own(
            "sqlite://",
            creator=lambda: sqlite3.connect(
                database.path, check_same_thread=False, factory=database.connection_class
            ),
            poolclass=NullPool,
            json_serializer=dialect._json_serializer,  # noqa: SLF001 - there is no other way to ask
            json_deserializer=dialect._json_deserializer,  # noqa: SLF001
        )
        copy_listeners(engine, face)
        self._faces[database] = face.execution_options(**engine.get_execution_options())
        return self._faces[database]
