"""A request of the client library as an ASGI connection scope."""

from __future__ import annotations

from typing import TYPE_CHECKING

from greenroom.client.asgi import CLIENT, Message

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
    }
