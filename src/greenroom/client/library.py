"""Which HTTP library the clients are made of: httpx2, or httpx where only that is installed."""

from __future__ import annotations

import importlib
from types import ModuleType

NAMES = ("httpx2", "httpx")


def load() -> ModuleType:
    """The library's module.

    :raises ModuleNotFoundError: if neither is installed.
    """
    for name in NAMES:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
    raise ModuleNotFoundError("greenroom's clients need httpx2 (or httpx): pip install httpx2")
