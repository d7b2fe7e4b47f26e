"""A private MariaDB or MySQL database: built once, kept for the next run, reset in one round trip.

MySQL can't copy a database. So there is no template that workers copy: each worker's database is
kept under its fingerprint, back in the state before the start-up, and the next run takes it again.
"""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import time
import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import URL

from greenroom.database import adoption
from greenroom.database.identity import shown
from greenroom.database.layers import LayerError, Layers
from greenroom.database.mark import Mark
from greenroom.database.mysql import adopted, picture, words
from greenroom.database.mysql.definitions import definitions
from greenroom.database.mysql.picture import Picture
from greenroom.database.mysql.server import REGISTRY, Server, driver
from greenroom.database.private import PrivateDatabase, Reset
from greenroom.database.statements import refuse_databases, watch_definitions
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.run import RunIdentity

if TYPE_CHECKING:
    from pymysql.connections import Connection
    from sqlalchemy.engine import Engine
    from sqlalchemy.engine.interfaces import Dialect

#: How many databases with the same tables are kept; a worker takes the first that is free.
MOST_KEPT = 64
#: How long, in seconds, greenroom's own statements wait for a lock.
LOCK_TIMEOUT = 1
_RESET = "reset"
_REWIND = "rewind"
#: The server's flag for an open transaction, in what it says after each statement.
_IN_TRANSACTION = 1
_LOCK_ERRORS = {1205, 1213}


