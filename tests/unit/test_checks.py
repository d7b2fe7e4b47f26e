"""What CHECK constraints say of one column, read from their text."""

from __future__ import annotations

from decimal import Decimal

import pytest

from greenroom.database.checks import read
from greenroom.facts.mapped import Bounds

TABLE = [
    ("price > 0", Bounds(low=0, above=True)),
    ("price >= 0.5", Bounds(low=Decimal("0.5"))),
    ("0 < price", Bounds(low=0, above=True)),
    ("(price <= 10)", Bounds(high=10)),
    ("items.price < 10", Bounds(high=10, below=True)),
    ('"price" >= -1', Bounds(low=-1)),
    ("price BETWEEN 1 AND 5", Bounds(low=1, high=5)),
    ("price between 1 and 5 AND price <> 3", Bounds(low=1, high=5)),
    ("(price >= 1) AND ((price < 5))", Bounds(low=1, high=5, below=True)),
    ("price IS NULL OR price > 0", Bounds(low=0, above=True)),
    ("(price > 0 OR price IS NULL)", Bounds(low=0, above=True)),
    ("length(price) >= 3", Bounds(least=3)),
    ("char_length(trim(price)) > 0", Bounds(least=1)),
    ("LENGTH(price) = 2", Bounds(least=2, most=2)),
    ("length(price) BETWEEN 2 AND 4", Bounds(least=2, most=4)),
    ("price <> ''", Bounds(least=1)),
    ("price IN ('a', 'b and c', 'it''s')", Bounds(choices=("a", "b and c", "it's"))),
    ("price IN (1, 2)", Bounds(choices=(1, 2))),
    ("price = ANY (ARRAY['a'::text, 'b'::text])", Bounds(choices=("a", "b"))),
    ("price = 'a' OR price = 'b'", Bounds(choices=("a", "b"))),
    ("price = 7", Bounds(choices=(7,))),
    ("price >= '2020-01-01'", Bounds(low="2020-01-01")),
]


@pytest.mark.parametrize(("text", "bounds"), TABLE, ids=[text for text, _ in TABLE])
def test_a_check_is_read(text: str, bounds: Bounds) -> None:
    """Ranges, lengths and choices, in the ways that people and servers write them."""
    assert read([text]).bounds == {"price": bounds}


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("starts < ends", ("starts", "ends", False)),
        ("ends >= starts", ("starts", "ends", True)),
        ("(t.ends > t.starts)", ("starts", "ends", False)),
    ],
)
def test_an_order_of_two_columns_is_read(text: str, pair: tuple[str, str, bool]) -> None:
    """The lesser one comes first."""
    assert read([text]).ordered == [pair]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "price % 2 = 0",
        "price > other + 1",
        "lower(price) = price",
        "price = 'a' OR other = 'b'",
        "(",
        "a AND",
    ],
)
def test_what_is_not_understood_says_nothing(text: str) -> None:
    """It's no mistake either."""
    found = read([text])
    assert not found.bounds
    assert not found.ordered


def test_several_checks_hold_together() -> None:
    """Of one column, and of different ones."""
    found = read(["price > 0", "price <= 9", "length(name) <= 5"])
    assert found.bounds == {"price": Bounds(low=0, above=True, high=9), "name": Bounds(most=5)}
