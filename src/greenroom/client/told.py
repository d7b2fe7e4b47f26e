"""Telling of a request and its answer as a fact."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from greenroom.client.asgi import Answer, Message
from greenroom.facts.exchange import Exchange


@contextmanager
def told(
    saw: Callable[[Exchange], None], scope: Message, sent: bytes | None
) -> Iterator[list[Answer]]:
    """Tell of an exchange when the block is left, also where the app raises.

    :param scope: the request's; only read, and before the app can change it.
    :param sent: the request's body; None if it was a stream.
    :yields: a list that the block puts the answer into.
    """
    __tracebackhide__ = True
    method, query = scope["method"], scope["query_string"].decode("latin-1")
    target = f"{scope['path']}?{query}" if query else scope["path"]
    outcome: list[Answer] = []
    try:
        yield outcome
    except BaseException as error:
        line = f"raised {type(error).__name__}: {error}".strip(": ").splitlines()[0]
        saw(Exchange(method, target, sent, None, error=line))
        raise
    answer = outcome[0]
    saw(Exchange(method, target, sent, answer.status, answer.body))
