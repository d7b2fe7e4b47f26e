"""The connections that an app opens by a driver itself, led where its engines are led."""

from __future__ import annotations

import contextlib
import functools
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import URL, Engine

from greenroom.database.engines import Engines
from greenroom.database.identity import SQLITE, sqlite_key
from greenroom.database.pools import has_ended
from greenroom.database.private import PrivateDatabase
from greenroom.database.raw.drivers import DRIVERS, Led, all_frames, frames
from greenroom.database.raw.imports import AfterImport
from greenroom.facts.errors import Code, GreenroomError

#: Who opens connections by a driver for engines, which lead them by themselves.
_KNOWS_THE_WAY = ("sqlalchemy.", "greenroom.database.")


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    connection: weakref.ref[Any]
    is_open: Callable[[Any], bool]
    drop: Callable[[Any], object] | None
    driver: str

    @property
    def lives(self) -> bool:
        connection = self.connection()
        return connection is not None and self.is_open(connection)


class RawConnections:
    """The watch over the drivers themselves.

    An engine stands in for each database that is met in this way: it is one of the app's from then
    on, with its tables, its reset and its `db_session`.
    """

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._opened: dict[PrivateDatabase, list[_Opened]] = {}
        self._undo = contextlib.ExitStack()

    def watch(self) -> None:
        """See every connection from now on, of each driver from its import on."""
        imports = AfterImport(
            {name: functools.partial(self._patch, name) for name in DRIVERS},
        )
        self._undo.callback(imports.close)
        imports.watch()

    def close(self) -> None:
        """Stop watching. Calling it twice is harmless."""
        self._undo.close()

    def refuse(self, isolation: str) -> None:
        """Refuse an isolation that can't reach the connections that are open now.

        :raises GreenroomError: if there are some.
        """
        for database, opened in self._opened.items():
            living = sorted({one.driver for one in opened if one.lives})
            if living:
                raise GreenroomError(
                    Code.RAW,
                    f"the isolation {isolation} can't reach the connections to {database.place} that "
                    f"the app has opened by {' and '.join(living)} itself: they would stay where they "
                    "are.",
                    'Let such tests have real commits and a reset: @pytest.mark.isolation("reset").',
                )

    def drop(self, database: PrivateDatabase) -> None:
        """Close the connections that the server has ended, before a pool hands one of them out."""
        for opened in self._opened.get(database, ()):
            connection = opened.connection()
            if connection is None or opened.drop is None or not opened.is_open(connection):
                continue
            # One that listens, say, goes on: another test's transaction is none of its business.
            if has_ended(connection) is not False:
                with contextlib.suppress(Exception):  # Of a loop that has ended, say.
                    opened.drop(connection)

    # -- what the drivers ask ----------------------------------------------------------------------

    def lead(self, url: URL, arguments: list[Any], keywords: dict[str, Any]) -> Led | None:
        """Change the arguments if they name one of the app's databases; None if they don't."""
        __tracebackhide__ = True
        if _asked_by_an_engine() or _is_scratch(url) or _is_left_alone(url):
            return None
        if _is_read_only(url) and not self._engines.knows(url):
            return None
        engine = self._engines.stand_in(url)
        if engine is None:
            return None
        if self._engines.stages.is_on:
            raise GreenroomError(
                Code.RAW,
                "the isolation rollback can't reach a connection that the app opens by "
                f"{_name(engine)} itself.",
                'Let such tests have real commits and a reset: @pytest.mark.isolation("reset").',
            )
        database = self._engines.ready(engine)
        database.lead(engine.dialect, arguments, keywords)
        return Led(database, _name(engine))

    def opened(
        self,
        led: Led,
        connection: Any,
        is_open: Callable[[Any], bool],
        drop: Callable[[Any], object] | None = None,
    ) -> None:
        """Remember a connection for as long as it lives."""
        known = self._opened.setdefault(led.database, [])
        known[:] = [one for one in known if one.connection() is not None]
        known.append(_Opened(weakref.ref(connection), is_open, drop, led.driver))

    def _patch(self, name: str, module: Any) -> None:
        self._undo.callback(DRIVERS[name](module, self))


def _name(engine: Engine) -> str:
    driver: str = engine.dialect.driver
    return "sqlite3" if driver == "pysqlite" else driver


def _asked_by_an_engine() -> bool:
    """Whether the first who isn't a driver knows the way already."""
    for frame in frames():
        return bool(frame.f_globals.get("__name__", "").startswith(_KNOWS_THE_WAY))
    return False


def _is_left_alone(url: URL) -> bool:
    """Whether a file of SQLite's is what a library keeps for itself.

    A driver's own connection is isolated where code that isn't a library's asks for it, or an ORM; of
    aiosqlite, which ORMs use, every one. In the thread that it works in, it has been led already.
    """
    if url.get_backend_name() != SQLITE or url.drivername.endswith("aiosqlite"):
        return False
    if any(frame.f_globals.get("__name__", "").startswith("aiosqlite") for frame in all_frames()):
        return True
    for frame in frames():
        return bool({"site-packages", "dist-packages"} & set(frame.f_code.co_filename.split("/")))
    return False


def _is_scratch(url: URL) -> bool:
    """Whether it's SQLite in memory."""
    key = sqlite_key(url.database, url.query, -1)
    return url.get_backend_name() == SQLITE and key.startswith("sqlite:memory:")


def _is_read_only(url: URL) -> bool:
    """Whether it's a file of SQLite's that is only read."""
    name = url.database or ""
    return url.get_backend_name() == SQLITE and ("mode=ro" in name or "immutable=1" in name)
