"""Look for live objects of a class: what was made before greenroom could watch."""

from __future__ import annotations

import gc
from typing import TypeVar

T = TypeVar("T")


def live_objects(kind: type[T]) -> list[T]:
    """Every object of the class that the garbage collector knows."""
    # type() and not isinstance(): the latter asks the object, and a lazy proxy would answer.
    return [candidate for candidate in gc.get_objects() if issubclass(type(candidate), kind)]
