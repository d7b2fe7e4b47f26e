"""The app under a real server, for browsers, other processes and generated clients."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import threading
from collections.abc import Callable
from typing import Any

from greenroom.facts.errors import Code, GreenroomError

#: How long, in seconds, the server may take to start, and its requests to end.
PATIENCE = 10


class LiveServer:
    """The app on a free port of this machine, in a thread of its own."""

    #: Where it is, without a slash at the end.
    url: str

    def __init__(self) -> None:
        self._under_way = 0
        self._changed = threading.Condition()

    def wait(self, seconds: float) -> bool:
        """Wait until no request is under way; whether that was so in time.

        A client has its answer before the app is done with the request: what was opened for it is
        closed after that.
        """
        with self._changed:
            return self._changed.wait_for(lambda: not self._under_way, seconds)

    def close(self) -> None:
        """Let the requests that are under way end, and stop. Calling it twice is harmless."""
        raise NotImplementedError

    def count(self, by: int) -> None:
        """So many more requests are under way."""
        with self._changed:
            self._under_way += by
            self._changed.notify_all()

    def __str__(self) -> str:
        return self.url

    def __add__(self, path: str) -> str:
        return f"{self.url}{path}"


class LiveAsgiServer(LiveServer):
    """An ASGI app under uvicorn, on a loop of its own.

    :param app: what is served. Its lifespan is somebody else's.
    :raises GreenroomError: if uvicorn isn't installed, no port can be bound, or it doesn't start.
    """

    def __init__(self, app: Callable[..., Any]) -> None:
        if importlib.util.find_spec("uvicorn") is None:
            raise GreenroomError(
                Code.EXTRA,
                "live_server needs uvicorn, which isn't installed.",
                "pip install greenroom[live]",
            )
        import uvicorn

        self._socket = bind()
        host, port = self._socket.getsockname()
        self.url = f"http://{host}:{port}"
        super().__init__()
        self._app = app
        config = uvicorn.Config(
            self._counted, interface="asgi3", lifespan="off", log_level="warning", access_log=False
        )
        self._server = uvicorn.Server(config)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="greenroom-live", daemon=True)
        self._thread.start()
        self._wait_until_started()

    def close(self) -> None:
        """Let the requests that are under way end, and stop. Calling it twice is harmless."""
        self._server.should_exit = True
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            self._server.force_exit = True
            self._thread.join(PATIENCE)
        self._socket.close()

    async def _counted(self, scope: Any, receive: Any, send: Any) -> None:
        self.count(1)
        try:
            await self._app(scope, receive, send)
        finally:
            self.count(-1)

    def _run(self) -> None:
        try:
            asyncio.run(self._server.serve(sockets=[self._socket]))
        except BaseException as error:  # noqa: BLE001 - told where the server was asked for
            self._error = error

    def _wait_until_started(self) -> None:
        for _ in range(PATIENCE * 100):
            if self._server.started or not self._thread.is_alive():
                break
            self._thread.join(0.01)
        if not self._server.started:
            self.close()
            raise GreenroomError(
                Code.START_UP,
                f"live_server didn't start: {self._error or 'it took too long'}.",
                "Try uvicorn with the app by itself.",
            )


def bind() -> socket.socket:
    """A socket on a port that nobody else has. The system chooses it, so none can be taken twice."""
    try:
        return socket.create_server(("127.0.0.1", 0))
    except OSError as error:
        raise GreenroomError(
            Code.START_UP,
            f"live_server can't bind a port on 127.0.0.1: {error}.",
            "The machine may be out of ports, or doesn't allow it.",
        ) from None
