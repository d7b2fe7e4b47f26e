"""The classes of event loops whose methods are looked at."""

from __future__ import annotations

import sys
from asyncio import BaseEventLoop
from collections.abc import Iterator
from typing import Any


def unmet(met: set[str]) -> Iterator[Any]:
    """Those that are there and weren't met yet: an app may import uvloop as it is started.

    :param met: the names of those that were; it is kept by who looks, and cleared when he stops.
    """
    uvloop = sys.modules.get("uvloop")
    for name, kind in (("asyncio", BaseEventLoop), ("uvloop", getattr(uvloop, "Loop", None))):
        if kind is not None and name not in met:
            met.add(name)
            yield kind
