"""One request and its answer, and one statement, as plain values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request to the app, and what came of it.

    :param target: the path with its query.
    :param sent: the request's body; None if it was a stream.
    :param status: the answer's; None if the app raised.
    :param received: the answer's body; None if there was none, or it was read piece by piece.
    :param error: what the app raised, in one line.
    """

    method: str
    target: str
    sent: bytes | None
    status: int | None
    received: bytes | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class SentStatement:
    """A statement that an engine of the app's sent.

    :param rows: how many rows the driver says it has changed; negative if it doesn't say.
    """

    text: str
    rows: int
