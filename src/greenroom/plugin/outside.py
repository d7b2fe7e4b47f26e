"""The hooks of what lies outside of the app."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from greenroom.facts.sleep import Sleep
from greenroom.plugin import markers
from greenroom.plugin.reporting import reported
from greenroom.report import outside as report
from greenroom.runtime.outside import Outside

_SLEPT = "greenroom_slept"
_REFUSED = "greenroom_refused"


class OutsideHooks:
    """One pytest run. With xdist there is one in the controller and one in each worker."""

    def __init__(self, config: pytest.Config, outside: Outside) -> None:
        self._config = config
        self._outside = outside
        self._slept: list[Sleep] = []
        self._refused: list[tuple[str, str]] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        self._outside.begin(item.nodeid, markers.outgoing_of(item), markers.sleep_of(item))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        try:
            result = yield
            with reported():
                self._outside.refuse()
        except BaseException:
            self._outside.forgive()
            raise
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        try:
            result = yield
            with reported():
                self._outside.refuse()
        finally:
            self._outside.end()
        return result

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        output = getattr(node, "workeroutput", {})
        self._slept += [Sleep(*one) for one in output.get(_SLEPT, ())]
        self._refused += map(tuple, output.get(_REFUSED, ()))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self._slept += self._outside.slept
        self._refused += self._outside.apart
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[_SLEPT] = [list(one) for one in self._slept]
            output[_REFUSED] = [list(one) for one in self._refused]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        for title, lines in (
            ("greenroom: real sleeps", report.sleeps(self._slept)),
            ("greenroom: refused connections", report.refused(self._refused)),
        ):
            if lines:
                terminalreporter.section(title, sep="=")
                for line in lines:
                    terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        self._outside.close()
