"""The values of a column's type in an order: all different, and all within what the column takes."""

from __future__ import annotations

import datetime as dt
import enum
import uuid
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from greenroom.data.ranges import range_of
from greenroom.facts.mapped import Bounds, MappedColumn

COLORS = enum.Enum("COLORS", "RED BLUE")


def column(kind: Any, name: str = "name", **options: Any) -> MappedColumn:
    bounds = options.pop("bounds", Bounds())
    return replace(MappedColumn(name, kind, "x", is_needed=True), bounds=bounds, **options)


COLUMNS = [
    column(str),
    column(str, bounds=Bounds(most=3)),
    column(str, bounds=Bounds(most=20, least=20)),
    column(str, "email", bounds=Bounds(most=40)),
    column(str, "homepage_url"),
    column(int),
    column(int, bounds=Bounds(low=-3, high=3, below=True)),
    column(int, bounds=Bounds(low=0, above=True)),
    column(Decimal, precision=5, scale=2),
    column(Decimal, precision=5, scale=0, bounds=Bounds(low=0, above=True, high=10)),
    column(float, bounds=Bounds(low=0, high=1)),
    column(bytes),
    column(uuid.UUID),
    column(dt.date, bounds=Bounds(low="2030-01-01", above=True)),
    column(dt.date),
    column(dt.datetime),
    column(dt.datetime, has_zone=True),
    column(dt.time),
    column(dt.timedelta),
    column(bool),
    column(COLORS, bounds=Bounds(choices=tuple(COLORS))),
    column(str, bounds=Bounds(choices=("a", "b"))),
]


@pytest.mark.parametrize("one", COLUMNS, ids=lambda one: f"{one.kind.__name__}-{one.bounds}")
def test_different_numbers_give_different_values(one: MappedColumn) -> None:
    """At the beginning, in the middle and at the end of the range."""
    known = range_of(one)
    assert known is not None
    numbers = {0, 1, 2, known.size // 2, known.size // 2 + 1, known.size - 2, known.size - 1}
    asked = [number for number in sorted(numbers) if 0 <= number < known.size]
    values = [known.nth(number) for number in asked]
    assert len(set(values)) == len(values)
    for value in values:
        check(one, value)


def check(one: MappedColumn, value: Any) -> None:
    bounds = one.bounds
    assert isinstance(value, one.kind)
    if bounds.choices:
        assert value in bounds.choices
        return
    if isinstance(value, (str, bytes)):
        assert bounds.least <= len(value) <= (bounds.most or 255)
    if isinstance(value, (int, float, Decimal)):
        if bounds.low is not None:
            assert value > bounds.low if bounds.above else value >= bounds.low
        if bounds.high is not None:
            assert value < bounds.high if bounds.below else value <= bounds.high
    if one.precision is not None:
        assert abs(value) < 10 ** (one.precision - (one.scale or 0))
        assert -value.as_tuple().exponent <= (one.scale or 0)
    if isinstance(value, dt.datetime):
        assert (value.tzinfo is not None) is one.has_zone
    elif isinstance(value, dt.date) and bounds.low is not None:
        assert value.isoformat() > bounds.low


def test_texts_are_readable_where_there_is_room() -> None:
    """What sounds like an address is one."""
    found = {
        name: range_of(column(str, name)).nth(46_655)  # type: ignore[union-attr]
        for name in ("name", "email", "work_email", "website_url", "phone")
    }
    assert found == {
        "name": "name-000zzz",
        "email": "000zzz@example.com",
        "work_email": "000zzz@example.com",
        "website_url": "https://example.com/000zzz",
        "phone": "+15550046655",
    }


def test_bounds_that_nothing_fits_make_an_empty_range() -> None:
    """And a type without an order has none."""
    empty = range_of(column(int, bounds=Bounds(low=5, high=3)))
    assert empty is not None
    assert empty.size == 0
    assert range_of(column(complex)) is None
