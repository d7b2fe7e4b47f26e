"""A state of a MariaDB or MySQL database, and the procedure that goes back to it in one round trip.

The procedure lies in greenroom's own database, the rows of the picture in temporary tables of
greenroom's own connection: the app sees neither. A table whose AUTO_INCREMENT has moved is
truncated, which is the one way to have it start again; the others are deleted from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from greenroom.database.mysql.server import REGISTRY

if TYPE_CHECKING:
    from pymysql.connections import Connection


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    :param columns: those that can be written.
    :param counter: its AUTO_INCREMENT; None if it has none.
    :param triggers: whether it has triggers.
    :param keyed: whether no two rows can be the same.
    """

    name: str
    columns: tuple[str, ...]
    counter: int | None
    triggers: bool
    keyed: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A state of a database: its tables, their rows' number, and what tells its definitions apart."""

    tables: tuple[Table, ...]
    rows: dict[str, int]
    names: str
    definitions: str


def take(connection: Connection[Any], database: str, picture: str) -> Picture:
    """The state of now; the rows are kept in temporary tables under the picture's name."""
    tables = _tables(connection, database)
    rows: dict[str, int] = {}
    for table in tables:
        count = _ask(connection, f"SELECT count(*) FROM {_in(database, table.name)}")[0][0]
        if count:
            rows[table.name] = count
            kept = _kept(picture, tables.index(table))
            columns = _columns(table)
            _ask(connection, f"DROP TEMPORARY TABLE IF EXISTS {kept}")
            _ask(connection, f"CREATE TEMPORARY TABLE {kept} LIKE {_in(database, table.name)}")
            _ask(
                connection,
                f"INSERT INTO {kept} ({columns}) SELECT {columns} FROM {_in(database, table.name)}",
            )
    return Picture(
        tables,
        rows,
        str(_ask(connection, _NAMES, database)[0][0]),
        definitions(connection, database),
    )


def install(connection: Connection[Any], database: str, picture: str, state: Picture) -> None:
    """Make the procedure that goes back to the picture.

    It answers with an empty text if it did, and with `changed` if there are other tables.
    """
    name = _procedure(database, picture)
    _ask(connection, f"DROP PROCEDURE IF EXISTS {name}")
    _ask(connection, f"CREATE PROCEDURE {name}()\n{_body(database, picture, state)}")


def call(connection: Connection[Any], database: str, picture: str) -> str:
    """Go back to the picture; the procedure's answer."""
    return str(_ask(connection, f"CALL {_procedure(database, picture)}()")[0][0])


def definitions(connection: Connection[Any], database: str) -> str:
    """What tells this state of the tables' definitions from another, to the last column."""
    return str(_ask(connection, _DEFINITIONS, database)[0][0])


def is_empty(connection: Connection[Any], database: str) -> bool:
    """Whether there is no table or view in the database."""
    question = "SELECT count(*) FROM information_schema.tables WHERE table_schema = %s"
    return bool(_ask(connection, question, database)[0][0] == 0)


_NAMES = """SELECT concat_ws(' ', count(*), coalesce(sum(crc32(table_name)), 0))
FROM information_schema.tables WHERE table_schema = %s"""

_DEFINITIONS = """SELECT concat_ws(' ', count(*), sum(crc32(concat_ws(' ', table_name, column_name,
ordinal_position, column_type, column_default, is_nullable, column_key, extra))))
FROM information_schema.columns WHERE table_schema = %s"""

_TABLES = """
SELECT t.table_name, t.auto_increment,
  EXISTS (SELECT 1 FROM information_schema.triggers g WHERE g.event_object_schema = t.table_schema
          AND g.event_object_table = t.table_name),
  EXISTS (SELECT 1 FROM information_schema.table_constraints k
          WHERE k.table_schema = t.table_schema AND k.table_name = t.table_name
          AND k.constraint_type = 'PRIMARY KEY')
FROM information_schema.tables t
WHERE t.table_schema = %s AND t.table_type = 'BASE TABLE' ORDER BY t.table_name"""

