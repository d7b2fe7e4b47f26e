"""A state of a MariaDB or MySQL database, and the procedure that goes back to it in one round trip.

The procedure lies in greenroom's own database (or in an adopted one), the rows of the picture in temporary
tables of greenroom's own connection: the app sees neither. A table whose AUTO_INCREMENT has moved is
truncated, which is the one way to have it start again; the others are deleted from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from greenroom.database.layers import LayerError, rebased
from greenroom.database.mysql.definitions import NAMES, definitions
from greenroom.database.mysql.server import MARK, REGISTRY, driver, identifier

if TYPE_CHECKING:
    from pymysql.connections import Connection

#: What the names of greenroom's own objects in an adopted database begin with.
_OURS = "greenroom"
#: A table with more rows than these is truncated.
MANY = 5000
#: A server may demand a primary key of each table, or else make one, under a name that may be there.
_KEY = "greenroom_row BIGINT AUTO_INCREMENT PRIMARY KEY"
#: Leaves the mark of an adopted database out.
_UNMARKED = f"table_name <> '{MARK}'"


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    :param columns: those that can be written, each with its type.
    :param counter: its AUTO_INCREMENT; None if it has none.
    :param triggers: whether it has triggers.
    :param keyed: whether no two rows can be the same.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    counter: int | None
    triggers: bool
    keyed: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A database, by greenroom's own connection.

    :param home: the database in which greenroom keeps what it needs for pictures: its own one, or an
        adopted one itself.
    """

    connection: Connection[Any]
    database: str
    home: str = REGISTRY

    def procedure(self, picture: str) -> str:
        """What goes back to a picture."""
        own = self.database if self.home == REGISTRY else _OURS
        return f"`{self.home}`.`{own}_{picture}`"

    def kept(self, picture: str, number: int) -> str:
        """The rows of a picture, of the table of that number."""
        own = "" if self.home == REGISTRY else f"{_OURS}_"
        return f"`{self.home}`.`{own}{picture}_{number}`"


@dataclass(frozen=True, slots=True)
class Picture:
    """A state of a database: its tables, their rows' number, and what tells its definitions apart.

    :param sequences: MariaDB's, with the value from which each goes on.
    """

    tables: tuple[Table, ...]
    rows: dict[str, int]
    sequences: tuple[tuple[str, int], ...]
    names: str
    definitions: str


def take(place: Place, picture: str) -> Picture:
    """The state of now; the rows are kept in temporary tables under the picture's name."""
    connection, database = place.connection, place.database
    tables = _tables(connection, database)
    rows: dict[str, int] = {}
    for table in tables:
        count = _ask(connection, f"SELECT count(*) FROM {_in(database, table.name)}")[0][0]
        if count:
            rows[table.name] = count
            kept = place.kept(picture, tables.index(table))
            columns = _columns(table)
            _ask(connection, f"DROP TEMPORARY TABLE IF EXISTS {kept}")
            # Not LIKE it: a temporary table can have no full-text index, and no partition.
            _ask(
                connection,
                f"CREATE TEMPORARY TABLE {kept} ({_KEY}) AS SELECT {columns} "
                f"FROM {_in(database, table.name)}",
            )
    sequences = tuple(
        (name, _ask(connection, f"SELECT next_not_cached_value FROM {_in(database, name)}")[0][0])
        for (name,) in _ask(connection, NAMES["SEQUENCE"], database)
    )
    names = str(_ask(connection, _NAMES, database)[0][0])
    return Picture(tables, rows, sequences, names, definitions(connection, database))


