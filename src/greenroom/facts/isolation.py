"""How one test's database is kept apart from the next test's."""

from __future__ import annotations

from enum import Enum


class Isolation(Enum):
    """What happens to the rows that a test leaves behind.

    `RESET` lets every transaction really commit, and restores the baseline before the next test.
    `ROLLBACK` undoes them in one transaction: every connection of the test is one real connection.
    `CLONE` gives the test a database of its own, which is dropped after it.
    """

    RESET = "reset"
    ROLLBACK = "rollback"
    CLONE = "clone"


ACCEPTED = tuple(member.value for member in Isolation)
