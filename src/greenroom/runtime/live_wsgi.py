"""A WSGI app under the standard library's server, with a thread for each request."""

from __future__ import annotations

import threading
from collections.abc import Callable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from greenroom.runtime.live import LiveServer, bind


class LiveWsgiServer(LiveServer):
    """A WSGI app, with a thread for each request.

    :raises GreenroomError: if no port can be bound.
    """

    def __init__(self, app: Callable[..., Any]) -> None:
        super().__init__()
        bound = bind()
        host, port = bound.getsockname()
        self.url = f"http://{host}:{port}"
        self._server = _Server((host, port), _Quiet, bind_and_activate=False)
        self._server.count = self.count
        self._server.socket.close()
        self._server.socket = bound
        self._server.server_name, self._server.server_port = host, port
        self._server.setup_environ()
        self._server.set_app(app)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=[0.05], name="greenroom-live", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Let the requests that are under way end, and stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    count: Callable[[int], None]


class _Quiet(WSGIRequestHandler):
    server: _Server
    counted = False

    def parse_request(self) -> bool:
        # A browser opens connections on which it asks nothing yet.
        self.counted = True
        self.server.count(1)
        return super().parse_request()

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            if self.counted:
                self.server.count(-1)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as its base has it
        pass
