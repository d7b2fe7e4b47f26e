"""A private PostgreSQL database: copied from the template, reset in one round trip."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from greenroom.database.mark import Mark
from greenroom.database.postgresql import adopted, catalogue, picture, words
from greenroom.database.postgresql.picture import Picture
from greenroom.database.postgresql.server import Server, driver
from greenroom.database.postgresql.template import Template, find_or_build
from greenroom.database.private import PrivateDatabase, Reset
from greenroom.database.statements import watch_definitions
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.run import RunIdentity

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy.engine import URL, Engine
    from sqlalchemy.engine.interfaces import Dialect

#: How long, in seconds, a reset waits for a commit that is just under way.
PATIENCE = 0.25
#: How long, in milliseconds, greenroom's own statements wait for a lock.
LOCK_TIMEOUT = 2000
#: How often a transaction must be found idle to count as left open.
_LOOKS = 4
_RESET = "greenroom_reset"
_REWIND = "greenroom_rewind"


@dataclass
class _Place:
    """One database that the app can be led to, with greenroom's own connection to it."""

    name: str
    control: psycopg.Connection[Any] | None = None


class PostgresDatabase(PrivateDatabase):
    """One of the app's databases, on a server that is found when it is needed.

    :param find: finds the server, and the role that the app connects as.
    :param identity: the run that it belongs to.
    :param number: tells the databases of one process apart.
    """

    def __init__(
        self, find: Callable[[], tuple[Server, str | None]], identity: RunIdentity, number: int
    ) -> None:
        self._find = find
        self._identity = identity
        self._number = number
        self._server: Server | None = None
        self._role: str | None = None
        self._place: _Place | None = None
        self._before_clone: _Place | None = None
        self._template: Template | None = None
        self._origin: Picture | None = None
        self._baseline: Picture | None = None
        self._privileged = True
        self._defined = False
        self._adopted: Mark | None = None
        self._make: Callable[[], None] = lambda: None

    # -- what it is --------------------------------------------------------------------------------

    @property
    def product(self) -> str:  # type: ignore[override]
        """The database's name and version, for the header."""
        return f"postgresql {self._server.version}" if self._server is not None else "postgresql"

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
        assert self._place is not None
        return self._place.name

    # -- leading the app there ---------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether it exists."""
        return self._place is not None

    def open(self) -> None:
        """Have it exist, if only empty. Raises GreenroomError."""
        if self._place is not None:
            return
        server = self._connected_server()
        if server.may_create:
            name = self._new_name("test")
            server.create(name, self._mark("test"), owner=self._role)
            self._place = _Place(name)
        else:
            name, self._adopted = adopted.take(server)
            self._place = _Place(name)
            adopted.empty(self._control())

    def url(self, url: URL) -> URL:
        """The app's URL, leading to this database."""
        server = self._connected_server()
        query = {word: value for word, value in url.query.items() if words.keeps(word)}
        host = server.url.query.get("host") or server.url.host
        if isinstance(host, str) and host.startswith("/"):
            query["host"] = host
        return url.set(
            username=self._role or server.url.username,
            password=str(server.url.password) if server.url.password is not None else None,
            host=None if "host" in query else server.url.host,
            port=server.url.port,
            database=self.name,
            query=query,
        )

    def lead(self, dialect: Dialect, arguments: list[Any], keywords: dict[str, Any]) -> None:
        """Change a driver's arguments so that they lead here, and keep what else they say."""
        words.replace_address(dialect.driver, arguments, keywords, self._address())

    def watch(self, engine: Engine) -> None:
        """Know when one of the app's statements may have changed a table's definition."""

        def defined() -> None:
            self._defined = True

        watch_definitions(engine, defined)

    def blocking(self) -> tuple[str, Callable[[], Any]]:
        """A URL's dialect and a way to connect for code that can't await."""
        connect = driver().connect
        return "postgresql+psycopg://", lambda: connect(**self._address())

    # -- its contents ------------------------------------------------------------------------------

    def build(self, fingerprint: str | None, make: Callable[[], None], *, rebuild: bool) -> bool:
        """Have the tables in it, from a template. Raises GreenroomError."""
        server = self._connected_server()
        if self._place is not None:
            # The app has connected before its tables were known: what it has made stays, and is
            # what the database is made again from.
            make()
            if self._adopted is None:
                self._let_go(self._place)
                server.disconnect(self.name)
                self._template = Template(self._copy("test", self.name).name, reused=False)
            return False
        self._make = make
        if not server.may_create:
            return self._build_in_adopted(fingerprint or "", rebuild=rebuild)
        kind = "template" if fingerprint else "test"
        mark = self._mark(
            kind, f"{fingerprint or secrets.token_hex(16)} {self._role or ''}".strip()
        )

        def build_in(name: str) -> None:
            self._place = _Place(name)
            try:
                make()
            finally:
                self._let_go(self._place)
                self._place = None

        self._template = find_or_build(server, mark, build_in, owner=self._role, rebuild=rebuild)
        if kind == "test":
            server.hold(self._template.name)
        self._place = self._copy("test", self._template.name)
        return self._template.reused

    def _build_in_adopted(self, fingerprint: str, *, rebuild: bool) -> bool:
        name, self._adopted = adopted.take(self._connected_server())
        self._place = _Place(name)
        known = self._adopted
        self._adopted = replace(known, fingerprint=fingerprint, complete=True)
        # It isn't complete while tests write into it: a killed run must not be trusted.
        self._mark_adopted(complete=False)
        if fingerprint and known.fingerprint == fingerprint and known.complete and not rebuild:
            return True
        adopted.empty(self._control())
        self._make()
        return False

    def _mark_adopted(self, *, complete: bool) -> None:
        assert self._adopted is not None
        with contextlib.suppress(driver().Error):  # Its owner may be somebody else.
            mark = replace(self._adopted, complete=complete, used=time.time())
            self._connected_server().mark(self.name, mark)

    def is_empty(self) -> bool:
        """Whether there is nothing of the app's in it."""
        return self._place is None or catalogue.is_empty(self._control())

    @property
    def has_baseline(self) -> bool:
        """Whether `reset` has something to go back to."""
        return self._baseline is not None

    def version(self) -> object | None:
        """The server's snapshot: it changes whenever a transaction that wrote has ended."""
        try:
            row = self._control().execute(b"SELECT pg_current_snapshot()::text").fetchone()
        except driver().Error:
            return None
        return row[0] if row else None

    def take_origin(self) -> None:
        """Make the state of now the one that a start-up begins from."""
        self.open()
        self._end_open()
        self._origin = picture.take(self._control())
        self._install(self._control(), _REWIND, self._origin)

    def take_baseline(self) -> None:
        """Make the state of now the one that every test begins from."""
        self.open()
        # Whatever is committed later would look older than the picture.
        self._end_open()
        self._baseline = picture.take(self._control())
        self._install(self._control(), _RESET, self._baseline)
        self._defined = False

    def rewind(self) -> Reset:
        """Go back to the state before the app's start-up, which is about to run again."""
        return self._go_back(_REWIND, self._origin) if self._origin is not None else Reset.CLEAN

    def reset(self) -> Reset:
        """Go back to the baseline. Raises GreenroomError."""
        return self._go_back(_RESET, self._baseline) if self._baseline is not None else Reset.CLEAN

    def roll_back(self) -> bool:
        """End the transactions that were left open; whether there were any."""
        if self._place is None or self._baseline is None:
            return False
        try:
            return self._end_open()
        except (driver().Error, GreenroomError):
            return False  # The server is no more, and with it every transaction.

    def clone(self) -> None:
        """Go on with a database that is like the baseline."""
        assert self._baseline is not None
        if self._adopted is not None:
            raise GreenroomError(
                Code.MAY_NOT_CREATE,
                f"a clone can't be made {self.place}: greenroom may not create databases there.",
                "Run this test on a server where it may, or under the isolation reset.",
            )
        if self._template is not None and not self._start_up_makes_tables():
            source = self._template.name
        else:
            source = self.name
            self._let_go(self._place)
            self._connected_server().disconnect(source)
        self._before_clone, self._place = self._place, self._copy("clone", source)
        self._restore(_RESET)

    def end_clone(self, *, keep: bool) -> str | None:
        """Go back to the database from before `clone`; the kept one's address if it is kept."""
        server, clone = self._connected_server(), self._place
        if self._before_clone is None or clone is None:
            return None
        self._let_go(clone)
        self._place, self._before_clone = self._before_clone, None
        address = None
        if keep:
            server.mark(clone.name, self._mark("kept"))
            address = server.url.set(database=clone.name).render_as_string(hide_password=True)
        else:
            server.drop(clone.name, force=True)
        server.release(clone.name)
        return address

    def close(self) -> None:
        """Drop it. Calling it twice is harmless."""
        server, place, self._place = self._server, self._place, None
        if server is None or place is None:
            return
        if self._adopted is not None:
            self._leave_adopted(place)
            return
        self._let_go(place)
        names = [place.name]
        if self._before_clone is not None:
            self._let_go(self._before_clone)
            names.append(self._before_clone.name)
        if self._template is not None:
            names.append(self._template.name)
        with contextlib.suppress(driver().Error, GreenroomError):
            marked = server.marked()
            for name in names:
                if name in marked and marked[name].kind != "template":
                    server.drop(name, force=True)

    def _leave_adopted(self, place: _Place) -> None:
        """Leave it as it was built, for the next run."""
        self._place = place
        with contextlib.suppress(driver().Error, GreenroomError):
            if self._origin is not None and not self._start_up_makes_tables():
                as_built = self._go_back(_REWIND, self._origin) in {Reset.CLEAN, Reset.MOVED}
                self._mark_adopted(complete=as_built)
        self._let_go(place)
        self._place = None

    # -- going back --------------------------------------------------------------------------------

    def _go_back(self, function: str, state: Picture) -> Reset:
        found = Reset.CLEAN
        if self._defined and self._is_defined_anew(state):
            return self._remake(function)
        self._defined = False
        for _ in range(4):
            try:
                answer = self._call(function)
            except driver().errors.LockNotAvailable:
                self._end("xact_start IS NOT NULL")
                found = Reset.MOVED
                continue
            except (driver().OperationalError, driver().InterfaceError):
                self._reconnect()
                # The app's connections are likely to have gone the same way.
                found = Reset.REMADE if found is Reset.CLEAN else found
                continue
            if answer == picture.BACK:
                return found
            if answer == picture.CACHED:
                return Reset.REMADE if found is Reset.CLEAN else found
            if answer == picture.CHANGED:
                return self._remake(function)
            if self._end_open():
                found = Reset.MOVED
        raise GreenroomError(
            Code.BUSY,
            f"the test database {self.name} can't be reset: other connections hold locks in it.",
            "Close every session and connection that a test opens.",
        )

    def _call(self, function: str) -> str:
        errors = driver().errors
        try:
            row = self._control().execute(f"SELECT pg_temp.{function}()".encode()).fetchone()
        except (errors.UndefinedFunction, errors.InvalidSchemaName):
            # A lost connection was opened again, and the function doesn't fit the tables any more.
            return picture.CHANGED
        return str(row[0]) if row else ""

    def _is_defined_anew(self, state: Picture) -> bool:
        """Whether a statement has changed a definition, and not only looked as if it might."""
        try:
            return catalogue.definitions(self._control()) != state.catalogue.definitions
        except (driver().OperationalError, driver().InterfaceError):
            self._reconnect()
            return catalogue.definitions(self._control()) != state.catalogue.definitions

    def _remake(self, function: str) -> Reset:
        """Copy the template again: the tables were changed."""
        self._defined = False
        if self._adopted is not None:
            self._connected_server().disconnect(self.name)
            self._let_go(self._place)
            self._baseline = self._origin = None
            adopted.empty(self._control())
            self._make()
            self.take_origin()
            return Reset.EMPTIED
        assert self._origin is not None
        server, name = self._connected_server(), self.name
        self._let_go(self._place)
        server.drop(name, force=True)
        self._place = self._copy("test", self._template.name if self._template else None)
        if function == _RESET and self._start_up_makes_tables():
            self._baseline = None
            return Reset.EMPTIED
        self._restore(function)
        return Reset.REMADE

    def _start_up_makes_tables(self) -> bool:
        if self._origin is None or self._baseline is None:
            return False
        return self._origin.catalogue.definitions != self._baseline.catalogue.definitions

    def _restore(self, function: str) -> None:
        """Write every row of the picture again, in a database that was just copied."""
        self._control()
        if self._call(function) not in {picture.BACK, picture.CACHED}:
            raise GreenroomError(
                Code.BUSY,
                f"the copy {self.name} of the template isn't like the database that it stands for.",
                "Make the template anew: pytest --greenroom-rebuild.",
            )

    def _end_open(self) -> bool:
        """End the transactions that have written and aren't committed; whether there were any."""
        until = time.monotonic() + PATIENCE
        idle = 0
        while time.monotonic() < until and idle < _LOOKS:
            states = [state for _, state in self._open()]
            if not states:
                return False
            # Between two statements of one that works on, it is idle for a moment.
            idle = 0 if "active" in states else idle + 1
            time.sleep(0.005)
        self._end("pid = ANY(%s)", [pid for pid, _ in self._open()])
        return True

    def _open(self) -> list[tuple[int, str]]:
        rows = self._control().execute(picture.OPEN_TRANSACTIONS.encode())
        return [(int(pid), str(state)) for pid, state in rows]

    def _end(self, which: str, *parameters: object) -> None:
        """End some of this database's connections, and wait until they have gone."""
        # Two steps: in one, PostgreSQL may end connections before it looks whose they are.
        found = self._control().execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            f"AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND {which}".encode(),
            parameters or None,
        )
        pids = [row[0] for row in found]
        for pid in pids:
            self._control().execute(b"SELECT pg_terminate_backend(%s)", [pid])
        until = time.monotonic() + 20 * PATIENCE
        while time.monotonic() < until:
            left = self._control().execute(
                b"SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", [pids]
            )
            if left.fetchone() == (0,):
                return
            time.sleep(0.002)

    # -- means -------------------------------------------------------------------------------------

    def _connected_server(self) -> Server:
        if self._server is None:
            self._server, self._role = self._find()
        return self._server

    def _control(self) -> psycopg.Connection[Any]:
        """Greenroom's own connection: rights to skip triggers, and no patience with locks."""
        self.open()
        place = self._place
        assert place is not None
        if place.control is None or place.control.closed:
            place.control = self._connected_server().connect(place.name)
            place.control.execute(
                f"SET lock_timeout = {LOCK_TIMEOUT}; SET synchronous_commit = off".encode()
            )
            try:
                place.control.execute(b"SET session_replication_role = replica")
            except driver().errors.InsufficientPrivilege:
                self._privileged = False
            self._furnish(place.control)
        return place.control

    def _reconnect(self) -> None:
        """Go on after greenroom's own connection was lost.

        :raises GreenroomError: if the server, or the database, is no more.
        """
        self._let_go(self._place)
        try:
            self._control()
        except driver().Error as error:
            said = " ".join(str(error).split())
            raise GreenroomError(
                Code.SERVER,
                f"the PostgreSQL server {self.place} was lost in the middle of the run: {said}.",
                "Look at the server's log; the tests after this one can't be trusted to be isolated.",
            ) from None

    def _furnish(self, control: psycopg.Connection[Any]) -> None:
        """Give a new connection of greenroom's the functions; rows it hasn't seen aren't trusted."""
        for function, state in ((_REWIND, self._origin), (_RESET, self._baseline)):
            if state is not None:
                with contextlib.suppress(driver().ProgrammingError):  # Of tables that are no more.
                    self._install(control, function, state, trusted=False)

    def _install(
        self,
        control: psycopg.Connection[Any],
        function: str,
        state: Picture,
        *,
        trusted: bool = True,
    ) -> None:
        picture.install(control, state, function, privileged=self._privileged, trusted=trusted)

    def _copy(self, kind: str, template: str | None) -> _Place:
        name = self._new_name(kind)
        server = self._connected_server()
        server.create(name, self._mark(kind), template, owner=self._role)
        return _Place(name)

    def _let_go(self, place: _Place | None) -> None:
        if place is not None and place.control is not None:
            place.control.close()
            place.control = None

    def _address(self) -> dict[str, Any]:
        address = self._connected_server().arguments(self.name)
        if self._role:
            address["user"] = self._role
        return address

    def _mark(self, kind: str, fingerprint: str = "") -> Mark:
        return Mark(
            kind,
            project=str(self._identity.project),
            fingerprint=fingerprint,
            used=time.time(),
            run=self._identity.run,
        )

    def _new_name(self, kind: str) -> str:
        worker = "".join(c for c in self._identity.worker if c.isalnum())[:8]
        return f"greenroom_{kind}_{worker}_{self._number}_{secrets.token_hex(4)}"
