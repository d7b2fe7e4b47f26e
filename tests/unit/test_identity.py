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
