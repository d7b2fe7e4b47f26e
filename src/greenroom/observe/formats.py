"""The formats of JSON Schema, as Pydantic writes them."""

from __future__ import annotations

import datetime as dt
import re


def _is_date_time(text: str) -> bool:
    """RFC 3339, and without an offset, as a naive datetime is written."""
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return len(text) > len("2026-01-01") and text[10] in "Tt "


def _is_time(text: str) -> bool:
    try:
        dt.time.fromisoformat(text)
    except ValueError:
        return False
    return True


_DURATION = re.compile(r"[-+]?P(?=.)(\d+[YMWD])*(T(\d+(\.\d+)?[HMS])+)?\Z")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\Z")

FORMATS = {
    "date-time": _is_date_time,
    "time": _is_time,
    "duration": lambda text: bool(_DURATION.match(text)),
    # An address may be international, which EmailStr allows.
    "email": lambda text: bool(_EMAIL.match(text)),
}