def rebase(place: Place, states: Mapping[str, Picture], made: str) -> Picture:
    """A picture with what the first has changed of the second, changed of the third instead.

    :param states: the three, by their names. They have the same tables.
    :param made: the new one's name.
    """
    connection = place.connection
    first, _, last = states.values()
    if first.definitions != last.definitions:
        raise LayerError("it has made or changed tables")
    rows: dict[str, int] = {}
    for number, table in enumerate(last.tables):
        columns = _columns(table)
        found: list[Counter[tuple[Any, ...]]] = []
        for name, state in states.items():
            if table.name in state.rows:
                kept = place.kept(name, [t.name for t in state.tables].index(table.name))
                found.append(Counter(_ask(connection, f"SELECT {columns} FROM {kept}")))
            else:
                found.append(Counter())
        left = list(rebased(table.name, *found).elements())
        if not left:
            continue
        rows[table.name] = len(left)
        source = next(name for name, state in states.items() if table.name in state.rows)
        like = place.kept(source, [t.name for t in states[source].tables].index(table.name))
        kept = place.kept(made, number)
        _ask(connection, f"DROP TEMPORARY TABLE IF EXISTS {kept}")
        _ask(
            connection,
            f"CREATE TEMPORARY TABLE {kept} ({_KEY}) AS SELECT {columns} FROM {like} LIMIT 0",
        )
        places = ", ".join(["%s"] * len(table.columns))
        with connection.cursor() as cursor:
            cursor.executemany(f"INSERT INTO {kept} ({columns}) VALUES ({places})", left)
    counters = {table.name: table.counter for table in first.tables}
    tables = tuple(replace(t, counter=counters.get(t.name, t.counter)) for t in last.tables)
    return replace(last, tables=tables, rows=rows, sequences=first.sequences)


_FOREIGN_KEYS = """
SELECT table_name, referenced_table_schema, referenced_table_name,
  group_concat(concat('c.`', column_name, '` IS NOT NULL') SEPARATOR ' AND '),
  group_concat(concat('p.`', referenced_column_name, '` = c.`', column_name, '`') SEPARATOR ' AND ')
FROM information_schema.key_column_usage
WHERE table_schema = %s AND referenced_table_name IS NOT NULL
GROUP BY table_name, constraint_name, referenced_table_schema, referenced_table_name"""


def dangling(place: Place) -> str | None:
    """A table with a row that refers to none; None if there is none."""
    connection, database = place.connection, place.database
    for table, schema, parent, given, same in _ask(connection, _FOREIGN_KEYS, database):
        rows = _ask(
            connection,
            f"SELECT 1 FROM {_in(database, table)} c WHERE {given} AND NOT EXISTS "
            f"(SELECT 1 FROM {_in(schema, parent)} p WHERE {same}) LIMIT 1",
        )
        if rows:
            return str(table)
    return None


def drop(place: Place, picture: str, state: Picture) -> None:
    """Forget a picture."""
    _ask(place.connection, f"DROP PROCEDURE IF EXISTS {place.procedure(picture)}")
    for number in range(len(state.tables)):
        _ask(place.connection, f"DROP TEMPORARY TABLE IF EXISTS {place.kept(picture, number)}")


def install(place: Place, picture: str, state: Picture) -> None:
    """Make the procedure that goes back to the picture.

    It answers with an empty text if it did, with `changed` if there are other tables, and with
    `triggers` if rows have to be written again into tables whose triggers aren't silent.
    """
    name = place.procedure(picture)
    _ask(place.connection, f"DROP PROCEDURE IF EXISTS {name}")
    _ask(place.connection, f"CREATE PROCEDURE {name}()\n{_body(place, picture, state)}")


def call(place: Place, picture: str) -> str:
    """Go back to the picture; the procedure's answer."""
    connection, database = place.connection, place.database
    call = f"CALL {place.procedure(picture)}()"
    answer = str(_ask(connection, call)[0][0])
    if answer != "triggers":
        return answer
    # MySQL can't switch triggers off. They are dropped, and made again as they were.
    names = [row[0] for row in _ask(connection, f"SHOW TRIGGERS FROM `{database}`")]
    made = [
        _ask(connection, f"SHOW CREATE TRIGGER {_in(database, name)}")[0][1:3] for name in names
    ]
    _ask(connection, f"USE `{database}`")
    for name in names:
        _ask(connection, f"DROP TRIGGER {_in(database, name)}")
    try:
        _ask(connection, "SET @greenroom_silent = 1")
        return str(_ask(connection, call)[0][0])
    finally:
        _ask(connection, "SET @greenroom_silent = NULL")
        mode = _ask(connection, "SELECT @@SESSION.sql_mode")[0][0]
        for own_mode, statement in made:
            _ask(connection, "SET SESSION sql_mode = %s", own_mode)
            _ask(connection, statement)
        _ask(connection, "SET SESSION sql_mode = %s", mode)
        _ask(connection, f"USE `{place.home}`")


