"""Requests that don't come by greenroom's own clients: a suite's own client, a browser, a WebSocket."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

from greenroom.app.load import Message, Receive, Send
from greenroom.facts.encoding import decoded
from greenroom.facts.exchange import LOOKED_INTO, MARK, Exchange, Watch, raised
from greenroom.facts.operation import WEBSOCKET


def record(
    app: Any, asked: Callable[[], Watch], is_alike: Callable[[object], bool]
) -> Callable[[], None]:
    """Tell of each request that the app, or one made like it, gets from others; what ends that.

    An app is called by way of its class, so that is where the watch is. One that is a function can't
    be watched.

    :param asked: called as a request begins.
    :param is_alike: whether another object of the same class is the same app made once more.
    """
    kind: Any = type(app)
    original = kind.__dict__.get("__call__")
    call: Any = getattr(kind, "__call__", None)  # noqa: B004 - it is what is replaced
    if call is None or kind.__module__ == "builtins":
        return lambda: None
    alike = _Alike(app, is_alike)

    @functools.wraps(call)
    async def __call__(  # noqa: N807 - it takes the place of that one
        self: Any, scope: Message, receive: Receive, send: Send
    ) -> None:
        __tracebackhide__ = True
        told = scope["type"] not in {"http", "websocket"} or MARK in (scope.get("extensions") or ())
        if told or scope.get("app") is not None or not alike.holds(self):
            await call(self, scope, receive, send)
            return
        heard = _Heard(scope, asked())
        try:
            await call(self, scope, receive, heard.listen(send))
        except BaseException as error:
            heard.tell(error)
            raise
        heard.tell(None)

    kind.__call__ = __call__

    def end() -> None:
        if original is None:
            del kind.__call__
        else:
            kind.__call__ = original

    return end


class _Alike:
    """Tells the app, and those made like it, from others of its class."""

    def __init__(self, app: object, is_alike: Callable[[object], bool]) -> None:
        self._app = app
        self._is_alike = is_alike
        self._known: weakref.WeakKeyDictionary[object, bool] = weakref.WeakKeyDictionary()

    def holds(self, one: object) -> bool:
        if one is self._app:
            return True
        try:
            if one not in self._known:
                self._known[one] = self._is_alike(one)
            return self._known[one]
        except TypeError:  # An app of a class that can't be remembered is another one.
            return False


class _Heard:
    """What the app sends in answer to one request."""

    def __init__(self, scope: Message, watch: Watch) -> None:
        query = scope.get("query_string", b"").decode("latin-1")
        self._is_socket = scope["type"] == "websocket"
        self._method = WEBSOCKET if self._is_socket else scope["method"]
        self._path: str = scope["path"]
        self._scope = scope
        self._target = f"{scope['path']}?{query}" if query else scope["path"]
        self._watch = watch
        self._status: int | None = None
        self._content_type = ""
        self._encoding = ""
        self._parts: list[bytes] | None = []
        self._length = 0

    def listen(self, send: Send) -> Send:
        async def heard(message: Message) -> None:
            self._hear(message)
            await send(message)

        return heard

    def _hear(self, message: Message) -> None:
        kind = message["type"]
        if kind in {"http.response.start", "websocket.http.response.start"}:
            self._status = message["status"]
            for name, value in message.get("headers", ()):
                if name.lower() == b"content-type":
                    self._content_type = value.decode("latin-1")
                elif name.lower() == b"content-encoding":
                    self._encoding = value.decode("latin-1")
        elif kind == "websocket.accept":
            self._status = 101
        elif kind == "websocket.close" and self._status is None:
            # A server answers so to a handshake that the app closes.
            self._status = 403
        elif kind == "http.response.body" and self._parts is not None:
            part = message.get("body", b"")
            self._length += len(part)
            if self._length > LOOKED_INTO:
                self._parts = None
            else:
                self._parts.append(part)

    def tell(self, error: BaseException | None) -> None:
        status, line = self._status, ""
        if error is not None and status is None:
            line = raised(error)
        if status is None and not line:
            line = "gave no answer"
        body: bytes | None = None
        known = self._parts is not None and status is not None
        if known and not self._is_socket and self._method != "HEAD":
            body = decoded(b"".join(self._parts or ()), self._encoding)
        reached = error is not None or "endpoint" in self._scope
        exchange = Exchange(
            self._method,
            self._target,
            None,
            status,
            body,
            line,
            self._content_type,
            self._path,
            reached,
        )
        # Whether somebody looks at it can't be seen from here.
        self._watch.saw(exchange)()