class MysqlDatabase(PrivateDatabase):
    """One of the app's databases.

    :param find: finds the server.
    :param identity: the run that it belongs to.
    """

    def __init__(self, find: Callable[[], Server], identity: RunIdentity) -> None:
        self._find = find
        self._identity = identity
        self._server: Server | None = None
        self._name: str | None = None
        self._mark: Mark | None = None
        self._adopted: Mark | None = None
        self._before_clone: str | None = None
        self._own: Connection[Any] | None = None
        self._make: Callable[[], None] | None = None
        self._origin: Picture | None = None
        self._baseline: Picture | None = None
        self.layers = Layers(_RESET, self._take_layer, self._rebase_layer, self._drop_layer)
        self._above: dict[str, Picture] = {}
        self._written = 0
        self._defined = False
        self._out: dict[int, Any] = {}
        self._lasting: frozenset[int] = frozenset()
        self._dialects: weakref.WeakSet[Dialect] = weakref.WeakSet()

    # -- what it is --------------------------------------------------------------------------------

    @property
    def product(self) -> str:  # type: ignore[override]
        """The database's name and version, for the header."""
        return self._server.product if self._server is not None else "mysql"

    @property
    def place(self) -> str:  # type: ignore[override]
        """Where the server is."""
        if self._server is None:
            return "not opened"
        return (
            f"{self._server.place} (adopted)" if self._adopted is not None else self._server.place
        )

    @property
    def name(self) -> str:
        """The database's name on its server."""
        assert self._name is not None
        return self._name

    # -- leading the app there ---------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether it exists."""
        return self._name is not None

    def open(self) -> None:
        """Have it exist, if only empty. Raises GreenroomError."""
        if self._name is not None:
            return
        if self._connected_server().may_create:
            self._create("test", secrets.token_hex(8))
        else:
            self._adopt("")
            adopted.empty(self._place_now())

    def url(self, url: URL) -> URL:
        """The app's URL, leading to this database."""
        server = self._connected_server()
        query = {word: value for word, value in url.query.items() if words.keeps(word)}
        socket = server.url.query.get("unix_socket")
        if socket:
            query["unix_socket"] = socket
        return url.set(
            username=server.url.username,
            password=str(server.url.password) if server.url.password is not None else None,
            host=server.url.host,
            port=server.url.port,
            database=self.name,
            query=query,
        )

    def lead(self, dialect: Dialect, arguments: list[Any], keywords: dict[str, Any]) -> None:
        """Change a driver's arguments so that they lead here, and keep what else they say."""
        address = {**self._connected_server().arguments(), "database": self.name}
        words.replace_address(dialect.driver, arguments, keywords, address)

    def blocking(self, told: Mapping[str, Any]) -> tuple[URL, Callable[..., Any]]:
        """A way to connect for code that can't await, and a URL: its dialect, and what else decides where tables go."""
        pymysql = driver()
        session = words.session(told)

        def connect() -> Any:
            there = self._connected_server().arguments()
            return pymysql.connect(**session, **there, database=self.name)

        return URL.create("mysql+pymysql", query=session), connect

    def watch(self, engine: Engine) -> None:
        """Know which connections are in somebody's hands, and whether a table was changed."""
        from sqlalchemy import event

        def taken(connection: Any, record: Any, proxy: Any = None) -> None:
            self._out[id(record)] = getattr(connection, "driver_connection", connection)

        def given_back(connection: Any, record: Any, *_: Any) -> None:
            self._out.pop(id(record), None)

        def defined() -> None:
            self._defined = True

        def sends(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            self._written += (
                not statement.lstrip("( \n").lower().startswith(("select", "show", "set"))
            )

        watch_definitions(engine, defined)
        refuse_databases(engine, "mysql", lambda name: name == self._name, lambda: self.place)
        event.listen(engine, "before_cursor_execute", sends)
        event.listen(engine, "checkout", taken)
        for name in ("checkin", "invalidate", "detach"):
            event.listen(engine, name, given_back)
        self._dialects.add(engine.dialect)

    # -- its contents ------------------------------------------------------------------------------

    def build(self, fingerprint: str | None, make: Callable[[], None], *, rebuild: bool) -> bool:
        """Have the tables in it; take a database of an earlier run that has them."""
        self._make = make
        if self._name is not None:
            make()
            return False
        if fingerprint is not None:
            # Another version of the server may make other tables, and MySQL refuses to replace what an
            # administrator has made. The number changes where an earlier greenroom's can't be trusted.
            server = self._connected_server()
            told = f"{fingerprint} {server.product} {server.url.username} 2"
            fingerprint = hashlib.sha256(told.encode()).hexdigest()
        if not self._connected_server().may_create:
            return self._build_in_adopted(fingerprint or "", rebuild=rebuild)
        if fingerprint is not None and self._take_kept(fingerprint, rebuild=rebuild):
            return True
        try:
            self.open()
            make()
        except GreenroomError as error:
            what = self._without_its_name(error.what)
            self.close()
            raise GreenroomError(error.code, what, error.advice, error.detail) from None
        except BaseException:
            self.close()
            raise
        return False

    def _adopt(self, fingerprint: str) -> Mark:
        """Take an adopted database; its mark as it was."""
        project = str(self._identity.project)
        name, known = adoption.take(self._connected_server(), project, adopted.WAYS_OUT)
        self._call_it(name)
        self._adopted = replace(known, project=project, fingerprint=fingerprint)
        # It isn't complete while tests write into it: a killed run must not be trusted.
        self._connected_server().mark_adopted(name, replace(self._adopted, complete=False))
        return known

    def _build_in_adopted(self, fingerprint: str, *, rebuild: bool) -> bool:
        known = self._adopt(fingerprint)
        if adoption.is_as_built(known, fingerprint, rebuild=rebuild):
            return True
        adopted.empty(self._place_now())
        assert self._make is not None
        self._make()
        return False

    def _without_its_name(self, text: str) -> str:
        """Each worker's has another one; without it, all tell the same, and it is told once."""
        return text.replace(f"{self._name}.", "") if self._name is not None else text

    def is_empty(self) -> bool:
        """Whether there is no table or view in it."""
        return self._name is None or picture.is_empty(self._place_now())

    @property
    def has_baseline(self) -> bool:
        """Whether `reset` has something to go back to."""
        return self._baseline is not None

    def version(self) -> object | None:
        """Not known: the server has no number that changes with each commit."""
        return None

    def writes(self) -> object | None:
        """How many statements of the app's engines may have written; the server counts for all."""
        return self._written

    def take_origin(self) -> None:
        """Make the state of now the one that a start-up begins from."""
        self.open()
        if self._adopted is not None:
            self.no_reset = adopted.lacks(self._place_now())
        if self.no_reset is None:
            self._origin = self._photograph(_REWIND)
        self._defined = False

    def take_baseline(self) -> None:
        """Make the state of now the one that every test begins from."""
        self.open()
        self.layers.clear()
        # What the start-up holds is the app's own way.
        self._lasting = frozenset(self._out)
        if self.no_reset is None:
            self._baseline = self._photograph(_RESET)
        self._defined = False

    def rewind(self) -> Reset:
        """Go back to the state before the app's start-up, which is about to run again."""
        return self._go_back(_REWIND) if self._origin is not None else Reset.CLEAN

    def reset(self) -> Reset:
        """Go back to the baseline. Raises GreenroomError."""
        return self._go_back(self.layers.top) if self._baseline is not None else Reset.CLEAN

    def _take_layer(self, name: str, below: str) -> bool:
        self._above[name] = self._photograph(name)
        self._defined = False
        return True

    def _rebase_layer(self, upper: str, old: str, new: str, made: str) -> None:
        place = self._place_now()
        states = {name: self._picture(name) for name in (upper, old, new)}
        self._above[made] = picture.rebase(place, states, made)
        picture.install(place, made, self._above[made])
        self._go_back(made)
        table = picture.dangling(place)
        if table is not None:
            raise LayerError(f"its rows of {table} refer to rows that ended")

    def _drop_layer(self, name: str) -> None:
        picture.drop(self._place_now(), name, self._above.pop(name))

    def _picture(self, name: str) -> Picture:
        state = {_RESET: self._baseline, _REWIND: self._origin}.get(name) or self._above[name]
        assert state is not None
        return state

    def roll_back(self) -> bool:
        """End the transactions that were left open; whether there were any."""
        return self._baseline is not None and self._end_open() is not Reset.CLEAN

    def clone(self) -> None:
        """Go on with a database that is like the baseline: built once more, with its rows."""
        if self._adopted is not None:
            raise adoption.no_clone(self.place)
        assert self._baseline is not None
        self._before_clone = source = self.name
        self._create("clone", secrets.token_hex(8))
        top = self.layers.top
        if self._make is None or not self._template_has(top):
            picture.copy_tables(self._place_now().connection, source, self.name)
        else:
            self._remake_tables()
        picture.install(self._place_now(), top, self._picture(top))
        if self._call(top) == "changed":
            raise GreenroomError(
                Code.SCHEMA,
                f"the clone {self.name} doesn't get the tables that the baseline has: they can't be made anew.",
                "Let migrations, or `schema`, make what the start-up makes; or run this test under reset.",
            )

    def end_clone(self, *, keep: bool) -> str | None:
        """Go back to the database from before `clone`; the kept one's address if it is kept."""
        server, clone = self._connected_server(), self.name
        if self._before_clone is None:
            return None
        self._call_it(self._before_clone)
        self._before_clone = None
        address = None
        if keep:
            server.mark(clone, Mark("kept", str(self._identity.project), used=time.time()))
            address = shown(server.url.set(database=clone))
        else:
            server.drop(clone)
        server.release(clone)
        self._defined = False
        return address

    def clone_address(self) -> str | None:
        """Where the clone is found after the run, if it is kept; None if there is no clone now."""
        if self._before_clone is None:
            return None
        return shown(self._connected_server().url.set(database=self.name))

    def close(self) -> None:
        """Keep it for the next run if it can be, else drop it. Calling it twice is harmless."""
        server, name, mark = self._server, self._name, self._mark
        self._name = None
        if server is None or name is None:
            return
        with contextlib.suppress(driver().MySQLError, GreenroomError):
            server.disconnect(name)
            if self._adopted is not None:
                left = replace(self._adopted, complete=self._is_as_built(name), used=time.time())
                server.mark_adopted(name, left)
            elif mark is not None and mark.kind == "template" and self._is_as_built(name):
                server.mark(name, replace(mark, complete=True, used=time.time()))
            else:
                server.drop(name)
        if self._own is not None:
            with contextlib.suppress(driver().MySQLError):
                self._own.close()
            self._own = None

    # -- going back --------------------------------------------------------------------------------

    def _go_back(self, function: str) -> Reset:
        found = self._end_open()
        if self._defined:
            self._defined = False
            state = self._picture(function)
            if self._definitions() != state.definitions:
                return self._remake(function)
        for _ in range(3):
            try:
                answer = self._call(function)
            except driver().OperationalError as error:
                if error.args[0] not in _LOCK_ERRORS:
                    raise self._lost(error) from None
                self._connected_server().disconnect(self.name)
                found = Reset.MOVED
                continue
            except driver().MySQLError as error:
                raise self._lost(error) from None
            return self._remake(function) if answer == "changed" else found
        raise GreenroomError(
            Code.BUSY,
            f"the test database {self.name} can't be reset: other connections hold locks in it.",
            "Close every session and connection that a test opens.",
        )

    def _call(self, function: str) -> str:
        return picture.call(self._place_now(), function)

    def _remake(self, function: str) -> Reset:
        """Build the tables again: they were changed."""
        self.let_go()
        self._connected_server().disconnect(self.name)
        self._remake_tables()
        self._defined = False
        if not self._template_has(function):
            return Reset.EMPTIED
        picture.install(self._place_now(), function, self._picture(function))
        self._call(function)
        return Reset.REMADE

    def _remake_tables(self) -> None:
        server = self._connected_server()
        if self._adopted is not None:
            adopted.empty(self._place_now())
        else:
            server.do(f"DROP DATABASE IF EXISTS `{self.name}`")
            server.do(f"CREATE DATABASE `{self.name}`")
        if self._make is not None:
            self._make()

    def _definitions(self, name: str = "") -> str:
        place = self._place_now(name)
        return definitions(place.connection, place.database)

    def _template_has(self, function: str) -> bool:
        """Whether a picture is of the tables as they are built, and not of others that the start-up or a fixture made."""
        if self._origin is None or self._baseline is None:
            return True
        return self._origin.definitions == self._picture(function).definitions

    def _end_open(self) -> Reset:
        """End the transactions of connections that somebody still holds."""
        found = Reset.CLEAN
        for key, connection in list(self._out.items()):
            written = getattr(connection, "server_status", 0) & _IN_TRANSACTION
            if type(connection).__module__.startswith("pymysql"):
                # Also where it may have read only: it would go on reading what it has seen.
                with contextlib.suppress(driver().MySQLError, OSError):
                    connection.rollback()
                if written and found is Reset.CLEAN:
                    found = Reset.ROLLED_BACK
            elif written or key not in self._lasting:
                self._connected_server().kill(connection.thread_id())
                self._out.pop(key, None)
                found = Reset.MOVED
        return found

    # -- means -------------------------------------------------------------------------------------

    def _connected_server(self) -> Server:
        if self._server is None:
            self._server = self._find()
        return self._server

    def _control(self) -> Connection[Any]:
        """Greenroom's own connection, which checks no foreign keys and has no patience with locks."""
        if self._own is not None and not self._own.open and self._origin is not None:
            raise self._lost()
        if self._own is None or not self._own.open:
            self._own = self._connected_server().connect()
            with self._own.cursor() as cursor:
                cursor.execute(
                    f"SET SESSION foreign_key_checks = 0, lock_wait_timeout = {LOCK_TIMEOUT}, "
                    f"innodb_lock_wait_timeout = {LOCK_TIMEOUT}, group_concat_max_len = 1000000, "
                    "sql_mode = 'NO_AUTO_VALUE_ON_ZERO'"
                )
                with contextlib.suppress(driver().MySQLError):  # MySQL alone has it, and caches.
                    cursor.execute("SET SESSION information_schema_stats_expiry = 0")
        return self._own

    def _place_now(self, name: str = "") -> picture.Place:
        """The database, by greenroom's own connection, and where greenroom keeps what it needs."""
        database = name or self.name
        home = database if self._adopted is not None else REGISTRY
        return picture.Place(self._control(), database, home)

    def _lost(self, error: Exception | None = None) -> GreenroomError:
        said = f": {error.args[-1]}" if error is not None and error.args else ""
        return GreenroomError(
            Code.SERVER,
            f"the tests' database {self.place} can't be reset any more{said}.",
            "Look at the server's log, and run the tests again: what they start from was lost with "
            "greenroom's connection.",
        )

    def _photograph(self, function: str) -> Picture:
        versioned = picture.unsupported(self._place_now())
        if versioned:
            raise GreenroomError(
                Code.DIALECT,
                f"the table {versioned[0]} is system-versioned, which this version of greenroom "
                "can't isolate: MariaDB keeps every row that was ever in it.",
                "Switch greenroom off for this project: pytest -p no:greenroom.",
            )
        state = picture.take(self._place_now(), function)
        picture.install(self._place_now(), function, state)
        return state

    def _create(self, kind: str, word: str) -> None:
        server = self._connected_server()
        name = f"greenroom_{kind}_{word}"
        server.try_hold(name)
        self._call_it(name)
        mark = Mark(kind, str(self._identity.project), used=time.time(), run=self._identity.run)
        if kind != "clone":
            self._mark = mark
        server.create(name, mark)

    def _call_it(self, name: str) -> None:
        """Lead to the database of that name from now on."""
        self._name = name
        for dialect in self._dialects:
            # What SQLAlchemy learned when it connected first: it looks for tables there.
            if getattr(dialect, "default_schema_name", None):
                dialect.default_schema_name = name

    def _take_kept(self, fingerprint: str, *, rebuild: bool) -> bool:
        """Take the first database under the fingerprint that is free; whether it has the tables."""
        server = self._connected_server()
        mark = Mark("template", str(self._identity.project), fingerprint, run=self._identity.run)
        for number in range(MOST_KEPT):
            name = f"greenroom_template_{fingerprint[:16]}_{number}"
            if not server.try_hold(name):
                continue
            self._call_it(name)
            self._mark = mark
            # Read after it is held: whoever had it a moment ago may have dropped it.
            known = server.marked().get(name)
            if known and known.complete and known.fingerprint == fingerprint and not rebuild:
                # It isn't complete while tests write into it: a killed run must not be trusted.
                server.touch(name, replace(mark, complete=False))
                return True
            server.drop(name)
            server.create(name, replace(mark, used=time.time()))
            return False
        raise GreenroomError(
            Code.SERVER,
            f"all {MOST_KEPT} databases with these tables are in use {self.place}.",
            "Wait until other runs have ended.",
        )

    def _is_as_built(self, name: str) -> bool:
        """Go back to the state before the start-up, if the tables are still those."""
        if self._origin is None:
            return False
        if self._definitions(name) != self._origin.definitions:
            return False
        if not self._template_has(_RESET):
            return False
        return picture.call(self._place_now(name), _REWIND) == ""
