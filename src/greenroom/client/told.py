"""Telling of a request and its answer as a fact."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from greenroom.client.asgi import Answer, Message
from greenroom.facts.encoding import decoded
from greenroom.facts.exchange import Exchange, Watch, raised


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
    :param is_stream: whether the answer is read piece by piece.
    """

    __slots__ = (
        "_method",
        "_path",
        "_sent",
        "_target",
        "_watch",
        "answer",
        "is_stream",
        "looked",
        "scope",
    )

    def __init__(
        self, door: Listens, scope: Message, sent: bytes | None, *, is_stream: bool = False
    ) -> None:
        query = scope["query_string"]
        self._method: str = scope["method"]
        self._path: str = scope["path"]
        self._target = f"{scope['path']}?{query.decode('latin-1')}" if query else scope["path"]
        self._sent = sent
        self._watch = door.asked()
        self.is_stream = is_stream
        #: What the app has got, and has put into it what it found.
        self.scope = scope
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
            line = raised(error)
            # What is raised in the test, it has seen.
            self._watch.saw(
                Exchange(self._method, self._target, self._sent, None, None, line, "", self._path)
            )()
            return
        answer = self.answer
        assert answer is not None
        named = {name.lower(): value for name, value in answer.headers}
        content_type = named.get(b"content-type", b"").decode("latin-1")
        body: bytes | None = answer.body
        if b"content-encoding" in named:
            body = decoded(answer.body, named[b"content-encoding"].decode("latin-1"))
        if self._method == "HEAD" or self.is_stream:
            body = None
        self.looked = self._watch.saw(
            Exchange(
                self._method,
                self._target,
                self._sent,
                answer.status,
                body,
                "",
                content_type,
                self._path,
                "endpoint" in self.scope,
            )
        )
