"""Everything that greenroom has made and that is still there: on a server, and in the cache."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from greenroom.database.identity import backend_of, parse_url, shown
from greenroom.database.mark import ADOPTED
from greenroom.database.mysql import adopted as adopted_mysql
from greenroom.database.mysql.server import Server as MysqlServer
from greenroom.database.postgresql import adopted, embedded
from greenroom.database.postgresql.server import Server
from greenroom.database.servers import MYSQL, POSTGRESQL
from greenroom.facts.errors import Code, GreenroomError


@dataclass(frozen=True, slots=True)
class Made:
    """One database, or one kept cluster of the embedded server.

    :param used: when it was last used, in seconds since 1970; 0 if that isn't known.
    """

    name: str
    kind: str
    place: str
    project: str
    used: float
    in_use: bool


def find(url: str | None) -> list[Made]:
    """What is there.

    :param url: a server; None looks into the cache alone.
    :raises GreenroomError: if the server can't be reached.
    """
    found: list[Made] = []
    if url is not None:
        with _server(url) as server:
            marked = server.marked()
            if isinstance(server, MysqlServer):
                marked |= server.adopted()
            for name, mark in marked.items():
                free = server.try_hold(name)
                if free:
                    server.release(name)
                found.append(
                    Made(name, mark.kind, server.place, mark.project, mark.used, in_use=not free)
                )
    for kept in embedded.kept_clusters():
        note = kept.with_name(f"{kept.name}.project")
        project = note.read_text() if note.exists() else ""
        used = kept.stat().st_mtime
        found.append(Made(kept.name, "cluster", str(kept.parent), project, used, in_use=False))
    return found


def clean(url: str | None) -> list[Made]:
    """Remove what isn't in use; an adopted database stays, since greenroom didn't make it.

    :returns: what was removed.
    :raises GreenroomError: if the server can't be reached.
    """
    dropped = []
    there = find(url)
    if url is not None:
        with _server(url) as server:
            for one in there:
                if one.kind in {"cluster", ADOPTED} or not server.try_hold(one.name):
                    continue
                if server.drop(one.name):
                    dropped.append(one)
                server.release(one.name)
            if isinstance(server, MysqlServer):
                server.remove_registry()
    kept = {kept.name: kept for kept in embedded.kept_clusters()}
    for one in there:
        if one.kind == "cluster" and one.name in kept:
            shutil.rmtree(kept[one.name], ignore_errors=True)
            for note in kept[one.name].parent.glob(f"{one.name}.*"):
                note.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                kept[one.name].parent.rmdir()
            dropped.append(one)
    return dropped


def adopt(url: str, *, with_rows: bool) -> None:
    """Mark the database that a URL names as one that greenroom may use.

    :param with_rows: whether it may have rows, which will be deleted.
    :raises GreenroomError: if it may not, or the server can't be reached.
    """
    with _server(url) as server:
        name = _parsed(url).database
        if not name:
            raise GreenroomError(
                Code.NOT_OURS, "the URL names no database.", "Add its name: …/shop_test"
            )
        if isinstance(server, MysqlServer):
            adopted_mysql.adopt(server, name, with_rows=with_rows)
        else:
            adopted.adopt(server, name, with_rows=with_rows)


@contextlib.contextmanager
def opened(name: str, folder: Path) -> Iterator[str]:
    """Start the embedded server with what a project's last run has kept; the address of a database in it.

    :param folder: the project's, or one in it.
    :raises GreenroomError: if nothing is kept for it, or no database of that name.
    """
    project = next((one for one in (folder, *folder.parents) if embedded.has_kept(one)), None)
    if project is None:
        raise GreenroomError(
            Code.NOT_OURS,
            f"no database is kept for {folder}.",
            "Go to the project's folder; pytest --greenroom-keep keeps what a failed test's clone had.",
        )
    started = embedded.join(uuid.uuid4().hex, project, None)
    try:
        url = make_url("postgresql://postgres@/postgres").update_query_dict(
            {"host": str(started.folder)}
        )
        server = Server(url, "embedded")
        kept = [one for one, mark in server.marked().items() if mark.kind == "kept"]
        server.close()
        if name not in kept:
            raise GreenroomError(
                Code.NOT_OURS,
                f"no database {name} is kept for {project}.",
                f"There {'are' if len(kept) != 1 else 'is'}: {', '.join(kept) or 'none'}.",
            )
        yield shown(url.set(database=name))
    finally:
        started.leave()


def name_of(url: str) -> str:
    """The database's name in a URL, without a password."""
    return shown(_parsed(url))


def _parsed(url: str) -> URL:
    parsed = parse_url(url)
    if parsed is None:
        raise GreenroomError(
            Code.CONFIGURATION,
            "that is not the URL of a server.",
            "Write postgresql://user:password@host/database or mysql://user:password@host/database.",
        )
    return parsed


@contextlib.contextmanager
def _server(text: str) -> Iterator[Server | MysqlServer]:
    url = _parsed(text)
    backend = backend_of(url)
    where = f"on {url.host or 'localhost'}"
    server: Server | MysqlServer
    if backend == POSTGRESQL:
        server = Server(url.set(drivername=POSTGRESQL), where)
    elif backend in MYSQL:
        server = MysqlServer(url.set(drivername="mysql"), where)
    else:
        raise GreenroomError(
            Code.CONFIGURATION,
            f"{url.drivername} is not a server that greenroom makes databases on.",
            "Name a PostgreSQL, MariaDB or MySQL server.",
        )
    try:
        yield server
    finally:
        server.close()
