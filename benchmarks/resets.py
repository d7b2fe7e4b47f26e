"""What a reset costs beside the other ways to undo a test's rows; and how fast a server starts."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import make_url

from greenroom.database.mysql.database import MysqlDatabase
from greenroom.database.mysql.server import Server as MysqlServer
from greenroom.database.postgresql import embedded
from greenroom.database.postgresql.database import PostgresDatabase
from greenroom.database.postgresql.server import Server
from greenroom.database.private import PrivateDatabase
from greenroom.database.sqlite import SqliteDatabase
from greenroom.facts.errors import GreenroomError
from greenroom.facts.run import RunIdentity

TABLES = (5, 30, 150)
ROUNDS = 10 * int(os.environ.get("BENCH_ROUNDS", "5"))
MARIADB = os.environ.get("BENCH_MARIADB", "mysql://root@127.0.0.1:3306")
_IDENTITY = RunIdentity("bench", "main", Path("bench"))
_KEYS = {
    "sqlite": "INTEGER PRIMARY KEY AUTOINCREMENT",
    "postgresql": "serial PRIMARY KEY",
    "mysql": "int AUTO_INCREMENT PRIMARY KEY",
}


def main() -> None:
    """Print milliseconds, and each way's ratio to the reset of its own row, interleaved."""
    print(f"\nOne reset after a test that wrote into two tables; medians of {ROUNDS}, interleaved")
    print(
        f"{'':12}{'tables':>8}{'reset, ms':>12}{'truncate':>12}{'drop/create':>14}{'savepoint':>12}"
    )
    with embedded_server() as url:
        for count in TABLES:
            _row("sqlite", count, _sqlite)
            _row("postgresql", count, lambda: _postgresql(url))
            try:
                _row("mysql", count, _mysql)
            except GreenroomError as error:
                print(f"{'mysql':12}left out: {error.what}")
    print(
        "truncate, drop/create and savepoint are multiples of the reset. What they leave out: the"
    )
    print("savepoint hides commits; truncate and drop/create leave no row of the start-up.")
    with embedded_server() as url:
        _templates("postgresql", lambda identity: _postgresql(url, identity))
    try:
        _templates("mysql", _mysql)
    except GreenroomError as error:
        print(f"mysql: left out: {error.what}")
    _starts()


@contextmanager
def embedded_server() -> Iterator[str]:
    """A server for the benchmark."""
    server = embedded.join(uuid.uuid4().hex, Path("bench"), None)
    yield f"postgresql://postgres@/postgres?host={server.folder}"
    server.leave()


def _sqlite() -> PrivateDatabase:
    folder = tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)  # noqa: S108
    return SqliteDatabase(Path(folder) / "1.db")


def _postgresql(url: str, identity: RunIdentity = _IDENTITY) -> PrivateDatabase:
    server = Server(make_url(url), "here")
    return PostgresDatabase(lambda: (server, None), identity, 1)


def _mysql(identity: RunIdentity = _IDENTITY) -> PrivateDatabase:
    server = MysqlServer(make_url(MARIADB), "here")
    _ = server.admin
    return MysqlDatabase(lambda: server, identity)


class _Bench:
    """A database with so many tables, and a test that writes into two of them."""

    def __init__(self, dialect: str, count: int, database: PrivateDatabase) -> None:
        self.names = [f"t{number}" for number in range(count)]
        key = _KEYS[dialect]
        self.create = [f"CREATE TABLE {name} (id {key}, name varchar(40))" for name in self.names]
        self.database = database
        database.open()
        self.connection = database.blocking({})[1]()
        self.send(*self.create)
        database.take_origin()
        database.take_baseline()

    def send(self, *statements: str, commit: bool = True) -> None:
        cursor = self.connection.cursor()
        for statement in statements:
            cursor.execute(statement)
        cursor.close()
        if commit:
            self.connection.commit()

    def write(self, *, commit: bool = True) -> None:
        rows = (f"INSERT INTO {name} (name) VALUES ('a'), ('b')" for name in self.names[:2])
        self.send(*rows, commit=commit)

    def savepoint(self) -> float:
        """What a savepoint around the same writes costs, in seconds, without the writes."""
        begun = _timed(lambda: self.send("SAVEPOINT a", commit=False))
        self.write(commit=False)
        ended = _timed(lambda: self.send("ROLLBACK TO SAVEPOINT a", commit=False))
        self.connection.rollback()
        return begun + ended

    def close(self) -> None:
        self.connection.close()
        self.database.close()
        if isinstance(self.database, SqliteDatabase):
            shutil.rmtree(self.database.path.parent)


