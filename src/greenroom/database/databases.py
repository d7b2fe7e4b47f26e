"""The app's databases as one thing: start, picture, reset, close."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from sqlalchemy.pool import NullPool

from greenroom.config.settings import Settings
from greenroom.database import held
from greenroom.database.engines import Engines, copy_listeners, listeners
from greenroom.database.folder import PrivateFolder, make
from greenroom.database.identity import SQLITE
from greenroom.database.layers import LayerError
from greenroom.database.mysql.database import MysqlDatabase
from greenroom.database.mysql.words import DRIVERS as MYSQL_DRIVERS
from greenroom.database.postgresql.database import PostgresDatabase
from greenroom.database.postgresql.words import DRIVERS as POSTGRESQL_DRIVERS
from greenroom.database.private import PrivateDatabase, Reset
from greenroom.database.raw.connections import RawConnections
from greenroom.database.schema import Schema
from greenroom.database.servers import MYSQL, POSTGRESQL, Servers
from greenroom.database.session import make_async_session, make_session
from greenroom.database.sqlite import SqliteDatabase
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.exchange import SentStatement
from greenroom.facts.isolation import Isolation
from greenroom.facts.run import RunIdentity
from greenroom.facts.summary import DatabaseSummary

if TYPE_CHECKING:
    from sqlalchemy.engine import URL, Engine
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session


class Databases:
    """Everything that one process's run does to the app's databases.

    :param settings: the options.
    :param identity: the run and the process.
    :param is_test_file: tells the files of the test suite from those of the app.
    :param before_a_stranger_connects: called before an engine that isn't the app's connects to a file.
    """

    def __init__(
        self,
        settings: Settings,
        identity: RunIdentity,
        is_test_file: Callable[[Path], bool],
        before_a_stranger_connects: Callable[[], None],
    ) -> None:
        directory = settings.directory.value
        self._directory = str(identity.project / directory) if directory is not None else None
        self._folder: PrivateFolder | None = None
        self._identity = identity
        self._rebuild = settings.rebuild.value
        self._servers = Servers(settings.database, identity, self._directory)
        # Whether the migrations make the tables of several databases.
        self._joint = False
        # What is made ready by the code that runs: its own connections don't wait for it.
        self._building: ContextVar[frozenset[PrivateDatabase]] = ContextVar(
            "greenroom_building", default=frozenset()
        )
        # Requests at once may be the first to connect, in threads of their own.
        self._first_connect = threading.RLock()
        self._built: dict[PrivateDatabase, bool] = {}
        self._faces: dict[PrivateDatabase, Engine] = {}
        self._undo = contextlib.ExitStack()
        #: Gives the engine that the app's framework says is the main one; None if it doesn't.
        self.main_engine: Callable[[], object | None] = lambda: None
        self._layers: dict[object, str] = {}
        self._moved = False
        self._unmade = ""
        self._app_is_loaded = False
        self._ready = False
        self.schema = Schema(settings.schema, identity.project)
        self._engines = Engines(self._open, is_test_file, identity.project)
        self._engines.before_connect = self._before_connect
        self._raw = RawConnections(self._engines)
        # The engines that were there before an app of the project's own fixture.
        self._before: dict[object, WeakSet[Engine]] = {}
        self._engines.before_a_stranger_connects = before_a_stranger_connects

    @property
    def saw(self) -> Callable[[SentStatement], None]:
        """What is called with each statement that one of the app's engines has sent."""
        return self._engines.saw

    @saw.setter
    def saw(self, saw: Callable[[SentStatement], None]) -> None:
        self._engines.saw = saw

    def watch(self) -> None:
        """See, and point away, every engine from now on."""
        self.schema.watch()
        self._undo.callback(held.watch())
        self._engines.watch()
        self._raw.watch()

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
        databases = self._engines.databases
        # The main one first: its migrations may make the others' tables as well.
        for database in sorted(databases, key=lambda one: one is not self._main):
            self._build_once(database)

    @property
    def has_engine(self) -> bool:
        """Whether the app has made one yet."""
        return any(True for _ in self._engines.engines())

    @property
    def need_a_server(self) -> bool:
        """Whether one of them isn't there before a server is asked."""
        return any(not database.is_open for database in self._engines.databases)

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

    def rewind(self) -> bool:
        """Go back to the state before the app's start-up. Raises GreenroomError.

        :returns: whether a database was made anew for it: then the baseline is another one as well.
        """
        return bool(self._each(lambda database: database.rewind()) & {Reset.REMADE, Reset.EMPTIED})

    def reset(self) -> frozenset[Reset]:
        """Restore the baseline of each database that was written to.

        :returns: what was found: a transaction that had been left open, and was ended; tables that
            had been changed, after which the app may have to start again.
        :raises GreenroomError: if one can't be restored.
        """
        found = self._each(lambda database: database.reset())
        for database in self._engines.databases:
            if database.on_a_server and self._engines.has_lost(database):
                self._engines.drop_pools(database)
        return found

    def writes(self) -> list[object | None]:
        """A value for each database that differs if anybody has written to it meanwhile."""
        if self._engines.stages.is_on:
            return [self._engines.stages.version(one) for one in self._engines.databases]
        return [database.writes() for database in self._engines.databases]

    def push_layer(self, fixture: object, name: str, before: list[object | None]) -> None:
        """Let what a fixture has committed be there for the tests to come, until `pop_layer`.

        :param before: what `writes` gave before the fixture was set up.
        :raises GreenroomError: if the database can't be looked at.
        """
        for database, was in zip(self._engines.databases, before, strict=False):
            now = database.writes()
            moved = now is None or now != was
            if database.no_reset is None and moved and database.layers.push(fixture):
                self._layers[fixture] = name

    def pop_layer(self, fixture: object) -> None:
        """Let what a fixture has committed be gone from the next reset on."""
        if self._layers.pop(fixture, None) is None:
            return
        self._moved = True
        for database in self._engines.databases:
            try:
                database.layers.pop(fixture)
            except LayerError as error:
                self._unmade = f"{' and '.join(self.layers)} can't go on without the fixture that ended: {error}."

    def settle(self) -> None:
        """Go back to the newest picture if another one has ended since.

        :raises GreenroomError: if a fixture's rows had to be given up.
        """
        if self._moved:
            self._moved = False
            self.reset()
        if not self._layers:
            self._unmade = ""
        if self._unmade:
            raise GreenroomError(
                Code.LAYER,
                self._unmade,
                "Let the fixture of the lower scope begin later: request the other one before it, or "
                'give the test that needs it a database of its own: @pytest.mark.isolation("clone").',
            )

    def checked_out(self) -> int:
        """How many connections the app's pools have given out, where they count."""
        return self._engines.checked_out()

    def hints(self, but: object) -> list[str]:
        """What is likely to be wrong with a test that failed, a line each.

        :param but: the test's own `db_session`.
        """
        known = {engine for engine, _ in self._engines.engines()}
        lines = held.uncommitted(lambda engine: engine in known, but)
        lines += [
            f"a connection to {key} was opened at {line}, which is none of greenroom's databases"
            for key, line in self._engines.outside.items()
        ]
        return lines

    @property
    def layers(self) -> list[str]:
        """The fixtures whose rows are there for every test, by their names."""
        return list(self._layers.values())

    @property
    def no_reset(self) -> str | None:
        """What `reset` would need and can't have; None if every database can be reset."""
        lacks = [database.no_reset for database in self._engines.databases]
        return next((lack for lack in lacks if lack is not None), None)

    def share(self) -> None:
        """Let the coming test work on connections whose transactions are rolled back after it.

        :raises GreenroomError: if the app holds a connection that can't be one of those.
        """
        self._raw.refuse(Isolation.ROLLBACK.value)
        self._engines.stages.enter()

    @contextlib.contextmanager
    def unshared(self) -> Iterator[None]:
        """Let the app start or stop with real commits, also within a test that is rolled back."""
        was_on = self._engines.stages.is_on
        self._engines.stages.leave()
        try:
            yield
        finally:
            if was_on:
                self._engines.stages.enter()

    def end_sharing(self) -> tuple[GreenroomError | None, bool]:
        """Roll back what the test has done.

        :returns: what couldn't be told truthfully in it, and whether it left a transaction open.
        """
        problem = self._engines.stages.end()
        return problem, self._engines.stages.left_open

    def clone(self) -> None:
        """Give the coming test databases of its own. Raises GreenroomError."""
        self._raw.refuse(Isolation.CLONE.value)
        self._engines.stages.close()
        for database in self._engines.databases:
            self._engines.drop_pools(database)
            database.clone()
            self._engines.lead(database)

    def end_clone(self, *, keep: bool) -> list[str]:
        """Drop the test's own databases; the addresses of those that are kept."""
        kept = []
        for database in self._engines.databases:
            kept.append(database.end_clone(keep=keep))
            self._engines.drop_pools(database)
            self._engines.lead(database)
        return [address for address in kept if address is not None]

    def clone_addresses(self) -> list[str]:
        """Where the test's own databases are found after the run, if they are kept."""
        found = (database.clone_address() for database in self._engines.databases)
        return [address for address in found if address is not None]

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

    def app_begins(self, fixture: object) -> None:
        """A fixture is about to give an app of the project's own making."""
        self._before[fixture] = WeakSet(engine for engine, _ in self._engines.engines())

    def app_ended(self, fixture: object) -> None:
        """Close the pooled connections of the engines that were made since `app_begins`.

        Nobody has to have started such an app, and then nobody shuts it down: what its engines hold would
        be collected in some later test, and a driver that complains of it there fails that test.
        """
        before = self._before.pop(fixture, None)
        if before is not None:
            self._engines.close_idle(but=before)

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
                "It must have made one when its start-up is done: make it in the lifespan, import the "
                "module that makes it, or call what makes it at the top of conftest.py.",
            )
        # Of the engines on the main database, an async one is what the app's async code uses.
        main = self.main_engine()
        database = next((leads_to for engine, leads_to in engines if engine is main), engines[0][1])
        # The app may have made its first engine just now.
        self._before_connect(database)
        own = [engine for engine, leads_to in engines if leads_to is database]
        asynchronous = [engine for engine in own if engine.dialect.is_async]
        version = functools.partial(self._engines.stages.version, database)
        if not asynchronous:
            return make_session(own[0], version)
        if not blocking:
            return make_async_session(asynchronous[0], version)
        if self._engines.stages.is_on:
            raise GreenroomError(
                Code.SANDBOX,
                "the isolation rollback can't be truthful here: the db_session of a def test has a "
                "connection of its own beside the app's async engine, and neither would see what the "
                "other commits.",
                "Make the test async def, or let it have real commits: "
                '@pytest.mark.isolation("reset").',
            )
        return make_session(self._blocking_face(asynchronous[0], database), version)

    def summaries(self) -> tuple[DatabaseSummary, ...]:
        """What the header says of each database."""
        return tuple(DatabaseSummary(one.product, one.place) for one in self._engines.databases)

    def describe_schema(self) -> str:
        """Where the tables come from, for the header."""
        reused = any(self._built.values())
        return f"{self.schema.describe()}{' (template reused)' if reused else ''}"

    def close(self) -> None:
        """Stop watching, and remove every file. Calling it twice is harmless."""
        with contextlib.ExitStack() as closing:  # Each of them, whatever another one raises.
            if self._folder is not None:
                closing.callback(self._folder.close)
                self._folder = None
            closing.callback(self._servers.close)
            for database in self._engines.databases:
                closing.callback(database.close)
            closing.callback(self.schema.close)
            closing.callback(self._engines.close)
            closing.callback(self._raw.close)
            closing.callback(self._undo.close)
            closing.callback(self._engines.stages.close)

    def _open(self, url: URL, driver: str) -> PrivateDatabase | None:
        number = len(self._engines.databases) + 1
        if url.get_backend_name() == SQLITE:
            if self._folder is None:
                self._folder = make(self._directory)
            return SqliteDatabase(self._folder.path / f"{number}.db", self._folder.place)
        database: PrivateDatabase
        if url.get_backend_name() == POSTGRESQL and driver in POSTGRESQL_DRIVERS:
            find = functools.partial(self._servers.postgresql, url)
            database = PostgresDatabase(find, self._identity, number)
        elif url.get_backend_name() in MYSQL and driver in MYSQL_DRIVERS:
            find_mysql = functools.partial(self._servers.mysql, url)
            database = MysqlDatabase(find_mysql, self._identity)
        else:
            return None
        database.keeps_tables = not self.schema.makes_tables
        database.let_go = lambda: self._engines.drop_pools(database)
        return database

    def _each(self, go_back: Callable[[PrivateDatabase], Reset]) -> frozenset[Reset]:
        found = [(database, go_back(database)) for database in self._engines.databases]
        for database, reset in found:
            if reset in {Reset.MOVED, Reset.REMADE, Reset.EMPTIED}:
                self._engines.drop_pools(database)
                self._raw.drop(database)
        return frozenset(reset for _, reset in found)

    def _before_connect(self, database: PrivateDatabase) -> None:
        """Have a database that appeared in the start-up, or in the middle of a test, ready in time."""
        building = self._building.get()
        if database in building:
            return
        if building and self.schema.migrations is not None and self._main in building:
            self._reached_by_migrations(database)
            return
        with self._first_connect:
            if self._app_is_loaded:
                self._build_once(database)
            elif not database.is_open:
                database.open()
                self._engines.lead(database)
            if self._ready and not database.has_baseline:
                database.take_baseline()

    def _reached_by_migrations(self, database: PrivateDatabase) -> None:
        """An `env.py` that makes several databases' tables finds each of them empty.

        :raises GreenroomError: if the tables of one alone were to be kept for later runs, which would not run
            these migrations and leave the others empty.
        """
        if database in self._built:
            return
        if not self._joint:
            self._joint = True
            if self._main.on_a_server:
                raise GreenroomError(
                    Code.MIGRATION,
                    "the migrations make the tables of several databases.",
                    "Let env.py raise what connecting raises.",
                )
        database.open()
        self._engines.lead(database)

    @property
    def _main(self) -> PrivateDatabase:
        """The database that the app made its first engine on, or that its framework says is the main one."""
        main = self.main_engine()
        for engine, database in self._engines.engines():
            if engine is main:
                return database
        return self._engines.databases[0]

    def _build_once(self, database: PrivateDatabase) -> None:
        if database in self._built:
            return
        self._built[database] = False
        before = self._building.set(self._building.get() | {database})
        try:
            self._build(database)
        finally:
            self._building.reset(before)

    def _build(self, database: PrivateDatabase) -> None:
        # Of several databases, one that the app has given tables gets no others': which metadata
        # belongs to which is the app's knowledge.
        by_the_app = len(self._engines.databases) > 1 and not database.is_empty()
        was_open = database.is_open
        engine = next(own for own, leads_to in self._engines.engines() if leads_to is database)
        if not by_the_app:
            self.schema.refuse_other_databases(engine)
        if self.schema.makes_tables and not by_the_app:
            self._built[database] = self._with_tables(engine, database)
        elif was_open:
            # The app has connected when it was imported: what it has made is what it begins with.
            database.build(None, lambda: None, rebuild=False)
        else:
            database.open()
        if was_open and database.on_a_server:
            self._engines.drop_pools(database)
            self._raw.drop(database)
        self._engines.lead(database)
        database.take_origin()

    def _with_tables(self, engine: Engine, database: PrivateDatabase) -> bool:
        """Have greenroom make a database's tables; whether those of an earlier run were taken."""
        face = self._blocking_face(engine, database)
        migrates = self.schema.migrations is not None and database is self._main

        def make_tables() -> None:
            with self._engines.migrating(database):
                self.schema.build(face, database.place, migrates=migrates)

        fingerprint = self.schema.fingerprint(face, migrates=migrates)
        was_joint = self._joint
        try:
            taken = database.build(fingerprint, make_tables, rebuild=self._rebuild)
        except GreenroomError:
            if self._joint is was_joint or not database.on_a_server:
                raise
            # The migrations make several databases' tables: all of them now, and none for later runs.
            taken = database.build(None, make_tables, rebuild=self._rebuild)
        # What a listener sets is no part of the fingerprint: where a session looks for tables, say.
        listened = taken and not migrates and bool(listeners(engine, "connect"))
        if listened and not self.schema.is_found(face):
            database.empty()
            return database.build(None, make_tables, rebuild=self._rebuild)
        return taken

    def _blocking_face(self, engine: Engine, database: PrivateDatabase) -> Engine:
        """A sync engine like one of the app's: its options and its listeners, on a plain driver."""
        if database in self._faces:
            return self._faces[database]
        dialect: Any = engine.dialect
        url, connect = database.blocking(self._engines.told_to_the_driver(engine))
        inet = getattr(dialect, "_native_inet_types", None)
        # psycopg knows from them what the dialect was told of JSON and of addresses.
        adapters: dict[str, Any] = {}
        # There is no other way to ask.
        face = self._engines.create_own(
            url,
            creator=lambda: connect(**adapters),
            poolclass=NullPool,
            json_serializer=dialect._json_serializer,  # noqa: SLF001
            json_deserializer=dialect._json_deserializer,  # noqa: SLF001
            **({"native_inet_types": inet} if inet is not None else {}),
        )
        known = getattr(face.dialect, "_psycopg_adapters_map", None)
        if known is not None:
            adapters["context"] = known
        copy_listeners(engine, face)
        database.watch(face)
        self._faces[database] = face.execution_options(**engine.get_execution_options())
        return self._faces[database]
