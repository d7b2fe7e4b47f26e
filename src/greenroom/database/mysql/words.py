"""How each driver is told which database to connect to, and what else an app may tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: The drivers that can be led to a private database, with their word for the database's name.
DRIVERS = {"pymysql": "database", "aiomysql": "db", "asyncmy": "db"}

#: What names a server, or is true of one server only: it is replaced as a whole.
_ADDRESS = frozenset(
    {
        "host",
        "port",
        "user",
        "username",
        "password",
        "passwd",
        "database",
        "db",
        "unix_socket",
        "named_pipe",
        "bind_address",
        "read_default_file",
        "read_default_group",
        "ssl",
        "ssl_ca",
        "ssl_cert",
        "ssl_key",
        "ssl_key_password",
        "ssl_disabled",
        "ssl_capath",
        "ssl_cipher",
        "ssl_check_hostname",
        "ssl_verify_cert",
        "ssl_verify_identity",
        "server_public_key",
        "auth_plugin",
        "async_creator_fn",
    }
)


def replace_address(
    driver: str, arguments: list[Any], keywords: dict[str, Any], address: dict[str, Any]
) -> None:
    """Lead a driver's arguments elsewhere.

    :param driver: SQLAlchemy's name of it.
    :param address: where, in PyMySQL's words.
    """
    arguments.clear()
    for name in _ADDRESS & keywords.keys():
        del keywords[name]
    keywords.update(address)
    keywords[DRIVERS[driver]] = keywords.pop("database")


def session(keywords: Mapping[str, object]) -> dict[str, str]:
    """What a driver's arguments set in a session, in PyMySQL's words."""
    said = {word: keywords.get(word) for word in ("init_command", "sql_mode")}
    return {word: str(value) for word, value in said.items() if value}


def keeps(word: str) -> bool:
    """Whether a word of an app's URL says something else than where the server is."""
    return word not in _ADDRESS
