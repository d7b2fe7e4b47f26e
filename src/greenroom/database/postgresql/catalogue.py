"""What is in a database: its tables and sequences, as a reset needs to know them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

#: User objects have larger numbers than this in every PostgreSQL.
FIRST_USER_OBJECT = 16384

#: One text that changes when tables, their number of columns, indexes, views, triggers or functions
#: do. It is read in the reset's own round trip: 0.15 ms for 150 tables.
DIGEST = f"""(SELECT concat_ws(' ', count(*), sum(oid::bigint), sum(relnatts), sum(relchecks),
    sum(hashtext(oid || relname)::bigint), sum(relfilenode::bigint) FILTER (WHERE relkind = 'm'))
    FROM pg_catalog.pg_class WHERE oid >= {FIRST_USER_OBJECT} AND relpersistence <> 't'
    AND relkind <> 't')
    || (SELECT concat_ws(' ', '', count(*)) FROM pg_catalog.pg_trigger
    WHERE tgrelid >= {FIRST_USER_OBJECT})
    || (SELECT concat_ws(' ', '', count(*), sum(xmin::text::bigint)) FROM pg_catalog.pg_proc
    WHERE oid >= {FIRST_USER_OBJECT} AND pronamespace <> pg_my_temp_schema())
    || (SELECT concat_ws(' ', '', count(*)) FROM pg_catalog.pg_enum)"""

#: The same to the last detail: too dear for each test, so it is asked for only where one of the app's
#: statements may have changed a definition.
_DEFINITIONS = f"""
WITH own AS (SELECT * FROM pg_class WHERE oid >= {FIRST_USER_OBJECT} AND relpersistence <> 't')
SELECT concat_ws(' ',
 (SELECT sum(hashtext(concat_ws(' ', oid, relname, relnamespace, relowner, relkind, relnatts,
    relchecks, relhasrules, relrowsecurity, relforcerowsecurity, relreplident, relacl::text,
    reloptions::text))::bigint) FROM own),
 (SELECT concat_ws(' ', count(*), sum(a.xmin::text::bigint)) FROM pg_attribute a JOIN own o
    ON o.oid = a.attrelid WHERE a.attnum > 0),
 (SELECT concat_ws(' ', count(*), sum(d.xmin::text::bigint)) FROM pg_attrdef d JOIN own o
    ON o.oid = d.adrelid),
 (SELECT concat_ws(' ', count(*), sum(c.xmin::text::bigint)) FROM pg_constraint c JOIN own o
    ON o.oid = c.conrelid),
 (SELECT concat_ws(' ', count(*), sum(hashtext(concat_ws(' ', t.oid, t.tgname, t.tgenabled, t.tgfoid,
    t.tgtype))::bigint)) FROM pg_trigger t JOIN own o ON o.oid = t.tgrelid),
 (SELECT concat_ws(' ', count(*), sum(hashtext(concat_ws(' ', r.oid, r.rulename, r.ev_enabled,
    r.ev_action::text))::bigint)) FROM pg_rewrite r JOIN own o ON o.oid = r.ev_class),
 (SELECT concat_ws(' ', count(*), sum(p.xmin::text::bigint)) FROM pg_policy p),
 (SELECT concat_ws(' ', count(*), sum(s.xmin::text::bigint)) FROM pg_sequence s JOIN own o
    ON o.oid = s.seqrelid),
 (SELECT concat_ws(' ', count(*), sum(i.xmin::text::bigint)) FROM pg_statistic_ext i),
 (SELECT concat_ws(' ', count(*), sum(t.xmin::text::bigint)) FROM pg_type t
    WHERE t.oid >= {FIRST_USER_OBJECT} AND t.typtype IN ('e', 'd', 'r')),
 (SELECT concat_ws(' ', count(*), sum(e.xmin::text::bigint)) FROM pg_enum e),
 (SELECT concat_ws(' ', count(*), sum(p.xmin::text::bigint)) FROM pg_proc p
    WHERE p.oid >= {FIRST_USER_OBJECT} AND p.pronamespace <> pg_my_temp_schema()),
 (SELECT concat_ws(' ', count(*), sum(n.xmin::text::bigint)) FROM pg_namespace n
    WHERE nspname NOT LIKE 'pg~_%temp~_%' ESCAPE '~'),
 (SELECT concat_ws(' ', count(*), sum(c.xmin::text::bigint)) FROM pg_cast c),
 (SELECT concat_ws(' ', count(*), sum(c.xmin::text::bigint)) FROM pg_collation c),
 (SELECT concat_ws(' ', count(*), sum(o.xmin::text::bigint)) FROM pg_operator o),
 (SELECT concat_ws(' ', count(*), sum(t.xmin::text::bigint)) FROM pg_ts_config t),
 (SELECT concat_ws(' ', count(*), sum(m.xmin::text::bigint)) FROM pg_ts_config_map m),
 (SELECT concat_ws(' ', count(*), sum(t.xmin::text::bigint)) FROM pg_ts_dict t),
 (SELECT concat_ws(' ', count(*), sum(t.xmin::text::bigint)) FROM pg_event_trigger t),
 (SELECT concat_ws(' ', count(*), sum(p.xmin::text::bigint)) FROM pg_publication p),
 (SELECT concat_ws(' ', count(*), sum(d.xmin::text::bigint)) FROM pg_description d),
 (SELECT concat_ws(' ', count(*), sum(a.xmin::text::bigint)) FROM pg_default_acl a),
 (SELECT concat_ws(' ', count(*), sum(e.xmin::text::bigint)) FROM pg_extension e),
 (SELECT concat_ws(' ', count(*), sum(l.xmin::text::bigint)) FROM pg_largeobject_metadata l),
 (SELECT concat_ws(' ', count(*), sum(hashtext(s.setconfig::text)::bigint)) FROM pg_db_role_setting s
    JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database()))"""

_TABLES = f"""
SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname), pg_relation_size(c.oid),
  ARRAY(SELECT quote_ident(a.attname) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
        AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum),
  ARRAY(SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute a WHERE a.attrelid = c.oid
        AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum),
  ARRAY(SELECT f.confrelid FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f'
        AND f.confrelid <> c.oid),
  ARRAY(SELECT quote_ident(t.tgname) || ' ' || t.tgenabled::text FROM pg_trigger t
        WHERE t.tgrelid = c.oid AND NOT t.tgisinternal ORDER BY t.tgname),
  ARRAY(SELECT quote_ident(r.rulename) || ' ' || r.ev_enabled::text FROM pg_rewrite r
        WHERE r.ev_class = c.oid ORDER BY r.rulename)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.oid >= {FIRST_USER_OBJECT}
  AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 2"""

_SEQUENCES = f"""
SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname), s.seqcache
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_sequence s ON s.seqrelid = c.oid
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND c.oid >= {FIRST_USER_OBJECT}
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 2"""

_RELATIONS = f"""
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid >= {FIRST_USER_OBJECT} AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
  AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.deptype = 'e')"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table, or a partition of one.

    :param oid: its number.
    :param name: schema and name, quoted where they need it.
    :param size: its size in bytes.
    :param columns: those that can be written, quoted; `types`: theirs, as SQL has them.
    :param parents: the numbers of the other tables that its foreign keys name.
    :param triggers: the app's own, quoted, with how each is enabled (`O`, `D`, `R` or `A`).
    :param rules: likewise.
    """

    oid: int
    name: str
    size: int
    columns: tuple[str, ...]
    types: tuple[str, ...]
    parents: frozenset[int]
    triggers: tuple[tuple[str, str], ...]
    rules: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence and its state.

    :param cached: whether each connection takes several values at once, and keeps them.
    :param last: the last value.
    :param is_called: whether that has been given out.
    """

    oid: int
    name: str
    cached: bool
    last: int
    is_called: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that a reset goes through.

    :param digest: what tells this state of the tables from another, as far as that is cheap.
    :param definitions: what tells it to the last detail.
    """

    tables: tuple[Table, ...]
    sequences: tuple[Sequence, ...]
    digest: str
    definitions: str


def read(connection: psycopg.Connection[Any]) -> Catalogue:
    """The catalogue as it is now."""
    tables = tuple(
        Table(
            oid,
            name,
            size,
            tuple(columns),
            tuple(types),
            frozenset(parents),
            _split(triggers),
            _split(rules),
        )
        for oid, name, size, columns, types, parents, triggers, rules in connection.execute(
            _TABLES.encode()
        )
    )
    sequences = tuple(
        Sequence(oid, name, cache > 1, *_state(connection, name))
        for oid, name, cache in connection.execute(_SEQUENCES.encode()).fetchall()
    )
    return Catalogue(
        tables, sequences, _one(connection, f"SELECT {DIGEST}"), definitions(connection)
    )


def definitions(connection: psycopg.Connection[Any]) -> str:
    """What tells this state of the tables' definitions from another, to the last detail."""
    return _one(connection, _DEFINITIONS)


