"""JSON pointers, after RFC 6901."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any


def escaped(part: object) -> str:
    """A name, or a number in a list, as a part of a pointer."""
    return str(part).replace("~", "~0").replace("/", "~1")


def collapsed(pointer: str) -> str:
    """A pointer with `*` for the items of lists: the same for all of them."""
    return _ITEM.sub("/*", pointer)


_ITEM = re.compile(r"/\d+(?=/|\Z)")


def at(document: Any, pointer: str) -> Any:
    """What a pointer leads to; an empty object if it leads nowhere."""
    found = document
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdigit() and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, Mapping) and name in found:
            found = found[name]
        else:
            return {}
    return found
