"""Telling of a request and its answer as a fact."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from greenroom.client.asgi import Answer, Message
from greenroom.facts.exchange import Exchange


class Told:
    """Tells of an exchange when its block is left, also where the app raises.

    The block puts the answer into the list that it is given.

    :param scope: the request's; only read, and before the app can change it.
    :param sent: the request's body; None if it was a stream.
    """

    __slots__ = ("_method", "_outcome", "_saw", "_sent", "_target")

    def __init__(self, saw: Callable[[Exchange], None], scope: Message, sent: bytes | None) -> None:
        query = scope["query_string"]
        self._saw = saw
        self._method: str = scope["method"]
        self._target = f"{scope['path']}?{query.decode('latin-1')}" if query else scope["path"]
        self._sent = sent
        self._outcome: list[Answer] = []

    def __enter__(self) -> list[Answer]:
        return self._outcome

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True
        if error is not None:
            line = f"raised {type(error).__name__}: {error}".strip(": ").splitlines()[0]
            self._saw(Exchange(self._method, self._target, self._sent, None, error=line))
            return
        answer = self._outcome[0]
        self._saw(Exchange(self._method, self._target, self._sent, answer.status, answer.body))