def _row(dialect: str, count: int, make: Callable[[], PrivateDatabase]) -> None:
    # Each way has a database of its own: plans and caches of one don't know of the other's DDL.
    ours, theirs, dropped = (_Bench(dialect, count, make()) for _ in range(3))
    word = "DELETE FROM" if dialect == "sqlite" else "TRUNCATE TABLE"
    truncate = [f"{word} {name}" for name in ours.names]
    if dialect == "postgresql":
        truncate = [f"TRUNCATE {', '.join(ours.names)} RESTART IDENTITY"]
    drop = [f"DROP TABLE {name}" for name in ours.names] + ours.create
    times: dict[str, list[float]] = {"reset": [], "truncate": [], "drop": [], "savepoint": []}
    for number in range(ROUNDS):
        ours.write()
        times["reset"].append(_timed(ours.database.reset))
        theirs.write()
        times["truncate"].append(_timed(lambda: theirs.send(*truncate)))
        times["savepoint"].append(theirs.savepoint())
        if number < ROUNDS // 10:
            dropped.write()
            times["drop"].append(_timed(lambda: dropped.send(*drop)))
    for bench in (ours, theirs, dropped):
        bench.close()
    own = median(times["reset"])
    others = [median(times[name]) / own for name in ("truncate", "drop", "savepoint")]
    print(
        f"{dialect:12}{count:8}{1000 * own:12.2f}"
        f"{others[0]:12.1f}{others[1]:14.1f}{others[2]:12.2f}",
        flush=True,
    )


def _templates(dialect: str, make_database: Callable[[RunIdentity], PrivateDatabase]) -> None:
    """The tables of a suite's first run, and of its second one, which finds them made."""
    count = 150
    tables = [f"CREATE TABLE t{number} (id {_KEYS[dialect]})" for number in range(count)]
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(5):
        fingerprint = uuid.uuid4().hex
        for reused, costs in times.items():
            database = make_database(replace(_IDENTITY, run=uuid.uuid4().hex))
            started = time.perf_counter()
            found = database.build(fingerprint, lambda: _send(database, tables), rebuild=False)  # noqa: B023
            costs.append(time.perf_counter() - started)
            database.take_origin()
            database.close()
            vars(database)["_server"].close()  # As the run that ends does: others may have it now.
            if found is not reused:
                raise RuntimeError(f"{dialect}: reused is {found}, and not {reused}")
    first, second = (1000 * median(times[reused]) for reused in (False, True))
    print(
        f"\n{dialect}: {count} tables built in {first:.0f} ms, found again in {second:.0f} ms "
        f"({second / first:.2f}); medians of 5"
    )


def _send(database: PrivateDatabase, statements: list[str]) -> None:
    connection = database.blocking({})[1]()
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    connection.commit()
    connection.close()


def _starts() -> None:
    """An embedded server with nothing kept, with a kept cluster, and with a project's own."""
    cold: list[float] = []
    warm: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("XDG_CACHE_HOME")
        for number in range(5):
            os.environ["XDG_CACHE_HOME"] = f"{folder}/{number}"
            for times in (cold, warm):
                started = time.perf_counter()
                server = embedded.join(uuid.uuid4().hex, Path("bench"), None)
                times.append(time.perf_counter() - started)
                server.leave()
                while server.folder.exists():
                    time.sleep(0.01)
        if before is None:
            del os.environ["XDG_CACHE_HOME"]
        else:
            os.environ["XDG_CACHE_HOME"] = before
    print(f"\nEmbedded PostgreSQL ready: {median(warm):.2f} s with its cache, ", end="")
    print(f"{median(cold):.2f} s without; medians of {len(cold)}.")


def _timed(way: Callable[[], Any]) -> float:
    started = time.perf_counter()
    way()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
