"""Find every engine, and point the app's at private databases.

`Dialect.engine_created` is called for every engine that `create_engine` makes, so an engine is seen
the moment it exists, before anything can connect by it: at import, in a factory, in a lifespan, in a
task. Engines that are older than the watch are looked for once, among the live objects.

Where an engine leads is decided in its dialect's `connect`, the last step before the driver: whatever
the app does to the arguments on the way (connect_args, `do_connect` listeners), this has the last word.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Container, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import SingletonThreadPool, StaticPool

from greenroom.database.identity import (
    SQLITE,
    is_anonymous,
    is_replica,
    key_of,
    role_key,
    sqlite_key,
)
from greenroom.database.live_objects import live_objects
from greenroom.database.pools import PoolPerLoop, has_lost, pool_like
from greenroom.database.private import PrivateDatabase
from greenroom.database.sandbox.stage import ARGUMENTS
from greenroom.database.sandbox.stages import Stages
from greenroom.database.sqlite import spare_idle_turns
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.exchange import SentStatement

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_MARK = "_greenroom_knows"


class _AskedError(Exception):
    """Ends a connection before the driver is called: what it would have been told is known now."""

    def __init__(self, keywords: dict[str, Any]) -> None:
        self.keywords = keywords


class Engines:
    """The watch over the process's engines: which are the app's, and where they lead.

    :param open_database: makes a private database for a URL; called once for each of the app's;
        None if that kind of database isn't supported.
    :param is_test_file: tells the files of the test suite from those of the app.
    :param project: the project's folder.
    """

    def __init__(
        self,
        open_database: Callable[[URL, str], PrivateDatabase | None],
        is_test_file: Callable[[Path], bool],
        project: Path,
    ) -> None:
        self._open_database = open_database
        self._project = Path(os.path.realpath(project))
        self._is_test_file = is_test_file
        self._databases: dict[str, PrivateDatabase] = {}
        self._engines: list[weakref.ref[Engine]] = []
        self._first: dict[str, Engine] = {}
        self._older: list[weakref.ref[Engine]] = []
        self._stand_ins: dict[tuple[str, str], Engine] = {}
        self._strays: weakref.WeakKeyDictionary[Engine, str] = weakref.WeakKeyDictionary()
        self._pointed: weakref.WeakKeyDictionary[Dialect, PrivateDatabase] = (
            weakref.WeakKeyDictionary()
        )
        # What SQLAlchemy had made to connect each engine, before it was pointed elsewhere.
        self._creators: weakref.WeakKeyDictionary[Engine, Callable[..., Any]] = (
            weakref.WeakKeyDictionary()
        )
        self._unsupported: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        # The key of the first database by what it's called without a replica's words.
        self._roles: dict[str, str] = {}
        self._replicas: set[str] = set()
        self._migrating: str | None = None
        self._original: Any = None
        # Of each thread: while one makes an engine of greenroom's, another may make one of the app's.
        self._own = threading.local()
        self._over = False
        self._numbers = itertools.count()
        # An app may make its engines in threads, several at once.
        self._one_at_a_time = threading.RLock()
        #: The shared connections of the isolation `rollback`.
        self.stages = Stages(self.engines)
        #: Whether a database in memory, or in a temporary file, that appears from now on is somebody's
        #: scratch paper.
        self.leave_new_memory_alone = False
        #: The connections that led elsewhere: what they led to, and the line that asked.
        self.outside: dict[str, str] = {}
        #: Called with each statement that an engine has sent.
        self.saw: Callable[[SentStatement], None] = lambda statement: None
        #: Called before an engine that isn't the app's connects to a file.
        self.before_a_stranger_connects: Callable[[], None] = lambda: None
        #: Called with a database before anything connects to it.
        self.before_connect: Callable[[PrivateDatabase], None] = lambda database: None

    # -- the watch ---------------------------------------------------------------------------------

    def watch(self) -> None:
        """See every engine from now on, and those that are there already."""
        self._original = Dialect.__dict__["engine_created"]

        def engine_created(cls: type[Dialect], engine: Engine) -> None:
            self._made(engine)

        Dialect.engine_created = classmethod(engine_created)  # type: ignore[assignment,method-assign]
        for engine in live_objects(Engine):
            # One that an earlier run in this process has made or pointed away belongs to that run.
            if not hasattr(engine.dialect, _MARK):
                self._point(engine, self._key_of(engine.url))
        self._older, self._engines = self._engines, []

    def close(self) -> None:
        """Stop watching. The engines stay where they are, and refuse to connect from now on."""
        if self._original is None:
            return
        Dialect.engine_created = self._original  # type: ignore[method-assign]
        self._original = None
        self._over = True

    def adopt_strays(self) -> None:
        """Point the tests' own engines that turned out to lead to one of the app's databases."""
        for engine, key in list(self._strays.items()):
            if key in self._databases:
                del self._strays[engine]
                self._point(engine, key)

    # -- what was found ----------------------------------------------------------------------------

    @property
    def databases(self) -> tuple[PrivateDatabase, ...]:
        """The private databases, in the order in which the app's engines asked for them."""
        return tuple(self._databases.values())

    def engines(self) -> Iterator[tuple[Engine, PrivateDatabase]]:
        """The app's engines that are still alive, with their databases, in the order of their making.

        Those that are older than the watch come last: whose they are is a guess.
        """
        self._engines = [reference for reference in self._engines if reference() is not None]
        for reference in (*self._engines, *self._older):
            engine = reference()
            if engine is not None:
                yield engine, self._pointed[engine.dialect]

    def check(self) -> None:
        """Refuse an app whose database can't be isolated yet.

        :raises GreenroomError: naming each such dialect.
        """
        if self._unsupported:
            raise self._dialect_error(" and ".join(sorted(set(self._unsupported.values()))))

    def create_own(self, url: str | URL, **options: Any) -> Engine:
        """Make an engine of greenroom's own, which is not one of the app's."""
        from sqlalchemy import create_engine

        with self._making_own():
            engine = create_engine(url, **options)
        setattr(engine.dialect, _MARK, True)
        return engine

    def checked_out(self) -> int:
        """How many connections the pools of the app's engines have given out, where they count."""
        count = 0
        for engine, _ in self.engines():
            pool: Any = engine.pool
            if isinstance(pool, PoolPerLoop):
                count += pool.checked_out()
            elif hasattr(pool, "checkedout"):
                count += pool.checkedout()
        return count

    def dispose(self) -> None:
        """Close what the engines' pools hold on the running loop."""
        for engine, _ in self.engines():
            engine.dispose()

    def told_to_the_driver(self, engine: Engine) -> dict[str, Any]:
        """What an engine's driver is called with: the app's connect_args, and what its URL and listeners say.

        Nothing where the app connects by a function of its own.
        """
        creator = self._creators.get(engine)
        if creator is None:
            return {}
        self._own.only_asks = True
        try:
            creator(None).close()  # A listener of the app's has connected by itself.
        except _AskedError as asked:
            return asked.keywords
        except Exception:  # noqa: BLE001 - of a listener of the app's; it raises again where the app connects
            return {}
        finally:
            self._own.only_asks = False
        return {}

    def close_idle(self, but: Container[Engine]) -> None:
        """Close what waits in the engines' pools, on every loop; they connect again when they're asked to.

        :param but: engines that keep theirs.
        """
        for engine, _ in self.engines():
            if engine in but:
                continue
            if isinstance(engine.pool, PoolPerLoop):
                engine.pool.forget(dispose=True)
            elif not isinstance(engine.pool, (StaticPool, SingletonThreadPool)):
                # Those two are a database in memory, which ends with its connection.
                engine.dispose()

    def has_lost(self, database: PrivateDatabase) -> bool:
        """Whether a pool of the database's engines holds a connection that the server has closed."""
        return any(
            has_lost(engine.pool) for engine, leads_to in self.engines() if leads_to is database
        )

    def drop_pools(self, database: PrivateDatabase) -> None:
        """Let the database's engines start with new connections."""
        for engine, leads_to in self.engines():
            if leads_to is database:
                if isinstance(engine.pool, PoolPerLoop):
                    engine.pool.forget(dispose=database.on_a_server)
                else:
                    before, engine.pool = engine.pool, engine.pool.recreate()
                    if database.on_a_server:
                        before.dispose()

    def lead(self, database: PrivateDatabase) -> None:
        """Let the URLs of the database's engines say where they lead, now that it is open."""
        key = self._key(database)
        for engine, leads_to in self.engines():
            if leads_to is database:
                engine.url = database.url(engine.url)
                self._aliases[key_of(engine.url, -1)] = key

    @contextlib.contextmanager
    def migrating(self, database: PrivateDatabase) -> Iterator[None]:
        """Lead engines that are made meanwhile there, whatever a migration's configuration names."""
        before, self._migrating = list(self._engines), self._key(database)
        try:
            yield
        finally:
            self._migrating = None
            for engine, _ in self.engines():
                if all(engine is not known() for known in before):
                    with contextlib.suppress(Exception):  # One of a loop that has ended.
                        engine.dispose()

    def _key(self, database: PrivateDatabase) -> str:
        return next(key for key, known in self._databases.items() if known is database)

    # -- connections without an engine -------------------------------------------------------------

    def stand_in(self, url: URL) -> Engine | None:
        """An engine for the database that a driver is asked for; None if it isn't one of the app's.

        :param url: with the driver that the engine gets; it is made at the first call for a database.
        """
        with self._one_at_a_time:
            key = self._key_of(url)
            if key not in self._databases and self._is_scratch(key):
                return None
            if key not in self._databases and self._made_by_a_test():
                self.before_a_stranger_connects()
                key = self._key_of(url)
                if key not in self._databases:
                    self.outside.setdefault(key, self._line())
                    return None
            engine = self._stand_ins.get((key, url.drivername))
            if engine is None:
                self._stand_ins[key, url.drivername] = engine = self._stand_in(url)
                if key in self._databases:
                    # The app has engines there: sessions are made like those.
                    self._pointed[engine.dialect] = self._databases[key]
                else:
                    self._point(engine, key)
        self.check()
        return engine

    def knows(self, url: URL) -> bool:
        """Whether it's one of the app's databases that were met before."""
        return self._key_of(url) in self._databases

    def ready(self, engine: Engine) -> PrivateDatabase:
        """The database that one of the app's engines leads to, ready to be connected to."""
        database = self._pointed[engine.dialect]
        self.before_connect(database)
        return database

    def _stand_in(self, url: URL) -> Engine:
        from sqlalchemy import create_engine
        from sqlalchemy.ext.asyncio import create_async_engine

        with self._making_own():
            if url.get_dialect().is_async:
                return create_async_engine(url).sync_engine
            return create_engine(url)

    @contextlib.contextmanager
    def _making_own(self) -> Iterator[None]:
        """An engine that this thread makes in the block isn't one of the app's."""
        self._own.is_on = True
        try:
            yield
        finally:
            self._own.is_on = False

    # -- one engine --------------------------------------------------------------------------------

    def _made(self, engine: Engine) -> None:
        with self._one_at_a_time:
            self._place(engine)

    def _place(self, engine: Engine) -> None:
        if getattr(self._own, "is_on", False) or engine.dialect in self._pointed:
            return
        key = self._key_of(engine.url)
        if key not in self._databases and self._migrating is not None:
            key = self._called_alike(key) or self._migrating
            if key.partition(":")[0] != key_of(engine.url, 0).partition(":")[0]:
                raise GreenroomError(
                    Code.MIGRATION,
                    f"the migrations connect to a database of another kind ({engine.url.drivername}) "
                    "than the app's.",
                    "Let env.py and the app's settings name the same kind.",
                )
        if key not in self._databases:
            if is_anonymous(key) and self.leave_new_memory_alone:
                return
            if self._is_scratch(key) or self._made_by_a_test():
                self._strays[engine] = key
                _last_word(engine.dialect, functools.partial(self._refuse, key))
                return
        self._point(engine, key)

    def _key_of(self, url: URL) -> str:
        """The key of an engine's database; a replica's is that of its primary, which fills it."""
        key = key_of(url, next(self._numbers))
        key = self._aliases.get(key, key)
        if key in self._databases or url.get_backend_name() == SQLITE:
            return key
        first = self._roles.setdefault(role_key(url), key)
        if not is_replica(url):
            # Whichever of the two came first has the database.
            return first if first in self._replicas else key
        if first == key:
            # Not by its host's name; by the database's, where that leaves no doubt.
            same = self._called_alike(key)
            if same is not None:
                self._roles[role_key(url)] = first = same
            else:
                self._replicas.add(key)
        return first

    def _called_alike(self, key: str) -> str | None:
        """The one database that is of the same kind as that key's and has its name, whatever its server."""
        same = [
            known
            for known in self._databases
            if known not in self._replicas
            and known.partition(":")[0] == key.partition(":")[0]
            and known.rpartition("/")[2] == key.rpartition("/")[2]
        ]
        return same[0] if len(same) == 1 else None

    def _is_scratch(self, key: str) -> bool:
        """Whether a new database is somebody's scratch paper: in memory, or a temporary file.

        Only once the app has started. A test that makes an app of its own gives it such a file; each would
        be one more of the app's databases, to the end of the run.
        """
        if not self.leave_new_memory_alone:
            return False
        if is_anonymous(key):
            return True
        temporary = os.path.realpath(tempfile.gettempdir())
        path = Path(key.partition(":")[2])
        return (
            key.startswith(SQLITE)
            and Path(temporary) in path.parents
            and self._project not in path.parents
        )

    def _made_by_a_test(self) -> bool:
        """Whether the innermost frame that isn't a library's belongs to the test suite."""
        frame = self._innermost()
        return frame is not None and self._is_test_file(Path(frame.f_code.co_filename))

    def _line(self) -> str:
        frame = self._innermost()
        return f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame is not None else "a library"

    @staticmethod
    def _innermost() -> FrameType | None:
        """The innermost frame that isn't a library's."""
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the stack is the question
        while frame is not None:
            file = Path(frame.f_code.co_filename)
            library = "site-packages" in file.parts or "dist-packages" in file.parts
            own = (
                __package__.partition(".")[0] in frame.f_globals.get("__name__", "").split(".")[:1]
            )
            if not library and not own and file.suffix == ".py" and not _in_stdlib(file):
                return frame
            frame = frame.f_back
        return None

    def _point(self, engine: Engine, key: str) -> None:
        if engine.dialect in self._pointed:
            return
        setattr(engine.dialect, _MARK, True)
        url = engine.url
        database = self._databases.get(key) or self._open_database(url, engine.dialect.driver)
        if database is None:
            self._unsupported[key] = url.drivername
            _last_word(engine.dialect, functools.partial(self._refuse, key))
            return
        self._databases[key] = database
        self._pointed[engine.dialect] = database
        is_async = engine.dialect.is_async

        def redirect(arguments: list[Any], keywords: dict[str, Any]) -> None:
            if getattr(self._own, "only_asks", False):
                raise _AskedError(keywords)
            database.lead(engine_dialect, arguments, keywords)
            setattr(engine_dialect, ARGUMENTS, repr((arguments, sorted(keywords.items()))))

        engine_dialect = engine.dialect
        _last_word(engine_dialect, redirect)
        database.watch(engine)
        event.listen(engine, "after_cursor_execute", self._sent)

        def about_to_send(connection: Any, *_: Any) -> None:
            if self.stages.is_on:
                self.stages.check(connection, database)

        event.listen(engine, "before_cursor_execute", about_to_send)
        self._engines.append(weakref.ref(engine))
        # One for each database is kept: an app may make an engine for each request, and drop it.
        self._first.setdefault(key, engine)
        make = pool_like(engine.pool, self._creator(engine, database))
        engine.pool = PoolPerLoop(engine.pool, make) if is_async else make()
        if is_async and url.get_backend_name() == SQLITE:
            spare_idle_turns(engine.dialect)
        if database.is_open:
            engine.url = database.url(url)
            self._aliases[key_of(engine.url, -1)] = key
        self.stages.take_in(engine, database)

    def _sent(self, connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        self.saw(SentStatement(statement, cursor.rowcount))

    def _creator(self, engine: Engine, database: PrivateDatabase) -> Callable[..., Any]:
        """What opens the engine's connections from now on.

        SQLAlchemy's own creator is kept: it knows the app's connect_args. One that the app passed in
        knows the app's database, so it isn't called; the dialect connects in its place.
        """
        original: Any = engine.pool._creator  # noqa: SLF001 - there is no other way to ask
        own = getattr(original, "__module__", "") == "sqlalchemy.engine.create"
        if own:
            self._creators[engine] = original
        dialect = engine.dialect
        url = engine.url

        # SQLAlchemy passes the pool's record to a creator whose parameter has this name.
        def create(connection_record: Any = None) -> Any:
            if self._over:
                raise GreenroomError(
                    Code.RUN_OVER,
                    "the app opened a database connection after the test run had ended.",
                    "Stop what still works in the background in the app's shut-down.",
                )
            self.before_connect(database)
            if own:
                return original(connection_record)
            positional, keywords = dialect.create_connect_args(database.url(url))
            return dialect.connect(*positional, **keywords)

        return create

    def _refuse(self, made_for: str, arguments: list[Any], keywords: dict[str, Any]) -> None:
        """Refuse a connection to a database that the app is configured with."""
        __tracebackhide__ = True
        self.check()
        path = arguments[0] if arguments else keywords.get("database")
        key = made_for
        if made_for.startswith(SQLITE) and isinstance(path, (str, os.PathLike)):
            key = sqlite_key(os.fspath(path), {}, -1)
        if not is_anonymous(key):
            self.before_a_stranger_connects()
        if key in self._databases:
            raise GreenroomError(
                Code.REFUSED,
                f"a connection to {path if key != made_for else key} was refused: it is the "
                "database that the app is configured with, and tests never touch it.",
                "Use the app's own engine or session, or request the db_session fixture.",
            )
        if not is_anonymous(key):
            self.outside.setdefault(key, self._line())

    def _dialect_error(self, name: str) -> GreenroomError:
        return GreenroomError(
            Code.DIALECT,
            f"the app has an engine on {name}, which this version of greenroom can't isolate yet.",
            "It supports SQLite by sqlite3 and aiosqlite, PostgreSQL by asyncpg, psycopg and psycopg2, "
            "MariaDB and MySQL by asyncmy, aiomysql and pymysql. Until then, switch greenroom off for "
            "this project: pytest -p no:greenroom.",
        )


def _last_word(dialect: Dialect, decide: Callable[[list[Any], dict[str, Any]], None]) -> None:
    """Let a function change, or refuse, the arguments that the driver gets."""
    connect = type(dialect).connect

    def decided(*arguments: Any, **keywords: Any) -> Any:
        __tracebackhide__ = True
        positional = list(arguments)
        decide(positional, keywords)
        return connect(dialect, *positional, **keywords)

    dialect.connect = decided  # type: ignore[method-assign]


def copy_listeners(source: Engine, target: Engine) -> None:
    """Let an engine tell the listeners of another one, but for SQLAlchemy's own."""
    same = source.dialect.driver == target.dialect.driver
    for name in ("connect", "checkout", "checkin"):
        # Those that listen to every pool are among the source's, and heard once, like its own.
        own: Any = getattr(target.pool.dispatch, name).for_modify(target.pool.dispatch)
        own.parent_listeners = ()
        for listener in listeners(source, name):
            event.listen(target, name, listener if same else _if_it_can(listener))
    for listener in source.dispatch.begin:
        if listener not in target.dispatch.begin:
            event.listen(target, "begin", listener)


def _if_it_can(listener: Callable[..., object]) -> Callable[..., None]:
    """A listener that may only know another driver's connections: asyncpg's codecs, say, aren't psycopg's.

    What else fails in it is told where the app itself connects.
    """

    def heard(connection: Any, *others: Any) -> None:
        try:
            listener(connection, *others)
        except DisconnectionError:
            raise
        except Exception:  # noqa: BLE001 - whatever another driver's connection lacks
            if connection is not None:
                connection.rollback()

    return heard


def listeners(engine: Engine, name: str) -> list[Callable[..., Any]]:
    """What listens to an event of an engine's pool, but for SQLAlchemy's own."""
    found = list(getattr(engine.pool.dispatch, name))
    return [one for one in found if not getattr(one, "__module__", "").startswith("sqlalchemy.")]


def _in_stdlib(file: Path) -> bool:
    return str(file).startswith((sys.base_prefix + "/lib/python", sys.base_prefix + "\\Lib"))
