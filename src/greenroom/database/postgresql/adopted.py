"""Databases of somebody else that greenroom may use, where it may not create its own.

`greenroom db adopt` marks one. What is in it is greenroom's from then on: its tables are made anew
when the schema changes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from greenroom.database import adoption
from greenroom.database.mark import ADOPTED, Mark
from greenroom.database.postgresql import catalogue
from greenroom.database.postgresql.server import Server, driver, marking
from greenroom.facts.errors import Code, GreenroomError

if TYPE_CHECKING:
    import psycopg

_OWNED = """
SELECT format('DROP %s IF EXISTS %I.%I CASCADE',
    CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
    WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND c.oid >= 16384
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
UNION ALL
SELECT format('DROP SEQUENCE IF EXISTS %I.%I CASCADE', n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND c.oid >= 16384
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
UNION ALL
SELECT format('DROP TYPE IF EXISTS %I.%I CASCADE', n.nspname, t.typname)
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE (t.typtype IN ('e', 'd', 'r') OR EXISTS (
    SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
  AND t.oid >= 16384 AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
UNION ALL
SELECT format('DROP ROUTINE IF EXISTS %s CASCADE', p.oid::regprocedure)
  FROM pg_proc p WHERE p.oid >= 16384 AND p.pronamespace <> pg_my_temp_schema()
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype IN ('e', 'i'))
UNION ALL
SELECT format('DROP OPERATOR IF EXISTS %s CASCADE', o.oid::regoperator)
  FROM pg_operator o WHERE o.oid >= 16384
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = o.oid AND d.deptype = 'e')
UNION ALL
SELECT format('DROP %s IF EXISTS %I.%I CASCADE', o.kind, n.nspname, o.name)
  FROM (SELECT oid, 'COLLATION' AS kind, collname AS name, collnamespace AS place FROM pg_collation
    UNION ALL SELECT oid, 'TEXT SEARCH CONFIGURATION', cfgname, cfgnamespace FROM pg_ts_config
    UNION ALL SELECT oid, 'TEXT SEARCH DICTIONARY', dictname, dictnamespace FROM pg_ts_dict) o
  JOIN pg_namespace n ON n.oid = o.place WHERE o.oid >= 16384
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = o.oid AND d.deptype = 'e')
UNION ALL
SELECT format('DROP SCHEMA IF EXISTS %I CASCADE', n.nspname)
  FROM pg_namespace n WHERE n.oid >= 16384 AND n.nspname !~ '^pg_'
  AND pg_has_role(n.nspowner, 'USAGE')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = n.oid AND d.deptype = 'e')"""

_LACKS = """
SELECT what FROM (
  SELECT 'TEMPORARY on the database' AS what
  WHERE NOT has_database_privilege(current_database(), 'TEMPORARY')
  UNION ALL
  SELECT format('%s on %s', p, c.oid::regclass)
  FROM pg_class c CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'DELETE', 'TRUNCATE']) p
  WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384
  AND NOT has_table_privilege(c.oid, p)
  UNION ALL
  SELECT format('UPDATE on the sequence %s', c.oid::regclass)
  FROM pg_class c WHERE c.relpersistence <> 't' AND c.oid >= 16384
  AND CASE c.relkind WHEN 'S' THEN NOT has_sequence_privilege(c.oid, 'UPDATE') END
  UNION ALL
  SELECT format('to own %s, which has triggers or rules', c.oid::regclass)
  FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384
  AND NOT pg_has_role(c.relowner, 'USAGE') AND (c.relhasrules OR EXISTS (
    SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal))
) AS missing LIMIT 1"""


_HIDDEN = """
SELECT format('to see the rows that policies of %s hide', c.oid::regclass)
FROM pg_class c WHERE c.relkind IN ('r', 'p') AND row_security_active(c.oid) ORDER BY 1 LIMIT 1"""


#: What to do where there is none.
WAYS_OUT = (
    "its user has neither CREATEDB nor an adopted database.",
    "ALTER ROLE the_user CREATEDB   run by an administrator of that server",
    "greenroom db adopt URL         give it an existing database, whose contents it may delete",
)


def adopt(server: Server, name: str, *, with_rows: bool) -> None:
    """Mark an existing database as one that greenroom may use.

    :param with_rows: whether it may have rows, which will be deleted.
    :raises GreenroomError: if it has rows, or belongs to somebody else.
    """
    psycopg = driver()
    if name in {"postgres", "template0", "template1"}:
        raise adoption.of_the_server(name)
    try:
        server.connect(name).close()
    except psycopg.Error as error:
        raise GreenroomError(
            Code.SERVER,
            f"the database {name} {server.place} can't be reached: {' '.join(str(error).split())}.",
            "Correct the URL.",
        ) from None
    with server.connect(name) as connection:
        # What policies hide is an error then, instead of nothing.
        connection.execute(b"SET row_security = off")
        try:
            full = [
                table
                for table in catalogue.read(connection).tables
                if _has_rows(connection, table.name)
            ]
        except psycopg.errors.InsufficientPrivilege as error:
            said = str(error).strip().splitlines()[0]
            raise GreenroomError(
                Code.NOT_OURS,
                f"whether {name} has rows can't be seen: {said}.",
                "Give the user SELECT on all of its tables, and BYPASSRLS where policies hide rows; or adopt an "
                "empty database.",
            ) from None
    if full and not with_rows:
        raise adoption.has_rows(name, [table.name for table in full])
    try:
        server.mark(name, Mark(ADOPTED))
    except psycopg.errors.InsufficientPrivilege:
        raise GreenroomError(
            Code.MAY_NOT_CREATE,
            f"only the owner of {name} may mark it.",
            f"Have the owner run: {marking(name, Mark(ADOPTED))}",
        ) from None


def empty(connection: psycopg.Connection[Any]) -> None:
    """Remove everything from an adopted database.

    :raises GreenroomError: if something in it can't be removed.
    """
    for (statement,) in connection.execute(_OWNED.encode()).fetchall():
        try:
            connection.execute(statement.encode())
        except driver().Error as error:
            said = str(error).strip().splitlines()[0]
            raise GreenroomError(
                Code.BUSY,
                f"the adopted database {connection.info.dbname} can't be emptied: {statement}: {said}.",
                "Remove that by hand, as its owner; or adopt an empty database.",
            ) from None


def lacks(connection: psycopg.Connection[Any]) -> str | None:
    """The first right that a reset would need and that the user hasn't got; None if there is none."""
    row = connection.execute(_LACKS.encode()).fetchone()
    return str(row[0]) if row is not None else hidden(connection)


def hidden(connection: psycopg.Connection[Any]) -> str | None:
    """The right to see rows that row-level security hides, the user's own ones among them; None if it hides none."""
    row = connection.execute(_HIDDEN.encode()).fetchone()
    return str(row[0]) if row is not None else None


def _has_rows(connection: psycopg.Connection[Any], table: str) -> bool:
    return connection.execute(f"SELECT FROM {table} LIMIT 1".encode()).rowcount > 0
