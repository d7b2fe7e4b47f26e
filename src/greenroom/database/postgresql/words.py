"""How each driver is told which database to connect to, and what else an app may tell it."""

from __future__ import annotations

from typing import Any

#: The drivers that can be led to a private database.
DRIVERS = frozenset({"asyncpg", "psycopg", "psycopg_async", "psycopg2"})

#: What names a server, or is true of one server only: it is replaced as a whole.
_LIBPQ = frozenset(
    [
        "dsn",
        "conninfo",
        "service",
        "servicefile",
        "host",
        "hostaddr",
        "port",
        "dbname",
        "database",
        "user",
        "password",
        "passfile",
        "require_auth",
        "channel_binding",
        "sslmode",
        "requiressl",
        "sslnegotiation",
        "sslcompression",
        "sslcert",
        "sslkey",
        "sslpassword",
        "sslcertmode",
        "sslrootcert",
        "sslcrl",
        "sslcrldir",
        "sslsni",
        "requirepeer",
        "ssl_min_protocol_version",
        "ssl_max_protocol_version",
        "gssencmode",
        "krbsrvname",
        "gsslib",
        "gssdelegation",
        "target_session_attrs",
        "load_balance_hosts",
        "connect_timeout",
    ]
)
_ASYNCPG = frozenset(
    [
        "dsn",
        "service",
        "servicefile",
        "host",
        "port",
        "database",
        "user",
        "password",
        "passfile",
        "ssl",
        "direct_tls",
        "target_session_attrs",
        "krbsrvname",
        "gsslib",
        "async_creator_fn",
    ]
)


def replace_address(
    driver: str, arguments: list[Any], keywords: dict[str, Any], address: dict[str, Any]
) -> None:
    """Lead a driver's arguments elsewhere.

    :param driver: SQLAlchemy's name of it.
    :param address: where, in libpq's words.
    """
    arguments.clear()
    if driver == "asyncpg":
        names = {"dbname": "database", "sslmode": "ssl", "connect_timeout": "timeout"}
        known = {"host", "port", "user", "password", "dbname", "sslmode", "connect_timeout"}
        for name in _ASYNCPG & keywords.keys():
            del keywords[name]
        keywords.update({names.get(k, k): v for k, v in address.items() if k in known})
    else:
        for name in (_LIBPQ | {"async_creator_fn"}) & keywords.keys():
            del keywords[name]
        keywords.update(address)


def keeps(word: str) -> bool:
    """Whether a word of an app's URL says something else than where the server is."""
    return word not in _LIBPQ | _ASYNCPG
