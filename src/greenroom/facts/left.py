"""What tests have left behind."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class LeftBehind:
    """The tests, by what they left.

    :param open_transaction: those that left a transaction open.
    :param running: those that left work running.
    :param changed: those that left something changed, each with what that is.
    :param not_returned: those that left a connection checked out.
    """

    open_transaction: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)
    not_returned: list[str] = field(default_factory=list)
