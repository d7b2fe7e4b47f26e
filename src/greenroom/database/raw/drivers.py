"""Where each driver opens a connection, and how that is led elsewhere.

The deepest function of a driver that still knows everything is replaced: an app may have bound the
ones above it to names of its own.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from sqlalchemy.engine import URL

from greenroom.database.identity import parse_url
from greenroom.database.private import PrivateDatabase
from greenroom.facts.errors import Code, GreenroomError

Undo: TypeAlias = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Led:
    """Where a connection was led.

    :param driver: by which driver.
    """

    database: PrivateDatabase
    driver: str


class Way(Protocol):
    """What a driver is told of a connection that it is about to open."""

    def lead(self, url: URL, arguments: list[Any], keywords: dict[str, Any]) -> Led | None:
        """Change the arguments if the URL is the app's, and say where they lead now."""

    def opened(
        self,
        led: Led,
        connection: Any,
        is_open: Callable[[Any], bool],
        drop: Callable[[Any], object] | None = None,
    ) -> None:
        """A connection that was led has been opened.

        :param is_open: tells whether it still is.
        :param drop: closes it without asking the server, which has ended it; None if it has none.
        """


def asyncpg(module: Any, way: Way) -> Undo:
    """Lead `asyncpg.connect` and the connections of `asyncpg.create_pool`."""
    utils = module.connect_utils
    original = utils._connect  # noqa: SLF001 - public ones are bound early

    async def connect(**keywords: Any) -> Any:
        __tracebackhide__ = True
        named = dict(keywords)
        url = _libpq_url("asyncpg", named.get("dsn"), {**named, "dbname": named.get("database")})
        led = way.lead(url, [], named) if url is not None else None
        if led is None:
            return await original(**keywords)
        # All of them are wanted, and no others; None says nothing.
        made = await original(**{name: named.get(name) for name in keywords})
        way.opened(led, made, lambda opened: not opened.is_closed(), lambda gone: gone.terminate())
        return made

    return _replaced(utils, "_connect", connect)


def psycopg(module: Any, way: Way) -> Undo:
    """Lead the connections of psycopg 3, of both kinds, and those of its pools."""
    undo = contextlib.ExitStack()
    synchronous = module.Connection.__dict__["connect"].__func__
    asynchronous = module.AsyncConnection.__dict__["connect"].__func__

    def prepare(conninfo: str, keywords: dict[str, Any], kind: str) -> tuple[str, Led | None]:
        options = {"conninfo": conninfo, **keywords}
        with contextlib.suppress(module.ProgrammingError):  # The driver says it better itself.
            parsed = module.conninfo.conninfo_to_dict(
                conninfo, **{k: v for k, v in keywords.items() if k not in _OF_PSYCOPG}
            )
            url = _libpq_url(kind, None, parsed)
            if url is not None:
                # What only the string says is kept as well.
                options = {**parsed, **keywords}
                led = way.lead(url, [], options)
                if led is not None:
                    keywords.clear()
                    keywords.update(options)
                    return "", led
        return conninfo, None

    @functools.wraps(synchronous)
    def connect(cls: Any, conninfo: str = "", **keywords: Any) -> Any:
        __tracebackhide__ = True
        conninfo, led = prepare(conninfo, keywords, "psycopg")
        made = synchronous(cls, conninfo, **keywords)
        if led is not None:
            way.opened(led, made, _is_not_closed, lambda gone: gone.pgconn.finish())
        return made

    @functools.wraps(asynchronous)
    async def connect_async(cls: Any, conninfo: str = "", **keywords: Any) -> Any:
        __tracebackhide__ = True
        conninfo, led = prepare(conninfo, keywords, "psycopg_async")
        made = await asynchronous(cls, conninfo, **keywords)
        if led is not None:
            way.opened(led, made, _is_not_closed, lambda gone: gone.pgconn.finish())
        return made

    replacements: list[tuple[Any, Any]] = [
        (module.Connection, connect),
        (module.AsyncConnection, connect_async),
    ]
    for cls, function in replacements:
        undo.callback(_replaced(cls, "connect", classmethod(function)))
    undo.callback(_replaced(module, "connect", module.Connection.connect))
    return undo.close


def psycopg2(module: Any, way: Way) -> Undo:
    """Lead `psycopg2.connect`, and so its pools."""
    original = module._connect  # noqa: SLF001 - public ones are bound early

    def connect(dsn: str, *arguments: Any, **keywords: Any) -> Any:
        __tracebackhide__ = True
        parsed: dict[str, Any] = module.extensions.parse_dsn(dsn)
        url = _libpq_url("psycopg2", None, parsed)
        led = way.lead(url, [], parsed) if url is not None else None
        if led is None:
            return original(dsn, *arguments, **keywords)
        made = original(module.extensions.make_dsn(**parsed), *arguments, **keywords)
        way.opened(led, made, _is_not_closed, lambda gone: gone.close())
        return made

    return _replaced(module, "_connect", connect)


def aiosqlite(module: Any, way: Way) -> Undo:
    """Lead `aiosqlite.connect`."""
    original = module.connect

    @functools.wraps(original)
    def connect(database: Any, **keywords: Any) -> Any:
        __tracebackhide__ = True
        arguments = [database]
        led = way.lead(_sqlite_url("aiosqlite", database), arguments, keywords)
        made = original(*arguments, **keywords)
        if led is not None:
            way.opened(led, made, lambda connection: connection._connection is not None)  # noqa: SLF001
        return made

    undo = contextlib.ExitStack()
    undo.callback(_replaced(module, "connect", connect))
    undo.callback(_replaced(module.core, "connect", connect))
    return undo.close