_COLUMNS = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = %s AND extra NOT LIKE '%%GENERATED' ORDER BY table_name, ordinal_position"""


def _tables(connection: Connection[Any], database: str) -> tuple[Table, ...]:
    columns: dict[str, list[str]] = {}
    for table, column in _ask(connection, _COLUMNS, database):
        columns.setdefault(table, []).append(column)
    return tuple(
        Table(name, tuple(columns.get(name, ())), counter, bool(triggers), bool(keyed))
        for name, counter, triggers, keyed in _ask(connection, _TABLES, database)
    )


def _body(database: str, picture: str, state: Picture) -> str:
    names = _NAMES.replace("%s", _quoted(database))
    lines = [
        "goes_back: BEGIN",
        f"  IF ({names}) <> {_quoted(state.names)} THEN SELECT 'changed'; LEAVE goes_back; END IF;",
    ]
    # What has triggers goes first: what they write is undone after.
    for table in state.tables:
        if table.triggers and table.name in state.rows:
            lines += _restore(database, picture, state, table)
    moved = {t.name: t.counter for t in state.tables if t.counter is not None}
    if moved:
        # One look at all counters: each of them takes a lookup of its table.
        cases = " ".join(f"WHEN {_quoted(name)} THEN {counter}" for name, counter in moved.items())
        lines += [
            "  SET @greenroom_moved = (SELECT group_concat('/', table_name, '/' SEPARATOR '') FROM "
            f"information_schema.tables WHERE table_schema = {_quoted(database)} AND "
            f"auto_increment IS NOT NULL AND auto_increment <> CASE table_name {cases} ELSE 1 END);",
        ]
    for table in state.tables:
        place = _in(database, table.name)
        has_moved = f"instr(@greenroom_moved, {_quoted(f'/{table.name}/')})"
        if table.name in state.rows:
            if not table.triggers:
                lines += _restore(database, picture, state, table)
            if table.counter is not None:
                lines.append(
                    f"  IF {has_moved} THEN ALTER TABLE {place} AUTO_INCREMENT = {table.counter}; "
                    "END IF;"
                )
        elif table.counter is not None:
            lines.append(
                f"  IF {has_moved} THEN {_emptied(place, table)} ELSE DELETE FROM {place}; END IF;"
            )
        elif table.triggers:
            lines.append(
                f"  IF EXISTS (SELECT 1 FROM {place} LIMIT 1) THEN TRUNCATE TABLE {place}; END IF;"
            )
        else:
            lines.append(f"  DELETE FROM {place};")
    return "\n".join([*lines, "  SELECT '';", "END"])


def _emptied(place: str, table: Table) -> str:
    """Truncated, which sets the counter to one; further, if the table began there."""
    start = f" ALTER TABLE {place} AUTO_INCREMENT = {table.counter};" if table.counter != 1 else ""
    return f"TRUNCATE TABLE {place};{start}"


def _restore(database: str, picture: str, state: Picture, table: Table) -> list[str]:
    place, columns = _in(database, table.name), _columns(table)
    kept = _kept(picture, state.tables.index(table))
    changed = "TRUE"
    if table.keyed:
        # As bytes: for most collations, a lamp and a LAMP are the same.
        exact = ", ".join(f"CAST(`{c.replace('`', '``')}` AS BINARY)" for c in table.columns)
        changed = (
            f"(SELECT count(*) FROM {place}) <> {state.rows[table.name]} OR EXISTS "
            f"(SELECT {exact} FROM {place} EXCEPT SELECT {exact} FROM {kept})"
        )
    return [
        f"  IF {changed} THEN",
        f"    DELETE FROM {place};",
        f"    INSERT INTO {place} ({columns}) SELECT {columns} FROM {kept};",
        "  END IF;",
    ]


def _ask(connection: Connection[Any], question: str, *parameters: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, parameters or None)
        rows = list(cursor.fetchall())
        while cursor.nextset():
            pass
        return rows


def _procedure(database: str, picture: str) -> str:
    return f"{REGISTRY}.`{database}_{picture}`"


def _kept(picture: str, number: int) -> str:
    return f"{REGISTRY}.`{picture}_{number}`"


def _in(database: str, table: str) -> str:
    return f"`{database}`.`{table.replace('`', '``')}`"


def _columns(table: Table) -> str:
    return ", ".join(f"`{column.replace('`', '``')}`" for column in table.columns)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