def unsupported(place: Place) -> list[str]:
    """The tables that can't be reset: MariaDB keeps every row that one of them ever had."""
    question = """SELECT table_name FROM information_schema.tables
WHERE table_schema = %s AND table_type = 'SYSTEM VERSIONED'"""
    return [row[0] for row in _ask(place.connection, question, place.database)]


def copy_tables(connection: Connection[Any], source: str, target: str) -> None:
    """Make the tables of one database in another, with their triggers, sequences and views."""
    _ask(connection, f"USE `{target}`")
    for name in (table.name for table in _tables(connection, source)):
        _ask(connection, _ask(connection, f"SHOW CREATE TABLE {_in(source, name)}")[0][1])
    for row in _ask(connection, f"SHOW TRIGGERS FROM `{source}`"):
        _ask(connection, _ask(connection, f"SHOW CREATE TRIGGER {_in(source, row[0])}")[0][2])
    for (name,) in _ask(connection, NAMES["SEQUENCE"], source):
        _ask(connection, _ask(connection, f"SHOW CREATE SEQUENCE {_in(source, name)}")[0][1])
    _copy_views(connection, source, target)
    _ask(connection, f"USE {REGISTRY}")


def _copy_views(connection: Connection[Any], source: str, target: str) -> None:
    """Make the views anew; one that stands on others comes after them."""
    waiting = [name for (name,) in _ask(connection, NAMES["VIEW"], source)]
    while waiting:
        left = []
        for name in waiting:
            told = str(_ask(connection, f"SHOW CREATE VIEW {_in(source, name)}")[0][1])
            try:
                _ask(connection, told.replace(f"{identifier(source)}.", f"{identifier(target)}."))
            except driver().MySQLError:
                left.append(name)
        if left == waiting:
            return  # Whoever compares the names sees what is missing.
        waiting = left


def is_empty(place: Place) -> bool:
    """Whether there is no table or view in the database."""
    question = (
        f"SELECT count(*) FROM information_schema.tables WHERE table_schema = %s AND {_UNMARKED}"
    )
    return bool(_ask(place.connection, question, place.database)[0][0] == 0)


_NAMES = f"""SELECT concat_ws(' ', count(*), coalesce(sum(crc32(table_name)), 0))
FROM information_schema.tables WHERE table_schema = %s AND {_UNMARKED}"""


# MySQL says NULL for a table with AUTO_INCREMENT that never had a row, as for one without.
_COUNTED = """SELECT c.table_name FROM information_schema.columns c
WHERE c.table_schema = %(database)s AND c.extra LIKE '%%auto_increment%%'"""

_TABLES = f"""
SELECT t.table_name, IF(t.table_name IN ({_COUNTED}), coalesce(t.auto_increment, 1), NULL),
  t.table_name IN (SELECT g.event_object_table FROM information_schema.triggers g
                   WHERE g.event_object_schema = %(database)s),
  t.table_name IN (SELECT k.table_name FROM information_schema.table_constraints k
                   WHERE k.table_schema = %(database)s AND k.constraint_type = 'PRIMARY KEY')
FROM information_schema.tables t
WHERE t.table_schema = %(database)s AND t.table_type = 'BASE TABLE'
  AND t.{_UNMARKED} ORDER BY t.table_name"""

_COLUMNS = """
SELECT table_name, column_name, data_type FROM information_schema.columns
WHERE table_schema = %s AND coalesce(generation_expression, '') = '' ORDER BY table_name, ordinal_position"""


def _tables(connection: Connection[Any], database: str) -> tuple[Table, ...]:
    columns: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in _ask(connection, _COLUMNS, database):
        columns.setdefault(table, []).append((column, kind))
    return tuple(
        Table(name, tuple(columns.get(name, ())), counter, bool(triggers), bool(keyed))
        for name, counter, triggers, keyed in _ask(connection, _TABLES, database=database)
    )


