"""The time of day as a test wants it, by time-machine.

Everything in this process that asks for the time gets it: `datetime.now()`, `time.time()`, what tokens
expire by. What measures how long something takes goes on: asyncio's loop, timeouts, `time.monotonic()`.
A database server has a clock of its own.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
from typing import Any

from greenroom.facts.errors import Code, GreenroomError

#: What a moment may be given as; a text or a datetime without an offset is UTC.
Moment = dt.datetime | dt.date | dt.timedelta | str | float


class Clock:
    """A test's clock; it shows the real time until it's told otherwise.

    :raises GreenroomError: if time-machine isn't installed.
    """

    def __init__(self) -> None:
        if importlib.util.find_spec("time_machine") is None:
            raise GreenroomError(
                Code.EXTRA,
                "clock needs time-machine, which isn't installed.",
                "pip install greenroom[clock]",
            )
        self._travel: Any = None
        self._traveller: Any = None

    @property
    def now(self) -> dt.datetime:
        """What it shows, in UTC."""
        return dt.datetime.now(dt.UTC)

    def freeze(self, at: Moment | None = None) -> dt.datetime:
        """Stop it, at a moment or where it is; a timedelta is counted from where it is.

        :raises GreenroomError: if that's no moment.
        """
        return self._go(self.now if at is None else at, ticks=False)

    def travel(self, to: Moment) -> dt.datetime:
        """Have it go on from another moment; a timedelta is counted from where it is.

        :raises GreenroomError: if that's no moment.
        """
        return self._go(to, ticks=True)

    def tick(self, by: dt.timedelta | float = 1) -> dt.datetime:
        """Move it on, frozen or not.

        :param by: how far; a number is of seconds.
        """
        if not isinstance(by, dt.timedelta) and type(by) not in {int, float}:
            raise _no_moment(by)
        step = by if isinstance(by, dt.timedelta) else dt.timedelta(seconds=by)
        if self._traveller is None:
            return self.travel(step)
        self._traveller.shift(step)
        return self.now

    def restore(self) -> None:
        """Show the real time again. Harmless if it does."""
        travel, self._travel, self._traveller = self._travel, None, None
        if travel is not None:
            travel.stop()

    def _go(self, moment: Moment, *, ticks: bool) -> dt.datetime:
        import time_machine

        there = _moment(moment, self.now)
        self.restore()
        self._travel = time_machine.travel(there, tick=ticks)
        self._traveller = self._travel.start()
        return there


def _moment(given: Moment, now: dt.datetime) -> dt.datetime:
    try:
        if isinstance(given, dt.timedelta):
            return now + given
        if isinstance(given, str):
            given = dt.datetime.fromisoformat(given)
        if isinstance(given, dt.datetime):
            return given if given.tzinfo is not None else given.replace(tzinfo=dt.UTC)
        if isinstance(given, dt.date):
            return dt.datetime(given.year, given.month, given.day, tzinfo=dt.UTC)
        if type(given) in {int, float}:
            return dt.datetime.fromtimestamp(given, dt.UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise _no_moment(given)


def _no_moment(given: object) -> GreenroomError:
    return GreenroomError(
        Code.CLOCK,
        f"{given!r} is no moment.",
        'Give a datetime, a date, a timedelta from now, a timestamp, or a text such as "2026-01-31 12:00".',
    )
