"""WebSockets for blocking tests, by Starlette's own test client."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from greenroom.app.load import AsgiApp
from greenroom.facts.exchange import USER


class Socket:
    """A WebSocket session, to be used in a `with`.

    The app's side runs on a loop of its own, in a thread.

    :param before: called before the session begins.
    :param after: called when it is over.
    :param over: how long something may be waited for.
    :param user: who asks, where a dependency is overridden by him.
    :param options: what Starlette's `websocket_connect` takes.
    :raises ModuleNotFoundError: if Starlette isn't installed.
    """

    def __init__(
        self,
        app: AsgiApp,
        base_url: str,
        before: Callable[[], None],
        after: Callable[[], None],
        over: Callable[[str, str], AbstractContextManager[None]],
        *arguments: Any,
        cookies: Any,
        user: object = None,
        **options: Any,
    ) -> None:
        from starlette.testclient import TestClient

        if user is not None:
            app = _told(app, user)
        self._client = TestClient(app, base_url=base_url, cookies=cookies)
        self._before, self._after, self._over = before, after, over
        self._arguments, self._options = arguments, options
        self._session: Any = None

    def __enter__(self) -> Any:
        self._before()
        self._session = self._client.websocket_connect(*self._arguments, **self._options)
        receive, path = self._session.receive, str(self._session.scope["path"])

        def in_time() -> Any:
            __tracebackhide__ = True
            with self._over("WEBSOCKET", path):
                return receive()

        # All of its other methods call this one.
        self._session.receive = in_time
        return self._session.__enter__()

    def __exit__(self, *error: object) -> None:
        try:
            self._session.__exit__(*error)
        finally:
            self._after()


def _told(app: AsgiApp, user: object) -> AsgiApp:
    """The app, which is told who asks."""

    async def told(scope: Any, receive: Any, send: Any) -> None:
        scope = {**scope, "extensions": {**scope.get("extensions", {}), USER: user}}
        await app(scope, receive, send)

    return told
