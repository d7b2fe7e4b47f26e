"""A field that a model refuses for a bound that its schema doesn't tell: mended by the error itself."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

#: What is put in the place of a moment that must lie before or after now, or have no offset.
_MOMENTS = {
    "date_future": "2999-01-31",
    "date_past": "1999-01-31",
    "datetime_future": "2999-01-31T12:00:00Z",
    "datetime_past": "1999-01-31T12:00:00Z",
    "timezone_naive": "2026-01-31T12:00:00",
    "timezone_aware": "2026-01-31T12:00:00Z",
}


def repaired(payload: Any, error: dict[str, Any]) -> bool:
    """Mend the place of an error in a payload; whether that could be done.

    :param error: Pydantic's, with its context.
    """
    value = _MOMENTS.get(error["type"])
    context = error.get("ctx") or {}
    if value is None:
        value = next((_within(word, context[word]) for word in _WORDS if word in context), None)
    if value is None:
        return False
    return _put(payload, list(error["loc"]), value)


_WORDS = ("ge", "le", "gt", "lt")


def _within(word: str, bound: Any) -> Any:
    """A value on the right side of a bound, as JSON has it."""
    if isinstance(bound, str):
        bound = _read(bound)
    if isinstance(bound, dt.timedelta):
        return bound.total_seconds() + {"gt": 1, "lt": -1}.get(word, 0)
    if isinstance(bound, (dt.date, dt.datetime)):
        step = dt.timedelta(days={"gt": 1, "lt": -1}.get(word, 0))
        return (bound + step).isoformat()
    if isinstance(bound, (int, float)) and not isinstance(bound, bool):
        return bound + {"gt": 1, "lt": -1}.get(word, 0)
    return None


def _read(text: str) -> Any:
    """A bound as Pydantic's errors have it: a date, a datetime, or a duration."""
    for read in (dt.date.fromisoformat, dt.datetime.fromisoformat, _duration):
        try:
            return read(text)
        except ValueError:
            continue
    return None


def _duration(text: str) -> dt.timedelta:
    """`2 days and 3 hours`, as far as it's words with numbers."""
    found = {f"{unit}s": float(count) for count, unit in _PART.findall(text)}
    if not found:
        raise ValueError(text)
    return dt.timedelta(**found)


_PART = re.compile(r"([\d.]+) (day|hour|minute|second)s?\b")


def _put(payload: Any, place: list[Any], value: Any) -> bool:
    """Put a value at a place; the ways of unions that stand in it are passed over."""
    holder = payload
    while place:
        part = place.pop(0)
        known = isinstance(holder, list) and isinstance(part, int) and part < len(holder)
        if not known and not (isinstance(holder, dict) and part in holder):
            continue
        inner = holder[part]
        if not isinstance(inner, (dict, list)):
            holder[part] = value
            return True
        holder = inner
    return False
