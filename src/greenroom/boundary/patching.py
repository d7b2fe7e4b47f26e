"""Put something in the place of an attribute, and take it back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_MISSING = object()


def put(holder: Any, name: str, value: object) -> Callable[[], None]:
    """Set an attribute of a module or a class; what is given back restores it.

    What somebody else has put there meanwhile is left alone.
    """
    before = vars(holder).get(name, _MISSING)
    setattr(holder, name, value)

    def restore() -> None:
        if vars(holder).get(name) is not value:
            return
        if before is _MISSING:
            delattr(holder, name)
        else:
            setattr(holder, name, before)

    return restore
