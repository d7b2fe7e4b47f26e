"""A request of the client library as an ASGI connection scope."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING

from greenroom.client.asgi import CLIENT, Message
from greenroom.facts.exchange import MARK, USER

if TYPE_CHECKING:
    from httpx2 import Request


def scope_of(request: Request) -> Message:
    """The scope, as a server would make it of what came over the wire."""
    url = request.url
    port = url.port or (443 if url.scheme == "https" else 80)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "server": (url.host, port),
        "client": CLIENT,
        "root_path": "",
        "extensions": {MARK: {}, USER: request.extensions.get(USER)},
    }


def websocket_scope_of(request: Request, subprotocols: Sequence[str]) -> Message:
    """The scope of a WebSocket handshake, as a server would make it of a browser's."""
    scope = scope_of(request)
    del scope["method"]
    headers = [
        (name, value)
        for name, value in scope["headers"]
        if name not in {b"connection", b"accept", b"accept-encoding"}
    ]
    headers += [
        (b"connection", b"upgrade"),
        (b"upgrade", b"websocket"),
        (b"sec-websocket-version", b"13"),
        (b"sec-websocket-key", base64.b64encode(b"greenroom greenr")),
    ]
    if subprotocols:
        headers.append((b"sec-websocket-protocol", ", ".join(subprotocols).encode()))
    scope["type"] = "websocket"
    scope["scheme"] = "wss" if scope["scheme"] == "https" else "ws"
    scope["headers"] = headers
    scope["subprotocols"] = list(subprotocols)
    user = scope["extensions"][USER]
    scope["extensions"] = {"websocket.http.response": {}, USER: user}
    return scope
