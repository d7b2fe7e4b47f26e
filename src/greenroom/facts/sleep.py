"""A real sleep of a test, or of the app during one."""

from __future__ import annotations

from typing import NamedTuple

#: What may become of it.
MODES = ("report", "fail", "off")


class Sleep(NamedTuple):
    """One.

    :param where: the project's line.
    :param seconds: how long.
    :param what: the function that sleeps.
    """

    test: str
    where: str
    seconds: float
    what: str
