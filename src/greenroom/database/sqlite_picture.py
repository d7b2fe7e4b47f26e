"""SQLite: a picture made again without the rows of another one."""

from __future__ import annotations

import sqlite3
from collections import Counter
from typing import Any

from greenroom.database.layers import LayerError, rebased

Row = tuple[Any, ...]


def rebase(
    upper: sqlite3.Connection, old: sqlite3.Connection, new: sqlite3.Connection
) -> sqlite3.Connection:
    """A picture with what `upper` has changed of `old`, changed of `new` instead.

    The tables are those of `new`; AUTOINCREMENT goes on where `upper` has it.
    """
    for picture in (upper, old, new):
        picture.text_factory = bytes  # Whatever a column holds.
    if _definitions(upper) != _definitions(new):
        raise LayerError("it has made or changed tables")
    made = sqlite3.connect(":memory:", check_same_thread=False)
    new.backup(made)
    made.text_factory = bytes
    triggers = [
        (name.decode(), sql.decode())
        for name, sql in made.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'")
    ]
    for name, _ in triggers:
        made.execute(f"DROP TRIGGER {_name(name)}")
    for table in _tables(made):
        columns = _columns(made, table)
        now = _rows(made, table, columns)
        wanted = rebased(table, _rows(upper, table, columns), _rows(old, table, columns), now)
        _delete(made, table, columns, now - wanted)
        _insert(made, table, columns, wanted - now)
    for _, sql in triggers:
        made.execute(sql)
    made.commit()
    dangling, before = (_dangling(one) for one in (made, upper))
    if dangling - before:
        raise LayerError(f"its rows of {next(iter(dangling - before))} refer to rows that ended")
    return made


def _definitions(connection: sqlite3.Connection) -> list[object]:
    return connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()


def _dangling(connection: sqlite3.Connection) -> set[str]:
    """The tables with rows that refer to none."""
    found = connection.execute("PRAGMA foreign_key_check").fetchall()
    return {_text(row[0]) for row in found}


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' "
        "AND (name NOT LIKE 'sqlite~_%' ESCAPE '~' OR name = 'sqlite_sequence')"
    )
    return [_text(name) for (name,) in found]


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    """Those that can be written."""
    found = connection.execute("SELECT name, hidden FROM pragma_table_xinfo(?)", (table,))
    return [_name(_text(name)) for name, hidden in found if hidden == 0]


def _rows(connection: sqlite3.Connection, table: str, columns: list[str]) -> Counter[Row]:
    """Each with the types of its values: 1 and 1.0 are the same to Python, text and blob are here."""
    kinds = ", ".join(f"typeof({column})" for column in columns)
    try:
        found = connection.execute(f"SELECT {', '.join(columns)}, {kinds} FROM {_name(table)}")
    except sqlite3.OperationalError:  # A table that is only there later.
        return Counter()
    return Counter(found)


def _delete(
    connection: sqlite3.Connection, table: str, columns: list[str], rows: Counter[Row]
) -> None:
    """One row at a time, by a number of its own: a column may take several values for the same."""
    if not rows:
        return
    kept = _rows(connection, table, columns) - rows
    connection.execute(f"DELETE FROM {_name(table)}")
    _insert(connection, table, columns, kept)


def _insert(
    connection: sqlite3.Connection, table: str, columns: list[str], rows: Counter[Row]
) -> None:
    for row in rows.elements():
        values, kinds = row[: len(columns)], row[len(columns) :]
        # Text was read as bytes, and is text again.
        places = ", ".join("CAST(? AS TEXT)" if kind == b"text" else "?" for kind in kinds)
        connection.execute(
            f"INSERT INTO {_name(table)} ({', '.join(columns)}) VALUES ({places})", values
        )


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
