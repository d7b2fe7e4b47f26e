"""What an app can be asked."""

from __future__ import annotations

from dataclasses import dataclass

#: Stands in the place of a method for an operation that is a WebSocket.
WEBSOCKET = "WEBSOCKET"


@dataclass(frozen=True, slots=True, order=True)
class Operation:
    """A method and a path template; its text, `GET /items/{item_id}`, is its name everywhere.

    :param path: the whole template, with what the app's mounts put before it.
    """

    path: str
    method: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"
