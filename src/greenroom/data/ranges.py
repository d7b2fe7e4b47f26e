"""The values of a type in an order, so that different numbers give different values."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from greenroom.facts.mapped import Bounds, MappedColumn

#: Where numbers start that nobody has told bounds for: rows that are there already have small ones.
START = 1_000_000
_INTEGERS = 2**31 - 1
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_DAY = dt.date(2000, 1, 1)
_DAYS = 36_524
_SECONDS = 3_000_000_000
#: The longest number in a text, in characters: more than anybody makes rows.
_WIDTH = 6
#: A text of fewer characters is nothing but its number.
_READABLE = 16


@dataclass(frozen=True, slots=True)
class Range:
    """Values of a column.

    :param size: how many there are.
    :param nth: the value of a number below that.
    :param is_wide: whether a number that is drawn meets no value that is there already.
    """

    size: int
    nth: Callable[[int], Any]

    @property
    def is_wide(self) -> bool:
        return self.size >= START


def range_of(column: MappedColumn) -> Range | None:  # noqa: C901, PLR0911 - a kind each
    """The values that a column takes; None of a type that has no order."""
    kind, bounds = column.kind, column.bounds
    if bounds.choices:
        return Range(len(bounds.choices), bounds.choices.__getitem__)
    if kind is bool:
        return Range(2, bool)
    if kind is str and column.type_name.lower() == "uuid":
        return Range(2**120, lambda number: str(uuid.UUID(int=number << 2, version=4)))
    if kind is str:
        return _texts(column)
    if kind is int:
        low, high = _whole(bounds)
        return Range(max(high - low + 1, 0), lambda number: low + number)
    if kind in {float, Decimal}:
        return _decimals(column)
    if kind is bytes:
        return Range(
            36**_WIDTH, lambda number: _base36(number).zfill(max(bounds.least, 8)).encode()
        )
    if kind is uuid.UUID:
        return Range(2**120, lambda number: uuid.UUID(int=number << 2, version=4))
    if kind in {dt.date, dt.datetime}:
        return _moments(column)
    if kind is dt.time:
        return Range(86_400, _time)
    if kind is dt.timedelta:
        return Range(10**7, lambda number: dt.timedelta(seconds=number + 1))
    return None


def _whole(bounds: Bounds) -> tuple[int, int]:
    """The least and the greatest whole number."""
    low = math.ceil(bounds.low) if bounds.low is not None else None
    if low is not None and bounds.above and low == bounds.low:
        low += 1
    high = math.floor(bounds.high) if bounds.high is not None else None
    if high is not None and bounds.below and high == bounds.high:
        high -= 1
    if high is None:
        high = max(_INTEGERS, low or 1)
    if low is None:
        low = 1 if high > 1 else high - START
    return low, high


def _texts(column: MappedColumn) -> Range:
    """Readable where there is room: `name-1x7k2`; what sounds like an address is one."""
    most = column.bounds.most if column.bounds.most is not None else 255
    least = column.bounds.least
    width = min(_WIDTH, most)

    def text(number: int) -> str:
        digits = _base36(number).zfill(width)
        made = _named(column.name, digits) if most >= _READABLE else digits
        if len(made) > most:
            made = digits
        return made + "x" * (least - len(made))

    return Range(36**width if most else 1, text if most else lambda number: "")


def _named(name: str, digits: str) -> str:
    lowered = name.lower()
    if lowered.endswith(("email", "e_mail", "mail")):
        return f"{digits}@example.com"
    if lowered.endswith(("url", "website", "homepage", "link", "uri")):
        return f"https://example.com/{digits}"
    if lowered.endswith(("phone", "mobile", "phone_number")):
        return f"+1555{int(digits, 36) % 10**7:07d}"
    return f"{lowered.rpartition('_')[2]}-{digits}"


def _decimals(column: MappedColumn) -> Range:
    """Steps of the last digit."""
    bounds: Bounds = column.bounds
    scale = column.scale if column.scale is not None else 2
    if column.kind is float and bounds.low is not None and bounds.high is not None:
        span = Decimal(str(bounds.high)) - Decimal(str(bounds.low))
        scale = max(scale, 2 - span.adjusted()) if span > 0 else scale
    step = Decimal(1).scaleb(-scale)
    whole = (column.precision or 12) - scale
    top = Decimal(10) ** max(whole, 0) - step
    high = top if bounds.high is None else min(top, Decimal(str(bounds.high)))
    low = step if bounds.low is None else Decimal(str(bounds.low))
    if bounds.low is None and low > high:
        low = high - START
    first = low + step if bounds.above else low
    last = high - step if bounds.below else high
    size = int((last - first) / step) + 1
    convert: Any = float if column.kind is float else Decimal
    return Range(max(size, 0), lambda number: convert((first + number * step).quantize(step)))


def _moments(column: MappedColumn) -> Range:
    """Days, or seconds, of this century; between what bounds say, if they say it as texts."""
    zone = dt.UTC if column.has_zone else None
    if column.kind is dt.date:
        low, high = (_date(one) for one in (column.bounds.low, column.bounds.high))
        first = (low or _DAY) + dt.timedelta(days=int(column.bounds.above and low is not None))
        last = (high - dt.timedelta(days=int(column.bounds.below))) if high else None
        if last is not None and low is None and last < first:
            first = last - dt.timedelta(days=_DAYS)
        size = (last - first).days + 1 if last is not None else _DAYS
        return Range(max(size, 0), lambda number: first + dt.timedelta(days=number))
    start = dt.datetime(2000, 1, 1, tzinfo=zone)
    low = _date(column.bounds.low)
    if low is not None:
        start = dt.datetime(low.year, low.month, low.day, tzinfo=zone) + dt.timedelta(days=1)
    high = _date(column.bounds.high)
    if high is None:
        return Range(_SECONDS, lambda number: start + dt.timedelta(seconds=number))
    end = dt.datetime(high.year, high.month, high.day, tzinfo=zone)
    if low is None and end <= start:
        start = end - dt.timedelta(days=_DAYS)
    size = int((end - start).total_seconds())
    return Range(max(size, 0), lambda number: start + dt.timedelta(seconds=number))


def _date(bound: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(bound)[:10]) if bound is not None else None
    except ValueError:
        return None


def _time(number: int) -> dt.time:
    minutes, seconds = divmod(number, 60)
    return dt.time(minutes // 60, minutes % 60, seconds)


def _base36(number: int) -> str:
    found = ""
    while True:
        number, digit = divmod(number, 36)
        found = _DIGITS[digit] + found
        if not number:
            return found
