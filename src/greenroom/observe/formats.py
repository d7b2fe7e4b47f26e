"""The formats of JSON Schema, as Pydantic writes them."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from urllib.parse import urlsplit


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


def _is_uri(text: str) -> bool:
    """What Pydantic's URLs are: they leave characters as they are that RFC 3986 would have encoded."""
    try:
        return bool(urlsplit(text).scheme)
    except ValueError:
        return False


def _is_regex(text: str) -> bool:
    """One of Python's, which has words of its own."""
    try:
        re.compile(text)
    except re.error:
        return False
    return True


def _is_ipv6(text: str) -> bool:
    """With a zone too."""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


_DURATION = re.compile(r"[-+]?P(?=.)(\d+[YMWD])*(T(\d+(\.\d+)?[HMS])+)?\Z")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\Z")

FORMATS = {
    "date-time": _is_date_time,
    "time": _is_time,
    "duration": lambda text: bool(_DURATION.match(text)),
    "uri": _is_uri,
    "regex": _is_regex,
    "ipv6": _is_ipv6,
    # An address may be international, which EmailStr allows.
    "email": lambda text: bool(_EMAIL.match(text)),
}
