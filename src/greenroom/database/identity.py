"""Which database an URL means: two URLs of one database have the same key."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

SQLITE = "sqlite"


def key_of(url: URL, number: int) -> str:
    """The identity of the database behind a URL, whatever the driver and the spelling.

    A private in-memory SQLite database belongs to its engine alone, hence the engine's `number`.
    """
    dialect = url.get_backend_name()
    if dialect != SQLITE:
        return url.set(
            drivername=dialect, username=None, password=None, query={}
        ).render_as_string()
    return sqlite_key(url.database, url.query, number)


def sqlite_key(database: str | None, query: Mapping[str, object], number: int) -> str:
    """The identity of a SQLite database, from what SQLAlchemy's URL says of it."""
    name = database or ":memory:"
    if name.startswith("file:"):
        path, _, options = name[len("file:") :].partition("?")
        named = query.get("mode") == "memory" or "mode=memory" in options
        if named or path in {":memory:", ""}:
            shared = query.get("cache") == "shared" or "cache=shared" in options
            return f"sqlite:memory:{path}" if shared else f"sqlite:memory:#{number}"
        name = path
    if name == ":memory:":
        return f"sqlite:memory:#{number}"
    return f"sqlite:{os.path.realpath(name)}"


def is_anonymous(key: str) -> bool:
    """Whether the key is that of an in-memory database that belongs to one engine alone."""
    return key.startswith("sqlite:memory:#")
