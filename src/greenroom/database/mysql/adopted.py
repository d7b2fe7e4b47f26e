"""Databases of somebody else on MariaDB or MySQL that greenroom may use, where it may not create its own.

`greenroom db adopt` marks one by a table in it. What greenroom needs lies in it, too: its user may have no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.database import adoption
from greenroom.database.mark import ADOPTED, Mark
from greenroom.database.mysql.server import MARK, Server, driver, identifier
from greenroom.facts.errors import Code, GreenroomError

if TYPE_CHECKING:
    from greenroom.database.mysql.picture import Place

#: What to do where there is none.
WAYS_OUT = (
    "its user may not, and has no adopted database.",
    "GRANT ALL ON `greenroom\\_%`.* TO the_user   run by an administrator of that server",
    "greenroom db adopt URL                       give it an existing database, whose contents it may delete",
)
_OF_THE_SERVER = {"mysql", "sys", "information_schema", "performance_schema"}
_KINDS = {"BASE TABLE": "TABLE", "VIEW": "VIEW", "SEQUENCE": "SEQUENCE"}


def adopt(server: Server, name: str, *, with_rows: bool) -> None:
    """Mark an existing database as one that greenroom may use.

    :param with_rows: whether it may have rows, which will be deleted.
    :raises GreenroomError: if it has rows, or can't be used.
    """
    if name.lower() in _OF_THE_SERVER:
        raise adoption.of_the_server(name)
    pymysql = driver()
    if not server.ask("SELECT 1 FROM information_schema.schemata WHERE schema_name = %s", name):
        raise GreenroomError(
            Code.SERVER,
            f"there is no database {name} {server.place}, or its user may not see it.",
            "Correct the URL, or create it.",
        )
    tables = [
        str(table)
        for (table,) in server.ask(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = %s "
            "AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND table_name <> %s ORDER BY 1",
            name,
            MARK,
        )
    ]
    full = [
        one
        for one in tables
        if server.ask(f"SELECT 1 FROM {identifier(name)}.{identifier(one)} LIMIT 1")
    ]
    if full and not with_rows:
        raise adoption.has_rows(name, full)
    try:
        server.mark_adopted(name, Mark(ADOPTED))
    except pymysql.MySQLError as error:
        raise GreenroomError(
            Code.MAY_NOT_CREATE,
            f"{name} can't be marked: {error.args[-1]}.",
            f"Give the user all rights on it: GRANT ALL ON {identifier(name)}.* TO the_user.",
        ) from None


def empty(place: Place) -> None:
    """Remove everything from an adopted database, but its mark."""
    name = place.database
    with place.connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_type, table_name FROM information_schema.tables WHERE table_schema = %s "
            "AND table_name <> %s",
            (name, MARK),
        )
        made = [(_KINDS.get(kind, "TABLE"), table) for kind, table in cursor.fetchall()]
        cursor.execute(
            "SELECT routine_type, routine_name FROM information_schema.routines "
            "WHERE routine_schema = %s",
            (name,),
        )
        made += cursor.fetchall()
        # Their order doesn't matter: greenroom's own connection checks no foreign keys.
        for kind, one in made:
            cursor.execute(f"DROP {kind} IF EXISTS {identifier(name)}.{identifier(one)}")


def lacks(place: Place) -> str | None:
    """The rights that a reset would need and that the user hasn't got; None if nothing is missing."""
    procedure, kept = place.procedure("rights"), place.kept("rights", 0)
    steps = {
        "CREATE ROUTINE, ALTER ROUTINE and EXECUTE": (
            f"DROP PROCEDURE IF EXISTS {procedure}",
            f"CREATE PROCEDURE {procedure}() SELECT 1",
            f"CALL {procedure}()",
            f"DROP PROCEDURE {procedure}",
        ),
        "CREATE TEMPORARY TABLES": (
            f"CREATE TEMPORARY TABLE {kept} (id int PRIMARY KEY)",
            f"DROP TEMPORARY TABLE {kept}",
        ),
    }
    for right, statements in steps.items():
        try:
            with place.connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                    while cursor.nextset():
                        pass
        except driver().MySQLError:
            return f"{right} on {place.database}"
    return None
