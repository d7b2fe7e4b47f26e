"""A private PostgreSQL database: copied from the template, reset in one round trip."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import URL

from greenroom.database import adoption
from greenroom.database.identity import shown
from greenroom.database.layers import LayerError, Layers
from greenroom.database.mark import Mark
from greenroom.database.postgresql import adopted, catalogue, picture, words
from greenroom.database.postgresql.control import Control
from greenroom.database.postgresql.picture import Picture
from greenroom.database.postgresql.server import Server, driver
from greenroom.database.postgresql.template import Template, find_or_build
from greenroom.database.private import PrivateDatabase, Reset
from greenroom.database.statements import refuse_databases, watch_definitions
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.run import RunIdentity

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine
    from sqlalchemy.engine.interfaces import Dialect

_RESET = "greenroom_reset"
_REWIND = "greenroom_rewind"


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
        self._place: Control | None = None
        self._before_clone: Control | None = None
        self._template: Template | None = None
        self._pictures: dict[str, Picture] = {}
        self.layers = Layers(_RESET, self._take_layer, self._rebase_layer, self._drop_layer)
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
            self._place = self._controlled(name)
        else:
            name, self._adopted = adoption.take(
                server, str(self._identity.project), adopted.WAYS_OUT
            )
            self._place = self._controlled(name)
            if not self.keeps_tables:
                adopted.empty(self._control.connection)

    def url(self, url: URL) -> URL:
        """The app's URL, leading to this database."""
        server = self._connected_server()
        query = {word: value for word, value in url.query.items() if words.keeps(word)}
        there = server.arguments(self.name)
        host, port = there.get("host"), str(there.get("port") or "")
        if host and (host.startswith("/") or "," in host):
            query["host"] = host
            if "," in port:
                query["port"] = port
        return url.set(
            username=self._role or server.url.username,
            password=str(server.url.password) if server.url.password is not None else None,
            host=None if "host" in query else host,
            port=int(port) if port.isdigit() else None,
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

        def is_own(name: str) -> bool:
            return self._connected_server().is_embedded or name == self.name

        watch_definitions(engine, defined)
        refuse_databases(engine, "postgresql", is_own, lambda: self.place)

    def blocking(self, told: Mapping[str, Any]) -> tuple[URL, Callable[..., Any]]:
        """A way to connect for code that can't await, and a URL: its dialect, and what else decides where tables go."""
        connect = driver().connect
        session = words.session(told)
        url = URL.create("postgresql+psycopg", query=words.searched(session))
        return url, lambda **more: connect(**session, **self._address(), **more)

    # -- its contents ------------------------------------------------------------------------------

    def build(self, fingerprint: str | None, make: Callable[[], None], *, rebuild: bool) -> bool:
        """Have the tables in it, from a template. Raises GreenroomError."""
        server = self._connected_server()
        if fingerprint is not None:
            fingerprint = server.fingerprint(fingerprint)
        if self._place is not None:
            # The app has connected before its tables were known: what it has made stays, and is
            # what the database is made again from.
            make()
            if self._adopted is None:
                self._place.close()
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
            self._place = self._controlled(name)
            try:
                make()
            finally:
                self._place.close()
                self._place = None

        self._template = find_or_build(server, mark, build_in, owner=self._role, rebuild=rebuild)
        if kind == "test":
            server.hold(self._template.name)
        self._place = self._copy("test", self._template.name)
        return self._template.reused

    def _build_in_adopted(self, fingerprint: str, *, rebuild: bool) -> bool:
        name, self._adopted = adoption.take(
            self._connected_server(), str(self._identity.project), adopted.WAYS_OUT
        )
        self._place = self._controlled(name)
        known = self._adopted
        project = str(self._identity.project)
        self._adopted = replace(known, project=project, fingerprint=fingerprint, complete=True)
        # It isn't complete while tests write into it: a killed run must not be trusted.
        self._mark_adopted(complete=False)
        if adoption.is_as_built(known, fingerprint, rebuild=rebuild):
            return True
        adopted.empty(self._control.connection)
        self._make()
        return False

    def _mark_adopted(self, *, complete: bool) -> None:
        assert self._adopted is not None
        with contextlib.suppress(driver().Error):  # Its owner may be somebody else.
            mark = replace(self._adopted, complete=complete, used=time.time())
            self._connected_server().mark(self.name, mark)

    def empty(self) -> None:
        """Drop what an earlier run has made in it."""
        adopted.empty(self._control.connection)

    def is_empty(self) -> bool:
        """Whether there is nothing of the app's in it."""
        return self._place is None or catalogue.is_empty(self._control.connection)

    @property
    def has_baseline(self) -> bool:
        """Whether `reset` has something to go back to."""
        return _RESET in self._pictures

    def version(self) -> object | None:
        """The server's snapshot: it changes whenever a transaction that wrote has ended."""
        try:
            return self._control.ask("SELECT pg_current_snapshot()")
        except driver().Error:
            return None

    def take_origin(self) -> None:
        """Make the state of now the one that a start-up begins from."""
        if self._adopted is not None:
            self.no_reset = adopted.lacks(self._control.connection)
        else:
            self.no_reset = adopted.hidden(self._control.connection)
        if self.no_reset is None:
            self._control.take(_REWIND)

    def take_baseline(self) -> None:
        """Make the state of now the one that every test begins from."""
        self.layers.clear()
        if self.no_reset is None:
            hidden = adopted.hidden(self._control.connection)
            if hidden is not None:
                raise GreenroomError(
                    Code.BUSY,
                    f"the test database {self.name} can't be reset: that would need {hidden}, and the app's "
                    "start-up has made that table.",
                    "Give greenroom's user BYPASSRLS, or have migrations make the table: tests are rolled back then.",
                )
            self._control.take(_RESET)
        self._defined = False

    def rewind(self) -> Reset:
        """Go back to the state before the app's start-up, which is about to run again."""
        return self._go_back(_REWIND) if _REWIND in self._pictures else Reset.CLEAN

    def reset(self) -> Reset:
        """Go back to the baseline. Raises GreenroomError."""
        return self._go_back(self.layers.top) if _RESET in self._pictures else Reset.CLEAN

    def _take_layer(self, name: str, below: str) -> bool:
        # What says that something was written moves with what others do on the server.
        self._control.take(name)
        self._defined = False
        return not self._pictures[name].is_like(self._pictures[below])

    def _rebase_layer(self, upper: str, old: str, new: str, made: str) -> None:
        known = self._pictures
        self._control.put(made, picture.rebase(known[upper], known[old], known[new]))
        self._go_back(made)
        table = catalogue.dangling(self._control.connection)
        if table is not None:
            raise LayerError(f"its rows of {table} refer to rows that ended")

    def _drop_layer(self, name: str) -> None:
        self._pictures.pop(name, None)

    def roll_back(self) -> bool:
        """End the transactions that were left open; whether there were any."""
        if self._place is None or _RESET not in self._pictures:
            return False
        try:
            return self._place.end_open()
        except (driver().Error, GreenroomError):
            return False  # The server is no more, and with it every transaction.

    def clone(self) -> None:
        """Go on with a database that is like the baseline."""
        if self._adopted is not None:
            raise adoption.no_clone(self.place)
        top = self.layers.top
        if self._template is not None and self._template_has(top):
            source = self._template.name
        else:
            source = self.name
            self._control.close()
            self._connected_server().disconnect(source)
        self._before_clone, self._place = self._place, self._copy("clone", source)
        try:
            self._restore(top)
        except BaseException:
            self.end_clone(keep=False)
            raise

    def end_clone(self, *, keep: bool) -> str | None:
        """Go back to the database from before `clone`; the kept one's address if it is kept."""
        server, clone = self._connected_server(), self._place
        if self._before_clone is None or clone is None:
            return None
        clone.close()
        self._place, self._before_clone = self._before_clone, None
        address = None
        if keep:
            server.mark(clone.name, self._mark("kept"))
            address = self._address_of(clone.name)
            server.when_built()  # An embedded server's cluster is kept for it.
        else:
            server.drop(clone.name, force=True)
        server.release(clone.name)
        return address

    def clone_address(self) -> str | None:
        """Where the clone is found after the run, if it is kept; None if there is no clone now."""
        if self._before_clone is None or self._place is None:
            return None
        return self._address_of(self._place.name)

    def _address_of(self, name: str) -> str:
        server = self._connected_server()
        if server.is_embedded:
            return f"greenroom db open {name}"
        return shown(server.url.set(database=name))

    def close(self) -> None:
        """Drop it. Calling it twice is harmless."""
        server, place, self._place = self._server, self._place, None
        if server is None or place is None:
            return
        if self._adopted is not None:
            self._leave_adopted(place)
            return
        place.close()
        names = [place.name]
        if self._before_clone is not None:
            self._before_clone.close()
            names.append(self._before_clone.name)
        if self._template is not None:
            names.append(self._template.name)
        with contextlib.suppress(driver().Error, GreenroomError):
            marked = server.marked()
            for name in names:
                if name in marked and marked[name].kind != "template":
                    server.drop(name, force=True)

    def _leave_adopted(self, place: Control) -> None:
        """Leave it as it was built, for the next run."""
        self._place = place
        with contextlib.suppress(driver().Error, GreenroomError):
            if _REWIND in self._pictures and self._template_has(_RESET):
                as_built = self._go_back(_REWIND) in {Reset.CLEAN, Reset.MOVED}
                self._mark_adopted(complete=as_built)
        place.close()
        self._place = None

    # -- going back --------------------------------------------------------------------------------

    def _go_back(self, function: str) -> Reset:
        found = Reset.CLEAN
        control = self._control
        if self._defined and control.differs(function):
            return self._remake(function)
        self._defined = False
        for _ in range(4):
            try:
                answer = control.call(function)
            except driver().errors.LockNotAvailable:
                control.end_all()
                found = Reset.MOVED
                continue
            except (driver().OperationalError, driver().InterfaceError):
                control.reopen()
                # The app's connections are likely to have gone the same way.
                found = Reset.REMADE if found is Reset.CLEAN else found
                continue
            if answer == picture.BACK:
                return found
            if answer == picture.CACHED:
                return Reset.REMADE if found is Reset.CLEAN else found
            if answer == picture.CHANGED:
                return self._remake(function)
            if control.end_open():
                found = Reset.MOVED
        raise GreenroomError(
            Code.BUSY,
            f"the test database {self.name} can't be reset: other connections hold locks in it.",
            "Close every session and connection that a test opens.",
        )

    def _remake(self, function: str) -> Reset:
        """Copy the template again: the tables were changed."""
        self._defined = False
        self.let_go()
        if self._adopted is not None:
            self._connected_server().disconnect(self.name)
            self._control.close()
            self._pictures.clear()
            adopted.empty(self._control.connection)
            self._make()
            self.take_origin()
            return Reset.EMPTIED
        server, name = self._connected_server(), self.name
        self._control.close()
        server.drop(name, force=True)
        self._place = self._copy("test", self._template.name if self._template else None)
        if not self._template_has(function):
            return Reset.EMPTIED
        self._restore(function)
        return Reset.REMADE

    def _template_has(self, function: str) -> bool:
        """Whether a picture is of the template's tables, and not of others that the start-up or a fixture made."""
        first, last = (self._pictures.get(name) for name in (_REWIND, function))
        if first is None or last is None:
            return True
        # The digest as well: of a materialized view that was refreshed, nothing else tells.
        return (first.catalogue.digest, first.catalogue.definitions) == (
            last.catalogue.digest,
            last.catalogue.definitions,
        )

    def _restore(self, function: str) -> None:
        """Write every row of the picture again, in a database that was just copied."""
        if self._control.call(function) not in {picture.BACK, picture.CACHED}:
            raise GreenroomError(
                Code.BUSY,
                f"the copy {self.name} of the template isn't like the database that it stands for.",
                "Make the template anew: pytest --greenroom-rebuild.",
            )

    # -- means -------------------------------------------------------------------------------------

    def _connected_server(self) -> Server:
        if self._server is None:
            self._server, self._role = self._find()
        return self._server

    @property
    def _control(self) -> Control:
        self.open()
        assert self._place is not None
        return self._place

    def _controlled(self, name: str) -> Control:
        return Control(self._connected_server(), name, self._pictures)

    def _copy(self, kind: str, template: str | None) -> Control:
        name = self._new_name(kind)
        server = self._connected_server()
        server.create(name, self._mark(kind), template, owner=self._role)
        return self._controlled(name)

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
