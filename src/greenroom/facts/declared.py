"""What an operation declares of its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Declared:
    """An operation's answers, by their status (`200`, `4XX`, `default`).

    :param document: the key of the OpenAPI document that it stands in; empty if it stands in none.
    :param responses: for each status its content types, each with a JSON pointer to its schema in the
        document; an empty pointer where none is given.
    :param success: the status of an answer that is as it should be.
    :param leaves_out: whether the operation is told to leave fields out by their values
        (`response_model_exclude_unset` and the like).
    :param excluded: the fields that it is told to leave out by name.
    :param kept: the only fields that it is told to keep, if it is.
    :param partly: the fields of which it is told to leave out, or to keep, a part.
    :param is_login: whether its answers are credentials.
    """

    document: str = ""
    responses: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    success: str = "200"
    leaves_out: bool = False
    excluded: frozenset[str] = frozenset()
    kept: frozenset[str] | None = None
    partly: frozenset[str] = frozenset()
    is_login: bool = False

    def may_lack(self, field: str) -> bool:
        """Whether a field of the answer, or something in it, may be missing."""
        left_out = field in self.excluded or (self.kept is not None and field not in self.kept)
        return self.leaves_out or left_out or field in self.partly

    @property
    def may_be_partial(self) -> bool:
        """Whether anything of the answer may be missing."""
        left_out = bool(self.excluded or self.partly) or self.kept is not None
        return self.leaves_out or left_out

    def must_lack(self, field: str) -> bool:
        """Whether the operation is told to leave a field out by its name."""
        if field in self.partly:
            return False
        return field in self.excluded or (self.kept is not None and field not in self.kept)

    def of(self, status: int) -> str | None:
        """The key of the declared answer that a status falls under; None if none is declared."""
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in self.responses:
                return key
        return None
