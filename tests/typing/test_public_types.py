"""The public types, as a type checker sees them; mypy checks this file with the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_type

import greenroom
from greenroom import Client, Overrides, SyncClient
from greenroom.client.library import load
from greenroom.plugin import fixtures

if TYPE_CHECKING:
    import httpx2


async def requests(client: Client) -> None:
    """What a user writes in an async test."""
    library: httpx2.AsyncClient = client
    assert_type(await library.get("/"), httpx2.Response)
    assert_type(client.as_user("ann").anonymous.with_token("x"), Client)
    assert_type(await client.get("/"), httpx2.Response)


def blocking_requests(sync_client: SyncClient) -> None:
    """What a user writes in a `def` test."""
    library: httpx2.Client = sync_client
    assert_type(library.get("/"), httpx2.Response)
    assert_type(sync_client.as_user("ann").anonymous.with_token("x"), SyncClient)
    assert_type(sync_client.get("/"), httpx2.Response)


def overriding(overrides: Overrides) -> None:
    """An override is a function, whatever its signature."""

    def original(token: str) -> int:
        return len(token)

    def replacement() -> int:
        return 7

    overrides[original] = replacement
    overrides[original] = lambda: 7
    del overrides[original]


def test_the_exported_names_are_there_at_run_time() -> None:
    """They are looked up lazily, and each is what the annotation says."""
    assert greenroom.Client is load().AsyncClient
    assert greenroom.SyncClient is load().Client
    for name in {*greenroom.__all__} - {"Client", "SyncClient"}:
        assert getattr(greenroom, name).__name__ == name


def test_a_name_that_is_not_exported_is_missing() -> None:
    """As with any module."""
    assert not hasattr(greenroom, "Clint")


def test_the_public_fixtures_say_what_they_return() -> None:
    """A tool that reads annotations finds them on each."""
    returned = {
        "app": "AsgiApp",
        "client": "Client | SyncClient",
        "auth_client": "Client | SyncClient",
        "make": "Iterator[Make]",
        "sync_client": "SyncClient",
        "db_session": "Iterator[AsyncSession | Session]",
        "overrides": "Iterator[Overrides]",
        "client_factory": "Callable[..., Client | SyncClient]",
        "session_factory": "Callable[..., AsyncSession | Session]",
        "live_server": "Iterator[LiveServer]",
    }
    for name, annotation in returned.items():
        function = getattr(fixtures, name)
        original = getattr(function, "__wrapped__", None) or function._get_wrapped_function()
        assert original.__annotations__["return"] == annotation
        assert original.__doc__
