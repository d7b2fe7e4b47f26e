"""One request and its answer, and one statement, as plain values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

#: The key of a scope's `extensions` by which greenroom's own client says that it tells of the request
#: itself; the others are heard at the app's door.
MARK = "greenroom"
#: The key of a scope's `extensions` under which its user stands, where a dependency is overridden by him.
USER = "greenroom.user"
#: The longest body, in bytes, that is kept and looked into.
LOOKED_INTO = 8 << 20


class Watch(Protocol):
    """One request, from when it goes to the app."""

    def saw(self, exchange: Exchange) -> Callable[[], None]:
        """It is over. What is given back is called if the test looks at the answer."""


class Exchange(NamedTuple):
    """A request to the app, and what came of it.

    :param target: the path with its query.
    :param sent: the request's body; None if it was a stream.
    :param status: the answer's; None if the app raised.
    :param received: the answer's body, decoded; None if there can be none, or it isn't known: it was
        read piece by piece, or is encoded in a way that can't be undone here.
    :param error: what the app raised, in one line.
    :param content_type: the answer's, with its parameters; empty if it has none.
    :param path: the path alone, where the target may be read in two ways.
    :param reached: whether the app has found the operation: else something before it has answered.
    """

    method: str
    target: str
    sent: bytes | None
    status: int | None
    received: bytes | None = None
    error: str = ""
    content_type: str = ""
    path: str = ""
    reached: bool = True


@dataclass(frozen=True, slots=True)
class SentStatement:
    """A statement that an engine of the app's sent.

    :param rows: how many rows the driver says it has changed; negative if it doesn't say.
    """

    text: str
    rows: int


def raised(error: BaseException) -> str:
    """What the app raised, in one line."""
    return f"raised {type(error).__name__}: {error}".strip(": ").splitlines()[0]
