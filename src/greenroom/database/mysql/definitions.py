"""What tells one state of a MariaDB or MySQL database's definitions from another, to the last detail.

It is what the server itself would write to make them again: information_schema leaves out a step of a sequence, a
partition's bounds, a routine's parameters, and more with each version. It takes a round trip for each object, so
it is asked for where a picture is taken, and where one of the app's statements may have changed a definition.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

from greenroom.database.mysql.server import MARK, driver, identifier

if TYPE_CHECKING:
    from pymysql.connections import Connection

_TABLES = (
    "SELECT table_name FROM information_schema.tables WHERE table_schema = %s AND table_type {} "
    f"AND table_name <> '{MARK}' ORDER BY BINARY table_name"
)
_ROUTINES = (
    "SELECT routine_name FROM information_schema.routines WHERE routine_schema = %s AND routine_type = '{}' "
    "AND routine_name NOT LIKE 'greenroom\\_%%' ORDER BY BINARY routine_name"
)
#: The kinds of objects, each with the question for their names in a database.
NAMES = {
    "TABLE": _TABLES.format("NOT IN ('VIEW', 'SEQUENCE')"),
    "VIEW": _TABLES.format("= 'VIEW'"),
    "SEQUENCE": _TABLES.format("= 'SEQUENCE'"),
    "PROCEDURE": _ROUTINES.format("PROCEDURE"),
    "FUNCTION": _ROUTINES.format("FUNCTION"),
    "TRIGGER": "SELECT trigger_name FROM information_schema.triggers WHERE event_object_schema = %s "
    "ORDER BY BINARY trigger_name",
    "EVENT": "SELECT event_name FROM information_schema.events WHERE event_schema = %s "
    "ORDER BY BINARY event_name",
}
#: Where a counter stands is a row's matter.
_COUNTER = re.compile(r" AUTO_INCREMENT=\d+")


def definitions(connection: Connection[Any], database: str) -> str:
    """A digest of all of a database's definitions: the same for a copy under another name."""
    digest = hashlib.sha256()
    with connection.cursor() as cursor:

        def add(what: str) -> None:
            # Of what this user may not see, its name alone counts.
            with contextlib.suppress(driver().MySQLError):
                cursor.execute(f"SHOW CREATE {what}")
                for row in cursor.fetchall():
                    told = "\0".join(str(one) for one in row if not isinstance(one, datetime))
                    own = told.replace(identifier(database), "").replace(f"{database}\0", "")
                    digest.update(_COUNTER.sub("", own).encode())

        add(f"DATABASE {identifier(database)}")
        for kind, question in NAMES.items():
            cursor.execute(question, (database,))
            for (name,) in cursor.fetchall():
                digest.update(f"\0{kind} {name}\0".encode())
                add(f"{kind} {identifier(database)}.{identifier(name)}")
    return digest.hexdigest()
