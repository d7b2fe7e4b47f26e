"""The test function of the automatic checks: collected as a module of the suite's, one item for each check."""

from __future__ import annotations

import pytest

from greenroom.facts.check import Check
from greenroom.plugin.reporting import reported
from greenroom.runtime.checker import Checker
from greenroom.runtime.judging import CannotBuildError


def check(case: Check, greenroom_checker: Checker) -> None:
    """What an operation must answer, as nobody, as somebody else, and to nonsense."""
    __tracebackhide__ = True
    try:
        with reported():
            greenroom_checker.blocking(case)
    except CannotBuildError as error:
        raise _skipped(case, error) from None


async def async_check(case: Check, greenroom_checker: Checker) -> None:
    """The same, in a suite whose tests await."""
    __tracebackhide__ = True
    try:
        with reported():
            await greenroom_checker.asynchronous(case)
    except CannotBuildError as error:
        raise _skipped(case, error) from None


def _skipped(case: Check, error: CannotBuildError) -> BaseException:
    """The skip of a check, by its name: where it was raised says nothing."""
    return pytest.skip.Exception(f"{case}: {error}", _use_item_location=True)
