"""Tests of a FastAPI app on a real, isolated database, without a conftest.

The names exported here are the types of the public fixtures, for annotations, and `invalid`::

    from greenroom import Client, Overrides

    async def test_read(client: Client, overrides: Overrides) -> None: ...

They are looked up lazily, so that importing ``greenroom`` imports none of the libraries behind them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from greenroom.app.overrides import Overrides
    from greenroom.boundary.clock import Clock
    from greenroom.boundary.mailbox import Mailbox
    from greenroom.boundary.routes import Outbound
    from greenroom.client.typed import Client, SyncClient
    from greenroom.data.invalid import invalid
    from greenroom.facts.errors import GreenroomError
    from greenroom.facts.isolation import Isolation
    from greenroom.runtime.making import Make

__all__ = [
    "Client",
    "Clock",
    "GreenroomError",
    "Isolation",
    "Mailbox",
    "Make",
    "Outbound",
    "Overrides",
    "SyncClient",
    "invalid",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'greenroom' has no attribute {name!r}")
    if name in {"Client", "SyncClient"}:
        from greenroom.client.library import load

        library = load()
        return library.AsyncClient if name == "Client" else library.Client
    return getattr(importlib.import_module(_PLACES[name]), name)


#: Where each name comes from.
_PLACES = {
    "Clock": "greenroom.boundary.clock",
    "GreenroomError": "greenroom.facts.errors",
    "Isolation": "greenroom.facts.isolation",
    "Mailbox": "greenroom.boundary.mailbox",
    "Make": "greenroom.runtime.making",
    "Outbound": "greenroom.boundary.routes",
    "Overrides": "greenroom.app.overrides",
    "invalid": "greenroom.data.invalid",
}