def _body(place: Place, picture: str, state: Picture) -> str:
    database = place.database
    names = _NAMES.replace("%s", _quoted(database))
    lines = [
        "goes_back: BEGIN",
        f"  IF ({names}) <> {_quoted(state.names)} THEN SELECT 'changed'; LEAVE goes_back; END IF;",
    ]
    loud = [table for table in state.tables if table.triggers and table.name in state.rows]
    if loud:
        changed = " OR ".join(_has_changed(place, picture, state, table) for table in loud)
        lines.append(
            f"  IF @greenroom_silent IS NULL AND ({changed}) THEN "
            "SELECT 'triggers'; LEAVE goes_back; END IF;"
        )
    for table in state.tables:
        if table.name in state.rows:
            lines += _restore(place, picture, state, table)
    moved = {t.name: t.counter for t in state.tables if t.counter is not None}
    if moved:
        # One look at all counters: each of them takes a lookup of its table.
        cases = " ".join(f"WHEN {_quoted(name)} THEN {counter}" for name, counter in moved.items())
        lines += [
            "  SET @greenroom_moved = (SELECT group_concat('/', table_name, '/' SEPARATOR '') FROM "
            f"information_schema.tables WHERE table_schema = {_quoted(database)} AND "
            f"coalesce(auto_increment, 1) <> CASE BINARY table_name {cases} ELSE 1 END);",
        ]
    lines += _counters(database, state)
    for name, value in state.sequences:
        there = _in(database, name)
        lines.append(
            f"  IF (SELECT next_not_cached_value FROM {there}) <> {value} THEN "
            f"ALTER SEQUENCE {there} RESTART WITH {value}; END IF;"
        )
    return "\n".join([*lines, "  SELECT '';", "END"])


def _emptied(place: str, table: Table) -> str:
    """Truncated, which sets the counter to one; further, if the table began there."""
    start = f" ALTER TABLE {place} AUTO_INCREMENT = {table.counter};" if table.counter != 1 else ""
    return f"TRUNCATE TABLE {place};{start}"


def _counters(database: str, state: Picture) -> list[str]:
    """Empty the tables that were empty, and have AUTO_INCREMENT start again where it has moved."""
    lines: list[str] = []
    for table in state.tables:
        place = _in(database, table.name)
        has_moved = f"instr(BINARY @greenroom_moved, {_quoted(f'/{table.name}/')})"
        if table.name in state.rows:
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
            # Rows that were deleted cost later scans until the server has purged them.
            many = f"EXISTS (SELECT 1 FROM {place} LIMIT 1 OFFSET {MANY})"
            lines.append(
                f"  IF {many} THEN TRUNCATE TABLE {place}; ELSE DELETE FROM {place}; END IF;"
            )
    return lines


def _has_changed(place: Place, picture: str, state: Picture, table: Table) -> str:
    if not table.keyed:
        return "TRUE"
    # As bytes: for most collations, a lamp and a LAMP are the same. A FLOAT shows six digits only.
    exact = ", ".join(
        f"CAST({f'CAST({identifier(c)} AS DOUBLE)' if kind == 'float' else identifier(c)} AS BINARY)"
        for c, kind in table.columns
    )
    there = _in(place.database, table.name)
    kept = place.kept(picture, state.tables.index(table))
    return (
        f"((SELECT count(*) FROM {there}) <> {state.rows[table.name]} OR EXISTS "
        f"(SELECT {exact} FROM {there} EXCEPT SELECT {exact} FROM {kept}))"
    )


def _restore(place: Place, picture: str, state: Picture, table: Table) -> list[str]:
    there, columns = _in(place.database, table.name), _columns(table)
    kept = place.kept(picture, state.tables.index(table))
    return [
        f"  IF {_has_changed(place, picture, state, table)} THEN",
        f"    DELETE FROM {there};",
        f"    INSERT INTO {there} ({columns}) SELECT {columns} FROM {kept};",
        "  END IF;",
    ]


def _ask(
    connection: Connection[Any], question: str, *parameters: object, **named: object
) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question, parameters or named or None)
        rows = list(cursor.fetchall())
        while cursor.nextset():
            pass
        return rows


def _in(database: str, table: str) -> str:
    return f"{identifier(database)}.{identifier(table)}"


def _columns(table: Table) -> str:
    return ", ".join(identifier(column) for column, _ in table.columns)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
