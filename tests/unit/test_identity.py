"""Which URLs mean the same database."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url

from greenroom.database.identity import is_replica, key_of, role_key


@pytest.mark.parametrize(
    "host",
    [
        "replica.db.internal",
        "db-replica",
        "db-replica-2",
        "shop.cluster-ro-c9x.eu-central-1.rds.amazonaws.com",
        "reader.db",
        "db_read",
        "standby1.db",
        "replica",
    ],
)
def test_a_host_that_is_called_a_copy_is_one(host: str) -> None:
    """By a word of its name."""
    assert is_replica(make_url(f"postgresql://u@{host}/shop"))


@pytest.mark.parametrize(
    "host", ["db", "localhost", "readings.db", "rome", "spread", "thread-db", "shop.ro"]
)
def test_a_host_that_merely_contains_such_letters_is_none(host: str) -> None:
    """A word is a whole word."""
    assert not is_replica(make_url(f"postgresql://u@{host}/shop"))


def test_a_replica_and_its_primary_have_one_role_key() -> None:
    """Databases of another name or kind don't."""
    primary = make_url("postgresql+asyncpg://u@db/shop")
    assert key_of(primary, 1) != key_of(primary.set(host="db-ro"), 1)
    assert role_key(primary) == role_key(primary.set(host="db-ro"))
    assert role_key(primary) != role_key(primary.set(database="other"))
    assert role_key(primary.set(host="users-db-ro")) == role_key(primary.set(host="users-db"))
    assert role_key(primary.set(host="users-db-ro")) != role_key(primary.set(host="orders-db"))
    writer, reader = (primary.set(host=f"{role}.shop.internal") for role in ("writer", "reader2"))
    assert role_key(writer) == role_key(reader)
    assert role_key(primary) != role_key(primary.set(drivername="mysql"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("postgresql://u@localhost/shop", "postgresql+asyncpg://other@127.0.0.1:5432/shop", True),
        ("postgresql://u@/shop", "postgresql://u@/shop?host=/var/run/postgresql", True),
        ("postgresql://u@db/shop", "postgresql://u@/shop?host=DB&port=5432", True),
        ("postgresql://u@db/shop", "postgresql://u@db/?dbname=shop", True),
        ("mysql://u@localhost/shop", "mariadb+asyncmy://u@localhost:3306/shop", True),
        ("mysql://u@/shop", "mysql://u@/shop?unix_socket=/run/mysqld/mysqld.sock", True),
        ("postgresql://u@localhost/shop", "postgresql://u@localhost:5433/shop", False),
        ("postgresql://u@/shop", "postgresql://u@/shop?port=5433", False),
        ("postgresql://u@db/?service=one", "postgresql://u@db/?service=two", False),
        (
            "postgresql://u@/app?host=/cloudsql/p:r:users",
            "postgresql://u@/app?host=/cloudsql/p:r:billing",
            False,
        ),
        ("mysql://u@/app?unix_socket=/cloudsql/a", "mysql://u@/app?unix_socket=/cloudsql/b", False),
        ("postgresql://u@localhost/shop", "mysql://u@localhost/shop", False),
    ],
)
def test_two_urls_mean_one_database_however_they_are_spelled(
    one: str, other: str, same: bool
) -> None:
    """Port, folder of the socket and name may stand in the query."""
    assert (key_of(make_url(one), 1) == key_of(make_url(other), 2)) is same
