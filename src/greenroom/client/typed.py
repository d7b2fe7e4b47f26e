"""The clients as type checkers see them: the library's own, with what greenroom adds.

Never imported while tests run: which library it is shows then.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

import httpx2


class Client(httpx2.AsyncClient):
    """A client on the app, for async tests."""

    raise_app_exceptions: bool

    def as_user(self, user: object, *, password: str | None = None) -> Client:
        """Another client, which asks as a user."""
        raise NotImplementedError

    def with_token(self, token: str, *, scheme: str | None = None) -> Client:
        """Another client, with a token as the app's security scheme wants it."""
        raise NotImplementedError

    @property
    def anonymous(self) -> Client:
        """Another client, without cookies or credentials."""
        raise NotImplementedError

    def websocket_connect(
        self, url: str, subprotocols: Any = (), **options: Any
    ) -> AbstractAsyncContextManager[Any]:
        """A WebSocket session with the app."""
        raise NotImplementedError


class SyncClient(httpx2.Client):
    """A client on the app, for `def` tests."""

    raise_app_exceptions: bool

    def as_user(self, user: object, *, password: str | None = None) -> SyncClient:
        """Another client, which asks as a user."""
        raise NotImplementedError

    def with_token(self, token: str, *, scheme: str | None = None) -> SyncClient:
        """Another client, with a token as the app's security scheme wants it."""
        raise NotImplementedError

    @property
    def anonymous(self) -> SyncClient:
        """Another client, without cookies or credentials."""
        raise NotImplementedError

    def websocket_connect(self, url: str, *args: Any, **options: Any) -> Any:
        """A WebSocket session with the app."""
        raise NotImplementedError
