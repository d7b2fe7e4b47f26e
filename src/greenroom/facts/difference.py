"""What is new in one outcome beside another."""

from __future__ import annotations

from dataclasses import dataclass

from greenroom.facts.outcome import Outcome, Planned, Problem


@dataclass(frozen=True, slots=True)
class Difference:
    """What has come and what has gone, from a base to a head.

    :param gaps: planned answers that no test looks at, and that were covered or not planned before.
    :param closed: what was such a gap, and is none any more.
    :param problems: the new ones.
    :param solved: those that are gone.
    :param operations: the new operations.
    :param removed: those that are gone.
    """

    gaps: tuple[Planned, ...]
    closed: tuple[Planned, ...]
    problems: tuple[Problem, ...]
    solved: tuple[Problem, ...]
    operations: tuple[str, ...]
    removed: tuple[str, ...]

    @property
    def is_worse(self) -> bool:
        """Whether there are gaps or problems that weren't there."""
        return bool(self.gaps or self.problems)


def difference(base: Outcome, head: Outcome) -> Difference:
    """Compare two outcomes of one app."""
    # What an operation lacked that is gone, nobody has closed.
    before = {
        (one.operation, one.status): one for one in base.gaps() if one.operation in head.operations
    }
    after = {(one.operation, one.status): one for one in head.gaps()}
    return Difference(
        tuple(after[key] for key in sorted(after.keys() - before.keys())),
        tuple(before[key] for key in sorted(before.keys() - after.keys())),
        tuple(sorted(head.problems.keys() - base.problems.keys())),
        tuple(sorted(base.problems.keys() - head.problems.keys())),
        tuple(sorted(head.operations - base.operations)),
        tuple(sorted(base.operations - head.operations)),
    )
