"""Which statements may change more than rows; they are seen as the app's engines send them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from greenroom.facts.errors import Code, GreenroomError

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

_COMMENTS = r"\s*(?:(?:(?:--|\#)[^\n]*\n|/\*.*?\*/)\s*)*"
_DEFINES = re.compile(
    _COMMENTS
    + r"(?:CREATE|ALTER|DROP|RENAME|GRANT|REVOKE|COMMENT|REFRESH|SECURITY|IMPORT|REASSIGN|DO|CALL|"
    r"PREPARE|EXECUTE|SET\s+STATEMENT)\b",
    re.IGNORECASE | re.DOTALL,
)
#: What is about a whole database, and its name; on MariaDB and MySQL a schema is one.
_OF_DATABASES = {
    "postgresql": r"(?:CREATE|DROP|ALTER)\s+DATABASE",
    "mysql": r"(?:(?:CREATE(?:\s+OR\s+REPLACE)?|DROP|ALTER)\s+(?:DATABASE|SCHEMA)|USE)",
}
_NAMES = {
    backend: re.compile(
        rf"{_COMMENTS}({words})\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?[\"`]?([^\"`\s;]+)",
        re.IGNORECASE | re.DOTALL,
    )
    for backend, words in _OF_DATABASES.items()
}
#: MySQL's ALTER DATABASE without a name is about the current one.
_NO_NAMES = frozenset(
    {"character", "charset", "collate", "comment", "default", "encryption", "read"}
)
_LATER = re.compile(
    r";\s*(?:CREATE|ALTER|DROP|RENAME|GRANT|REVOKE|COMMENT|REFRESH)\b", re.IGNORECASE
)


def may_define(statement: str) -> bool:
    """Whether it may change a table's definition, and not only rows."""
    return bool(_DEFINES.match(statement) or (";" in statement and _LATER.search(statement)))


def watch_definitions(engine: Engine, seen: Callable[[], None]) -> None:
    """Call a function at each statement of an engine that may change a definition."""

    def executes(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if may_define(statement):
            seen()

    event.listen(engine, "before_cursor_execute", executes)


def refuse_databases(
    engine: Engine, backend: str, is_own: Callable[[str], bool], place: Callable[[], str]
) -> None:
    """Refuse an engine's statements that make, change, drop or enter another database of its server.

    It is led to a database of greenroom's, and these would leave it: the app's own may be on the same server.

    :param backend: postgresql or mysql.
    :param is_own: tells by its name the one that it is led to; always true where nothing else can be there.
    :param place: where the server is, for the message.
    """

    def executes(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        found = _NAMES[backend].match(statement)
        if found is None or found[2].lower() in _NO_NAMES or is_own(found[2]):
            return
        raise GreenroomError(
            Code.NOT_OURS,
            f"the app sent {found[1].upper()} {found[2]} to the server {place()}, which has other databases than "
            "the tests' own: it was not sent on.",
            "Take it out of the tests' way: greenroom makes and drops the databases of tests by itself. On an "
            "embedded PostgreSQL it may be sent.",
        )

    event.listen(engine, "before_cursor_execute", executes)
