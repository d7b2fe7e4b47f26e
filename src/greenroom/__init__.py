"""Tests of a FastAPI app on a real, isolated database, without a conftest.

The names exported here are the types of the public fixtures, for annotations, and `invalid`::

    from greenroom import Client, Overrides

    async def test_read(client: Client, overrides: Overrides) -> None: ...

They are looked up lazily, so that importing ``greenroom`` imports none of the libraries behind them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from httpx2 import AsyncClient as Client
    from httpx2 import Client as SyncClient

    from greenroom.app.overrides import Overrides
    from greenroom.data.invalid import invalid
    from greenroom.facts.errors import GreenroomError
    from greenroom.facts.isolation import Isolation

__all__ = ["Client", "GreenroomError", "Isolation", "Overrides", "SyncClient", "invalid"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'greenroom' has no attribute {name!r}")
    if name in {"Client", "SyncClient"}:
        from greenroom.client.library import load

        library = load()
        return library.AsyncClient if name == "Client" else library.Client
    if name == "Overrides":
        from greenroom.app.overrides import Overrides

        return Overrides
    if name == "invalid":
        from greenroom.data.invalid import invalid

        return invalid
    if name == "Isolation":
        from greenroom.facts.isolation import Isolation

        return Isolation
    from greenroom.facts.errors import GreenroomError

    return GreenroomError
