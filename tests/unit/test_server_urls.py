"""What a server's URL says beside its host is read as SQLAlchemy, libpq and the drivers have it."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url

from greenroom.database.mysql.server import Server as MysqlServer
from greenroom.database.postgresql.words import of_libpq, searched, session


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {}),
        ("host=/run/own&port=5433", {"host": "/run/own", "port": "5433"}),
        ("host=a&host=b", {"host": "a,b"}),
        ("host=a:1&host=b:2", {"host": "a,b", "port": "1,2"}),
        ("host=::1", {"host": "::1"}),
        ("ssl=disable", {"sslmode": "disable"}),
        ("ssl=true", {"sslmode": "require"}),
        (
            "ssl=true&sslmode=verify-full&sslrootcert=/ca",
            {"sslmode": "verify-full", "sslrootcert": "/ca"},
        ),
        (
            "application_name=x&options=-cwork_mem%3D5MB&dbname=y&prepared_statement_cache_size=0",
            {},
        ),
    ],
)
def test_libpq_is_told_its_own_words(query: str, expected: dict[str, str]) -> None:
    """asyncpg's are translated, a session's are left out."""
    assert of_libpq(make_url(f"postgresql://u@/postgres?{query}").query) == expected


def test_an_encrypted_connection_to_mysql_stays_one() -> None:
    """It isn't opened in plain text because a word was not understood."""
    url = make_url("mysql+asyncmy://u@db?ssl_ca=/ca&ssl_check_hostname=true&charset=utf8mb4")
    assert MysqlServer(url, "there")._tls() == {"ssl_ca": "/ca", "ssl_verify_identity": True}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"host": "db", "password": "geheim"}, ""),
        ({"server_settings": {}}, ""),
        ({"server_settings": {"jit": "off"}}, "-c jit=off"),
        (
            {"server_settings": {"search_path": 'a, "b\\c"', "jit": "off"}},
            '-c search_path=a,\\ "b\\\\c" -c jit=off',
        ),
        ({"options": "-c jit=off", "dbname": "shop"}, "-c jit=off"),
    ],
)
def test_what_a_session_is_set_to_is_told_to_libpq(told: dict[str, object], expected: str) -> None:
    """And nothing of where the server is, or of who asks; one that only reads couldn't make tables."""
    writes = " -c default_transaction_read_only=off -c statement_timeout=0"
    assert session(told) == ({"options": expected + writes} if expected else {})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("", {}),
        ("-c jit=off -c application_name=worker-4711", {}),
        ("-csearch_path=a,b -c jit=off", {"search_path": "a,b"}),
        ("-c search_path=a,\\ b", {"search_path": "a,\\ b"}),
        ("-c search_path=a --search_path=b", {"search_path": "b"}),
    ],
)
def test_where_a_sessions_tables_are(options: str, expected: dict[str, str]) -> None:
    """The last word counts; what differs from run to run is no part of it."""
    assert searched({"options": options}) == expected
