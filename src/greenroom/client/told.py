"""Telling of a request and its answer as a fact."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from greenroom.client.asgi import Answer, Message, RawHeaders
from greenroom.facts.exchange import Exchange, Watch


class Listens(Protocol):
    """Who is told."""

    def asked(self) -> Watch:
        """A request goes to the app now."""


class Told:
    """Tells of an exchange when its block is left, also where the app raises.

    The block puts the answer into `answer`; after it, `looked` is to be called when the test looks at
    the answer.

    :param scope: the request's; only read, and before the app can change it.
    :param sent: the request's body; None if it was a stream.
    """

    __slots__ = ("_method", "_sent", "_target", "_watch", "answer", "looked")

    def __init__(self, door: Listens, scope: Message, sent: bytes | None) -> None:
        query = scope["query_string"]
        self._method: str = scope["method"]
        self._target = f"{scope['path']}?{query.decode('latin-1')}" if query else scope["path"]
        self._sent = sent
        self._watch = door.asked()
        self.answer: Answer | None = None
        self.looked: Callable[[], None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        __tracebackhide__ = True
        if error is not None:
            line = f"raised {type(error).__name__}: {error}".strip(": ").splitlines()[0]
            # What is raised in the test, it has seen.
            self._watch.saw(Exchange(self._method, self._target, self._sent, None, error=line))()
            return
        answer = self.answer
        assert answer is not None
        kind_of_body = _content_type(answer.headers)
        self.looked = self._watch.saw(
            Exchange(
                self._method,
                self._target,
                self._sent,
                answer.status,
                answer.body,
                content_type=kind_of_body,
            )
        )


def _content_type(headers: RawHeaders) -> str:
    for name, value in headers:
        if name == b"content-type" or name.lower() == b"content-type":
            return value.decode("latin-1")
    return ""
