"""Which database an URL means: two URLs of one database have the same key."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

SQLITE = "sqlite"
#: What the host of a copy is called, and what that of its original, as a word of the name.
_REPLICA = frozenset(
    [
        "replica",
        "replicas",
        "reader",
        "read",
        "readonly",
        "ro",
        "slave",
        "standby",
        "follower",
        "secondary",
    ]
)
_PRIMARY = frozenset(["primary", "writer", "write", "rw", "master", "leader"])
#: The words of a URL's query that hold a secret.
_SECRETS = frozenset(["password", "passwd", "sslpassword", "passfile"])
#: Where the one server of a machine has its socket. Others have theirs elsewhere: a proxy has a folder for each.
_SOCKETS = (
    "/var/run/postgresql",
    "/run/postgresql",
    "/var/run/mysqld",
    "/run/mysqld",
    "/tmp/mysql.sock",  # noqa: S108 - MySQL's own
)
#: The ports that a URL means which names none.
_PORTS = {"postgresql": 5432, "mysql": 3306, "mariadb": 3306}


def key_of(url: URL, number: int) -> str:
    """The identity of the database behind a URL, whatever the driver and the spelling.

    A private in-memory SQLite database belongs to its engine alone, hence the engine's `number`.
    """
    dialect = url.get_backend_name()
    if dialect != SQLITE:
        host = url.host or _said(url, "host", "hostaddr", "unix_socket")
        port = url.port or _said(url, "port") or _PORTS.get(dialect, 0)
        name = url.database or _said(url, "dbname", "database", "service") or url.username or ""
        backend = "mysql" if dialect == "mariadb" else dialect
        return f"{backend}://{_place(host)}:{port}/{name}"
    return sqlite_key(url.database, url.query, number)


def _said(url: URL, *words: str) -> object:
    """What a URL's query says, by the first of these words."""
    return next((url.query[word] for word in words if url.query.get(word)), None)


def _place(host: object) -> str:
    """A machine, or a server of this one that has its socket where only it has."""
    if str(host).startswith("/") and not (str(host) == "/tmp" or str(host).startswith(_SOCKETS)):  # noqa: S108 - libpq's own
        return str(host)
    return "loopback" if is_loopback(host) else str(host).lower()


def is_replica(url: URL) -> bool:
    """Whether a URL names a copy of another database, by a word in its host's name."""
    return any(_word(word) in _REPLICA for label in _labels(url) for word in label)


def role_key(url: URL) -> str:
    """The key without what says which copy it is: the same for a primary and its replicas."""
    labels = [
        "-".join(word for word in label if _word(word) not in _REPLICA | _PRIMARY)
        for label in _labels(url)
    ]
    host = ".".join(filter(None, [*labels, _last_label(url)]))
    backend, _, place = key_of(url, -1).partition("://")
    return f"{backend}://{host}/{place.partition('/')[2]}"


def _labels(url: URL) -> list[list[str]]:
    """The words of a host's name, but for its domain: `.ro` is a country."""
    labels = str(url.host or "").lower().split(".")
    return [re.split("[-_]", label) for label in (labels[:-1] if len(labels) > 1 else labels)]


def _last_label(url: URL) -> str:
    host = str(url.host or "").lower()
    return host.rpartition(".")[2] if "." in host else ""


def _word(word: str) -> str:
    return word.rstrip("0123456789")


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


def is_loopback(host: object) -> bool:
    """Whether a host's name means this machine: also none at all, and a socket's folder."""
    return host is None or str(host) in {"", "localhost", "127.0.0.1", "::1"} or str(host)[0] == "/"


def parse_url(text: str) -> URL | None:
    """The URL in a text that somebody wrote; None if it can't be read."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(text)
    except (ArgumentError, ValueError):
        return None


def backend_of(url: URL) -> str:
    """The kind of server that a URL names, whether or not SQLAlchemy knows the word."""
    word = url.drivername.partition("+")[0]
    return "postgresql" if word == "postgres" else word  # As many a platform spells it.


def shown(url: URL) -> str:
    """A URL as it may be shown: without its passwords."""
    hidden = {word: "***" for word in url.query if word.lower() in _SECRETS}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)
