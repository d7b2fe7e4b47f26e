"""An automatic check of an operation."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Kind(Enum):
    """What is asked, and what it's asked for."""

    ANONYMOUS = "without a credential"
    FORGOTTEN = "without any credential declared"
    MALFORMED = "with a malformed credential"
    FORGED = "with a forged credential"
    EXPIRED = "with an expired credential"
    ANOTHERS = "as another user"
    INVALID = "invalid body"
    NO_JSON = "a body that is no JSON"
    UNKNOWN = "unknown"
    WRONG_FORM = "of the wrong form"
    ONE_SHAPE = "errors of one shape"


@dataclass(frozen=True, slots=True)
class Check:
    """One check, which is one test.

    :param operation: the operation's name; empty for one of the whole app.
    :param expected: the statuses that are right.
    :param what: what of it: a path parameter, or the name of an invalid body.
    :param payload: the body that is sent; None for a valid one.
    """

    operation: str
    kind: Kind
    expected: tuple[int, ...]
    what: str = ""
    payload: Any = field(default=None, compare=False, hash=False)

    @property
    def name(self) -> str:
        """Its name, without the operation: `404 unknown item_id`."""
        status = "" if self.kind is Kind.ONE_SHAPE else f"{self.expected[0]} "
        if self.kind is Kind.INVALID:
            return f"{status}{self.what}"
        if self.kind is Kind.WRONG_FORM:
            return f"{status}{self.what} {self.kind.value}"
        return f"{status}{self.kind.value} {self.what}".strip()

    def __str__(self) -> str:
        return f"{self.operation} {self.name}".strip()
