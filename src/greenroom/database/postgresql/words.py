"""How each driver is told which database to connect to, and what else an app may tell it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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


#: What the query of a server's URL can't say: greenroom says it itself, or it's psycopg2's word for all.
_NOT_OF_A_SERVER = frozenset({"dsn", "conninfo", "dbname", "database", "connect_timeout"})
#: Not one of IPv6.
_WITH_PORT = re.compile(r"([^:]+):(\d+)")
#: A word of libpq's `options` ends at a space.
_ESCAPED = re.compile(r"[\\\s]")
#: The schemas where a session looks for tables, in libpq's `options`.
_SEARCHED = re.compile(r"search_path=((?:\\.|\S)*)")
_WORKS = "-c default_transaction_read_only=off -c statement_timeout=0"
_SSL = {"true": "require", "1": "require", "false": "disable", "0": "disable"}


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


def of_libpq(query: Mapping[str, str | Sequence[str]]) -> dict[str, str]:
    """What the query of a server's URL says in libpq's words: where it is, and how to get in.

    asyncpg's `ssl` is libpq's `sslmode`; what only a driver or a session is told is left out; several hosts may be
    written with their ports, as SQLAlchemy has it.
    """
    found: dict[str, str] = {}
    for word, value in query.items():
        text = value if isinstance(value, str) else ",".join(value)
        if word == "ssl":
            found.setdefault("sslmode", _SSL.get(text.lower(), text))
        elif word in _LIBPQ - _NOT_OF_A_SERVER:
            found[word] = text
    hosts = [_WITH_PORT.fullmatch(host) for host in found.get("host", "").split(",")]
    split = [host.groups() for host in hosts if host is not None]
    if len(split) == len(hosts):
        found["host"], found["port"] = (",".join(part) for part in zip(*split, strict=True))
    return found


def session(keywords: Mapping[str, Any]) -> dict[str, str]:
    """What a driver's arguments set in a session, in libpq's words: asyncpg has a dictionary of settings.

    It is one that makes tables: where the app's only reads, or ends what takes long, it doesn't.
    """
    settings = keywords.get("server_settings") or {}
    said = [(name, _ESCAPED.sub(r"\\\g<0>", str(value))) for name, value in settings.items()]
    options = str(keywords.get("options") or " ".join(f"-c {name}={value}" for name, value in said))
    return {"options": f"{options} {_WORKS}"} if options else {}


def searched(session: Mapping[str, str]) -> dict[str, str]:
    """The part of a session's words that says where its tables are."""
    found = _SEARCHED.findall(session.get("options", ""))
    return {"search_path": found[-1]} if found else {}


def keeps(word: str) -> bool:
    """Whether a word of an app's URL says something else than where the server is."""
    return word not in _LIBPQ | _ASYNCPG
