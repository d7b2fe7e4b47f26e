"""What SQLAlchemy takes for a driver's connection: one of many, over the one real connection."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from greenroom.database.sandbox.grammar import Kind, Statement, parse
from greenroom.database.sandbox.real import Real
from greenroom.database.sandbox.sandbox import Sandbox
from greenroom.database.sandbox.transaction import Transaction

#: What may be read of the real connection without having it for oneself.
_PLAIN = frozenset(
    [
        "info",
        "closed",
        "encoding",
        "server_version",
        "get_server_info",
        "server_status",
        "protocol_version",
        "notices",
        "character_set_name",
        "charset",
        "dbapi",
        "thread_id",
        "get_transaction_status",
        "create_function",
        "create_collation",
        "create_aggregate",
        "isolation_level",
        "autocommit",
        "get_autocommit",
        "escape",
        "add_notice_handler",
        "prepare_threshold",
    ]
)
#: What is set on every connection alike, and so on the real one.
_OF_ALL = {"text_factory", "row_factory", "prepare_threshold", "cursor_factory"}
#: What a driver does with a cursor past `execute`.
_UNSEEN = {"copy", "copy_from", "copy_to", "copy_expert", "callproc", "stream"}


class LogicalConnection:
    """A connection of its own, as far as transactions and settings go.

    :param real: what its statements are sent over.
    """

    def __init__(self, real: Real, sandbox: Sandbox) -> None:
        vars(self)["real"] = real
        vars(self)["sandbox"] = sandbox
        vars(self)["transaction"] = Transaction(autocommit=real.autocommit)

    def cursor(self, *args: Any, **kwargs: Any) -> LogicalCursor:
        """A cursor whose rows are in memory: an unread rest would be in the way of the others."""
        return LogicalCursor(self)

    def execute(self, operation: Any, parameters: Any = None) -> LogicalCursor:
        """A cursor that has executed the statement, as some drivers have it."""
        cursor = self.cursor()
        cursor.execute(operation, parameters)
        return cursor

    def commit(self) -> None:
        """Commit, as far as the other logical connections can see."""
        self.sandbox.commit(self.real, self.transaction)

    def rollback(self) -> None:
        """Undo what was written since the last commit of this connection."""
        self.sandbox.rollback(self.real, self.transaction)

    def close(self) -> None:
        """Give it up. The real connection stays."""
        self.sandbox.abandon(self.transaction)

    terminate = close

    def ping(self, *args: Any, **kwargs: Any) -> None:
        """Ask whether the real connection is alive."""
        with self.real.turn.taken():
            self.real.connection.ping(*args, **kwargs)

    def set_level(self, level: str) -> None:
        """Set the isolation level, by SQLAlchemy's word for it.

        :raises GreenroomError: for one that one shared transaction can't have.
        """
        level = level.upper().replace("_", " ")
        truthful = {"postgresql": ["READ COMMITTED"], "sqlite": ["SERIALIZABLE"]}
        levels = truthful.get(self.real.backend, ["REPEATABLE READ", "READ COMMITTED"])
        if level not in {"AUTOCOMMIT", *levels}:
            raise self.sandbox.refuse(f"transactions can't be {level} on a shared connection.")
        self.rollback()
        self.transaction.autocommit = level == "AUTOCOMMIT"
        self.transaction.reads_snapshots = level != "READ COMMITTED"

    @property
    def driver_connection(self) -> Any:
        """The driver's own connection; nobody else may write until this transaction ends."""
        self.sandbox.claim(self.real, self.transaction)
        return self.real.dialect.get_driver_connection(self.real.connection)

    @property
    def _connection(self) -> Any:
        return self.driver_connection

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "autocommit" or (name == "isolation_level" and self.real.backend == "sqlite"):
            self.rollback()
            self.transaction.autocommit = bool(value) if name == "autocommit" else value is None
        elif name in _OF_ALL:
            setattr(self.real.connection, name, value)
        elif value not in {None, False}:
            raise self.sandbox.refuse(f"{name} is set on one of the connections that are one.")

    def __getattr__(self, name: str) -> Any:
        if name not in _PLAIN:
            self.sandbox.claim(self.real, self.transaction)
        return getattr(self.real.connection, name)


class LogicalCursor:
    """A cursor of a logical connection."""

    def __init__(self, connection: LogicalConnection) -> None:
        self.connection = connection
        self._cursor = connection.real.connection.cursor()
        self._rows: deque[Any] | None = None
        self._executed = False

    def execute(self, operation: Any, parameters: Any = None, **kwargs: Any) -> Any:
        """Send a statement, if the sandbox lets it."""
        arguments = (operation,) if parameters is None else (operation, parameters)
        return self._send(operation, lambda: self._cursor.execute(*arguments, **kwargs))

    def executemany(self, operation: Any, parameters: Any, **kwargs: Any) -> Any:
        """Send a statement with each of several parameters."""
        return self._send(
            operation, lambda: self._cursor.executemany(operation, parameters, **kwargs)
        )

    def executescript(self, script: str) -> None:
        """SQLite: refused, as it commits first."""
        raise self.connection.sandbox.refuse("executescript() commits before it begins.")

    def fetchone(self) -> Any:
        """The next row."""
        if self._rows is not None:
            return self._rows.popleft() if self._rows else None
        return self._cursor.fetchone()

    def fetchmany(self, size: int | None = None) -> Any:
        """The next rows."""
        if self._rows is None:
            return self._cursor.fetchmany(*(() if size is None else (size,)))
        count = min(size or self._cursor.arraysize, len(self._rows))
        return [self._rows.popleft() for _ in range(count)]

    def fetchall(self) -> Any:
        """The rows that are left."""
        if self._rows is None:
            return self._cursor.fetchall()
        rows, self._rows = list(self._rows), deque()
        return rows

    def close(self) -> None:
        """Close the real cursor, which holds nothing."""
        self._cursor.close()

    def __iter__(self) -> Iterator[Any]:
        while (row := self.fetchone()) is not None:
            yield row

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __getattr__(self, name: str) -> Any:
        if name in _UNSEEN:
            self.connection.sandbox.claim(self.connection.real, self.connection.transaction)
        return getattr(self._cursor, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or name == "connection":
            object.__setattr__(self, name, value)
        else:
            setattr(self._cursor, name, value)

    def _send(self, operation: Any, call: Callable[[], Any]) -> Any:
        owner = self.connection
        text = _text(operation, owner.real)
        statement = parse(text, owner.real.backend) if text is not None else Statement(Kind.WRITE)

        def call_and_read() -> Any:
            self._rows = None
            result = call()
            if owner.real.backend == "sqlite" and not owner.real.dialect.is_async:
                # sqlite3 reads row by row, while others may write.
                self._rows = deque(_all(self._cursor))
            return result

        self._rows = deque()
        return owner.sandbox.execute(
            owner.real, owner.transaction, statement, text or "", call_and_read
        )


def _all(cursor: Iterable[Any]) -> Iterable[Any]:
    return list(cursor)


def _text(operation: Any, real: Real) -> str | None:
    if isinstance(operation, bytes):
        return operation.decode(errors="replace")
    if isinstance(operation, str):
        return operation
    with_connection = getattr(operation, "as_string", None)
    if with_connection is None:
        return None
    return str(with_connection(real.dialect.get_driver_connection(real.connection)))
