"""A private SQLite database: a live file for the app, and the picture that it is reset to.

The reset copies the picture's pages over the live file with SQLite's online backup, so it undoes
rows, sequences and DDL alike, in one call, and only where `PRAGMA data_version` says that somebody
else has written (https://www.sqlite.org/pragma.html#pragma_data_version).
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import URL

from greenroom.database import disk, sqlite_picture
from greenroom.database.layers import Layers
from greenroom.database.private import PrivateDatabase, Reset
from greenroom.database.sandbox.logical import LogicalConnection
from greenroom.facts.errors import Code, GreenroomError

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect

#: How long, in milliseconds, a reset waits for a commit that is just under way.
PATIENCE = 250


class LiveConnection(sqlite3.Connection):
    """What the app's drivers open: known to its database, and without a price for durability."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _cheapen(self)


class _BusyError(Exception):
    """Somebody holds a lock on the live file."""


class SqliteDatabase(PrivateDatabase):
    """One of the app's databases, as a file that only this process uses.

    :param place: what kind of folder the file lies in, for the header.
    """

    on_a_server = False

    def __init__(self, path: Path, place: str = "") -> None:
        self.path = path
        self.place = place
        self._moves = 0
        self._before_clone: Path | None = None
        self._keep_in: tuple[Path, Path] | None = None
        self._live: sqlite3.Connection | None = None
        self._origin: sqlite3.Connection | None = None
        self._baseline: sqlite3.Connection | None = None
        self._pictures: dict[str, sqlite3.Connection] = {}
        self.layers = Layers("baseline", self._take_layer, self._rebase_layer, self._drop_layer)
        self._seen: int | None = None
        self._open: weakref.WeakSet[sqlite3.Connection] = weakref.WeakSet()
        self._asking = threading.Lock()

    @property
    def product(self) -> str:  # type: ignore[override]
        """The database's name and version, for the header."""
        return f"sqlite {sqlite3.sqlite_version}"

    @cached_property
    def connection_class(self) -> type[LiveConnection]:
        """The class that every driver's connection to this database is an instance of."""
        known = self._open

        class Known(LiveConnection):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                super().__init__(*args, **kwargs)
                known.add(self)

        return Known

    def version(self) -> int | None:
        """A number that changes whenever another connection commits; None if a commit is under way.

        It never waits: the loop that would wait may be the one that the commit needs.
        """
        try:
            # Two threads would have one statement of the connection's, and one of them no row.
            with self._asking:
                return int(self._connection().execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                return None
            raise

    @property
    def is_open(self) -> bool:
        """Always: the path is known from the start."""
        return True

    def open(self) -> None:
        """Nothing to do: SQLite makes a file when it is opened."""

    def url(self, url: URL) -> URL:
        """The app's URL, leading to the file."""
        led = url.set(database=str(self.path))
        return led.difference_update_query(["mode", "cache", "uri"])

    def lead(self, dialect: Dialect, arguments: list[Any], keywords: dict[str, Any]) -> None:
        """Lead to the private file, and keep what else the arguments say of the connection."""
        asked = arguments[0] if arguments else keywords.pop("database", "")
        path = str(self.path)
        name, mark, options = str(asked).partition("?")
        if name.startswith("file:") and mark and "mode=memory" not in options:
            # file:shop.db?mode=ro: a read-only engine stays one.
            path = f"{self.path.as_uri()}?{options}"
        arguments[:1] = [path]
        keywords.pop("async_creator_fn", None)
        keywords.setdefault("factory", self.connection_class)
        if dialect.is_async or self.is_shared:
            # aiosqlite keeps its connection to one thread by itself; a reset may come from another
            # one, while nothing runs there. A shared connection is used in turns.
            keywords["check_same_thread"] = False

    def blocking(self, told: Mapping[str, Any]) -> tuple[URL, Callable[..., Any]]:
        """A way to connect for code that can't await, and a URL: its dialect, and what else decides where tables go."""

        def connect() -> sqlite3.Connection:
            return sqlite3.connect(
                self.path, check_same_thread=False, factory=self.connection_class
            )

        return URL.create("sqlite"), connect

    def build(self, fingerprint: str | None, make: Callable[[], None], *, rebuild: bool) -> bool:
        """Make the tables; that is cheaper than finding out whether they are kept somewhere."""
        make()
        return False

    def is_empty(self) -> bool:
        """Whether there is no table, view or index in it."""
        count = self._connection().execute("SELECT count(*) FROM sqlite_schema").fetchone()
        return bool(count[0] == 0)

    def take_origin(self) -> None:
        """Make the state of now the one that a start-up begins from."""
        self._origin = self._photograph(self._origin)

    def take_baseline(self) -> None:
        """Make the state of now the one that every test begins from."""
        self.layers.clear()
        self._baseline = self._pictures["baseline"] = self._photograph(self._baseline)
        self._seen = self.version()

    def rewind(self) -> Reset:
        """Go back to the state before the app's start-up, which is about to run again.

        :raises GreenroomError: if a transaction can't be ended, or the disk is full.
        """
        if self._origin is None:
            return Reset.CLEAN
        self._seen = None  # What greenroom itself writes doesn't move the version that it sees.
        return self._go_back(self._origin)

    def reset(self) -> Reset:
        """Go back to the baseline if anything was written since.

        :raises GreenroomError: if a transaction can't be ended, or the disk is full.
        """
        if self._baseline is None:
            return Reset.CLEAN
        if self.version() == self._seen:
            return Reset.ROLLED_BACK if self.roll_back() else Reset.CLEAN
        ended = self._go_back(self._pictures[self.layers.top])
        self._seen = self.version()
        return ended

    def _take_layer(self, name: str, below: str) -> bool:
        self._pictures[name] = self._photograph(None)
        self._seen = self.version()
        return True

    def _rebase_layer(self, upper: str, old: str, new: str, made: str) -> None:
        known = self._pictures
        known[made] = sqlite_picture.rebase(known[upper], known[old], known[new])

    def _drop_layer(self, name: str) -> None:
        self._pictures.pop(name).close()
        self._seen = None

    @property
    def has_baseline(self) -> bool:
        """Whether `reset` has something to go back to."""
        return self._baseline is not None

    def close(self) -> None:
        """Close greenroom's own connections to the database."""
        for connection in (self._live, self._origin, *self._pictures.values()):
            if connection is not None:
                connection.close()
        self._live = self._origin = self._baseline = None
        self._pictures.clear()

    def _go_back(self, picture: sqlite3.Connection) -> Reset:
        ended = Reset.ROLLED_BACK if self.roll_back() else Reset.CLEAN
        try:
            self._restore(picture)
        except _BusyError:
            # Something that isn't a transaction: a result that was not read to its end.
            self._move()
            self._restore(picture)
            return Reset.MOVED
        return ended

    def _photograph(self, picture: sqlite3.Connection | None) -> sqlite3.Connection:
        """Copy the database into an earlier picture, or into a new one."""
        if picture is None:
            picture = sqlite3.connect(":memory:", check_same_thread=False)
        with _explained(self.path), self._patience():
            _copy(self._connection(), picture)
        return picture

    def clone(self) -> None:
        """Go on with another file that is like the baseline."""
        assert self._baseline is not None
        self._before_clone, self.path = self.path, self._beside("clone")
        self._disconnect()
        self._restore(self._pictures[self.layers.top])

    def end_clone(self, *, keep: bool) -> str | None:
        """Go back to the file from before `clone`; the kept one's path if it is kept."""
        clone, before = self.path, self._before_clone
        if before is None:
            return None
        kept = self._kept() if keep else None
        self.path, self._before_clone = before, None
        self._disconnect()
        self._seen = None  # Whatever happened to the live file meanwhile is undone by a reset.
        if kept is not None:
            # Out of the private folder, which goes with the run.
            return str(shutil.move(clone, kept))
        clone.unlink(missing_ok=True)
        return None

    def clone_address(self) -> str | None:
        """Where the clone is found after the run, if it is kept; None if there is no clone now."""
        return str(self._kept()) if self._before_clone is not None else None

    def _kept(self) -> Path:
        """Where a kept clone goes: a folder of its own, which is asked for when it's to be told."""
        clone = self.path
        if self._keep_in is None or self._keep_in[0] != clone:
            folder = Path(tempfile.mkdtemp(prefix="greenroom-kept-"))
            self._keep_in = (clone, folder / "test.db")
        return self._keep_in[1]

    def _disconnect(self) -> None:
        """Close every connection, so that its use is an error and no silent difference."""
        for connection in list(self._open):
            with contextlib.suppress(sqlite3.ProgrammingError):
                connection.close()
        if self._live is not None:
            self._live.close()
            self._live = None

    def _beside(self, word: str) -> Path:
        self._moves += 1
        stem = self.path.stem.partition("-")[0]
        return self.path.with_name(f"{stem}-{word}{self._moves}.db")

    def _restore(self, picture: sqlite3.Connection) -> None:
        with _explained(self.path), self._patience():
            _copy(picture, self._connection())

    def _busy(self) -> GreenroomError:
        return GreenroomError(
            Code.BUSY,
            f"the test database can't be reset: a connection holds a lock on {self.path}.",
            "Close or roll back every session and connection that a test opens; a SQLite connection "
            "that may be used in its own thread only can't be ended from here.",
        )

    @contextlib.contextmanager
    def _patience(self) -> Iterator[None]:
        """Wait for a commit that is just under way; no loop is running that it could need."""
        self._connection().execute(f"PRAGMA busy_timeout={PATIENCE}")
        try:
            yield
        finally:
            self._connection().execute("PRAGMA busy_timeout=0")

    def _connection(self) -> sqlite3.Connection:
        if self._live is None:
            with _explained(self.path):
                self._live = sqlite3.connect(
                    self.path,
                    isolation_level=None,
                    check_same_thread=False,
                    timeout=0,
                )
                _cheapen(self._live)
        return self._live

    def roll_back(self) -> bool:
        """Roll back every connection that is still in a transaction.

        Its owner goes on with a connection that works: a pool that lives longer than the test, or a
        fixture of a higher scope, isn't broken for the tests that come after.
        """
        ended = False
        for connection in list(self._open):
            try:
                if connection.in_transaction:
                    connection.rollback()
                    ended = True
            except sqlite3.ProgrammingError as error:
                if "closed" not in str(error):  # It belongs to another thread.
                    raise self._busy() from None
        return ended

    def _move(self) -> None:
        """Leave the file to whoever holds a lock on it, and go on with another.

        Every connection to the old one is closed, so that its use is an error and no silent
        difference. Closing alone isn't enough: SQLite keeps the lock for as long as the result lives.
        """
        self._disconnect()
        self.path = self._beside("")


def spare_idle_turns(dialect: Dialect) -> None:
    """Don't send an async driver to its thread for a commit or a rollback that does nothing.

    sqlite3 does nothing for either where no transaction is open; aiosqlite takes the way to its
    thread and back all the same, once for each session that only read.
    """
    for name in ("do_commit", "do_rollback"):
        _spare(dialect, name)


def _spare(dialect: Dialect, name: str) -> None:
    original = getattr(type(dialect), name)

    def only_in_transaction(connection: Any) -> None:
        if isinstance(getattr(connection, "dbapi_connection", connection), LogicalConnection):
            original(dialect, connection)
            return
        driver = getattr(connection, "driver_connection", None)
        try:
            idle = driver is not None and not driver.in_transaction
        except ValueError:  # It is closed: let SQLAlchemy find out in its own way.
            idle = False
        if not idle:
            original(dialect, connection)

    setattr(dialect, name, only_in_transaction)


def _cheapen(connection: sqlite3.Connection) -> None:
    """Give up durability, which only matters if the machine loses power, and nothing else.

    An app that has chosen WAL keeps it: leaving it would need a lock that others may hold.
    """
    if connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete":
        connection.execute("PRAGMA journal_mode=MEMORY")
    connection.execute("PRAGMA synchronous=OFF")


def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Copy all pages in one step.

    :raises _BusyError: if a lock is in the way. Without this, `backup` would try again for ever.
    """

    def progress(status: int, remaining: int, total: int) -> None:
        if status in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise _BusyError

    source.backup(target, pages=-1, progress=progress)


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the disk can't do into an error that says so."""
    try:
        yield
    except sqlite3.Error as error:
        if disk.is_full(error):
            raise disk.cannot_be_written(str(path), error) from None
        raise
