"""Which statements may change more than rows; they are seen as the app's engines send them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

_DEFINES = re.compile(
    r"\s*(?:(?:(?:--|\#)[^\n]*\n|/\*.*?\*/)\s*)*"
    r"(?:CREATE|ALTER|DROP|RENAME|GRANT|REVOKE|COMMENT|REFRESH|SECURITY|IMPORT|REASSIGN|DO|CALL|"
    r"PREPARE|EXECUTE|SET\s+STATEMENT)\b",
    re.IGNORECASE | re.DOTALL,
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