#: For each foreign key, its table and the question whether a row of it refers to none.
_FOREIGN_KEYS = """
SELECT k.conrelid::regclass::text, format(
  'SELECT EXISTS (SELECT FROM %s c WHERE %s AND NOT EXISTS (SELECT FROM %s p WHERE %s))',
  k.conrelid::regclass, string_agg(format('c.%I IS NOT NULL', a.attname), ' AND '),
  k.confrelid::regclass, string_agg(format('p.%I = c.%I', f.attname, a.attname), ' AND '))
FROM pg_constraint k CROSS JOIN unnest(k.conkey, k.confkey) AS pair(child, parent)
JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = pair.child
JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = pair.parent
WHERE k.contype = 'f' GROUP BY k.oid, k.conrelid, k.confrelid"""


def dangling(connection: psycopg.Connection[Any]) -> str | None:
    """A table with a row that refers to none; None if there is none."""
    for table, question in connection.execute(_FOREIGN_KEYS.encode()).fetchall():
        row = connection.execute(question.encode()).fetchone()
        if row is not None and row[0]:
            return str(table)
    return None


def is_empty(connection: psycopg.Connection[Any]) -> bool:
    """Whether there is nothing of the user's in the database."""
    row = connection.execute(_RELATIONS.encode()).fetchone()
    return row is not None and row[0] == 0


def _state(connection: psycopg.Connection[Any], name: str) -> tuple[int, bool]:
    row = connection.execute(f"SELECT last_value, is_called FROM {name}".encode()).fetchone()
    assert row is not None
    return int(row[0]), bool(row[1])


def _one(connection: psycopg.Connection[Any], question: str) -> str:
    row = connection.execute(question.encode()).fetchone()
    return str(row[0]) if row else ""


def _split(states: list[str]) -> tuple[tuple[str, str], ...]:
    return tuple((state[:-2], state[-1]) for state in states)
