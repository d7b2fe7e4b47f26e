"""What is known of an app before it has a suite."""

from __future__ import annotations

from dataclasses import dataclass

from greenroom.facts.outcome import Planned


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app answered when it was asked once.

    :param path: what was asked for by GET.
    """

    path: str
    status: int


@dataclass(frozen=True, slots=True)
class Survey:
    """An app that was found, started and asked.

    :param address: `module:attribute`, or `module:factory()`; empty if it can only be found, not named.
    :param module: the module that it is in.
    :param source: who says that this is the app.
    :param declares: whether greenroom is among the project's dependencies.
    :param is_wsgi: whether it is one of WSGI's.
    :param databases: the products on which it was tested, such as `postgresql 17.6`.
    :param answer: one that tells something of the app; None if all that was asked fails.
    :param plan: what its operations should be shown to answer.
    """

    address: str
    module: str
    source: str
    declares: bool
    is_wsgi: bool
    databases: tuple[str, ...]
    answer: Answer | None
    plan: tuple[Planned, ...]