def sqlite3(module: Any, way: Way) -> Undo:
    """Lead `sqlite3.connect`."""
    original = module.connect

    @functools.wraps(original)
    def connect(database: Any, *others: Any, **keywords: Any) -> Any:
        __tracebackhide__ = True
        arguments = [database, *others]
        led = way.lead(_sqlite_url("pysqlite", database), arguments, keywords)
        made = original(*arguments, **keywords)
        if led is not None:
            way.opened(led, made, functools.partial(_answers, module))
        return made

    undo = contextlib.ExitStack()
    undo.callback(_replaced(module, "connect", connect))
    undo.callback(_replaced(module.dbapi2, "connect", connect))
    return undo.close


#: The functions above, by the module whose import they wait for.
DRIVERS: Mapping[str, Callable[[Any, Way], Undo]] = {
    "asyncpg": asyncpg,
    "psycopg": psycopg,
    "psycopg2": psycopg2,
    "aiosqlite": aiosqlite,
    "sqlite3": sqlite3,
}
#: What psycopg's `connect` takes for itself, and doesn't pass on to libpq.
_OF_PSYCOPG = frozenset(
    {"autocommit", "prepare_threshold", "context", "row_factory", "cursor_factory"}
)


#: What opens connections for others: pools, ways into threads, and ORMs that have no engines.
_PASSES_ON = frozenset(
    [
        "psycopg_pool",
        "asyncio",
        "uvloop",
        "threading",
        "contextlib",
        "functools",
        "concurrent",
        "anyio",
        "starlette",
        "peewee",
        "playhouse",
        "pony",
        "sqlobject",
        "orator",
    ]
)


def _libpq_url(driver: str, dsn: str | None, named: Mapping[str, Any]) -> URL | None:
    """The URL of what a connection string and its keywords name; None if the string is wrong.

    What neither of them says is taken from the environment, as libpq does.

    :raises GreenroomError: if they name a service, whose address stands in a file of libpq's, or can't
        be read.
    """
    url = URL.create("postgresql")
    if dsn is not None:
        scheme, mark, rest = dsn.partition("://")
        if scheme not in {"postgresql", "postgres"} or not mark:
            return None
        address, slash, others = rest.partition("/")
        login, at, hosts = address.rpartition("@")
        parsed = parse_url(f"{scheme}://{login}{at}{hosts.partition(',')[0]}{slash}{others}")
        if parsed is None:
            raise GreenroomError(
                Code.RAW,
                f"a connection string of {driver} can't be read, so the connection can't be led to the "
                "test database.",
                "Write it as postgresql://user:password@host:port/database.",
            )
        url = parsed
    query = url.query

    def said(name: str, variable: str, of_the_url: Any) -> Any:
        value = named.get(name) or of_the_url or query.get(name) or os.environ.get(variable)
        return value[0] if isinstance(value, (list, tuple)) else value

    if said("service", "PGSERVICE", None) and not said("host", "PGHOST", url.host):
        raise GreenroomError(
            Code.RAW,
            f"a connection that {driver} opens by a service's name can't be led to "
            "the test database: which database that is stands in a file of libpq's.",
            "Give the host and the database in .env.test, or open it on the app's own engine.",
        )
    host = str(said("host", "PGHOST", url.host) or "")
    port = str(said("port", "PGPORT", url.port) or "5432").partition(",")[0]
    user = said("user", "PGUSER", url.username)
    database = said("dbname", "PGDATABASE", url.database) or said("database", "PGDATABASE", None)
    # Of several hosts any may be connected to: they are one cluster.
    host = host.partition(",")[0]
    return URL.create(
        f"postgresql+{driver}",
        username=str(user) if user else None,
        host=host or None,
        port=int(port) if port.isdigit() else None,
        database=str(database or user or "") or None,
    )


def _sqlite_url(driver: str, database: Any) -> URL:
    name = os.fsdecode(database) if isinstance(database, (str, bytes, os.PathLike)) else ""
    return URL.create(f"sqlite+{driver}", database=name or ":memory:")


def _is_not_closed(connection: Any) -> bool:
    return not connection.closed


def _answers(module: Any, connection: Any) -> bool:
    try:
        connection.total_changes  # noqa: B018 - a closed one raises
    except module.ProgrammingError:
        return False
    return True


def _replaced(holder: Any, name: str, value: object) -> Undo:
    before = vars(holder)[name]
    setattr(holder, name, value)
    return lambda: setattr(holder, name, before)


def all_frames() -> Iterator[Any]:
    """The frames that led here, the innermost first, up to what runs the event loop."""
    frame = sys._getframe(1)  # noqa: SLF001 - the stack is the question
    while frame is not None:
        if frame.f_globals.get("__name__", "") in {"asyncio.events", "asyncio.base_events"}:
            return
        yield frame
        frame = frame.f_back  # type: ignore[assignment]


def frames() -> Iterator[Any]:
    """The same without those of drivers, and of what opens connections for others.

    What runs the event loop has nothing to do with what a task on it does: there they end.
    """
    own = {*DRIVERS, *_PASSES_ON}
    for frame in all_frames():
        name = str(frame.f_globals.get("__name__", ""))
        if name.partition(".")[0] not in own and not name.startswith(__package__):
            yield frame
