"""The hooks of what the suite proves: checked after each test, gathered and told at the end."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from greenroom.facts.errors import GreenroomError
from greenroom.facts.outcome import Outcome
from greenroom.facts.stored import from_plain, to_plain
from greenroom.plugin.reporting import reported
from greenroom.plugin.state import is_controller
from greenroom.report import contract, github
from greenroom.runtime import outcomes
from greenroom.runtime.room import Room

_OUTCOME = "greenroom_outcome"
_TITLE = "greenroom: what the suite proves"
#: Where GitHub takes the summary of a step from.
_SUMMARY = "GITHUB_STEP_SUMMARY"


class Proofs:
    """One pytest run. With xdist there is one in the controller and one in each worker."""

    def __init__(self, config: pytest.Config, room: Room) -> None:
        self._config = config
        self._room = room
        self._outcome: Outcome | None = None
        self._written: list[Path] = []
        self._refused: list[str] = []
        self._lost: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        try:
            outcomes.check(self._room.settings, self._room.root)
        except GreenroomError as error:
            raise pytest.UsageError(str(error)) from None

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self) -> Generator[None, object, object]:
        result = yield
        with reported():
            self._room.proof.refuse()
        return result

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self) -> Generator[None, object, object]:
        # What its fixtures asked as they were torn down belongs to it too.
        result = yield
        with reported():
            self._room.proof.refuse()
        return result

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        output = getattr(node, "workeroutput", None)
        if output is None:
            self._lost.append(
                f"the worker {node.gateway.id} has died: what its tests have shown is missing"
            )
        elif output.get(_OUTCOME) is not None:
            self._take(from_plain(output[_OUTCOME]))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        settings = self._room.settings
        if settings.contract.value == "off" or session.config.option.collectonly:
            return
        if not is_controller(self._config) and self._room.has_run:
            self._take(self._room.proof.outcome())
        if self._outcome is None:
            if settings.report.value or settings.details.baseline or settings.fail_under.value:
                self._lost.append("the app was asked nothing: nothing is written or compared")
            return
        self._outcome.notes.update(self._lost)
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[_OUTCOME] = to_plain(self._outcome)
            return
        try:
            root = self._room.root
            self._written = outcomes.write(self._outcome, settings.report.value, root)
            whole = not _is_partial(session.config)
            self._refused = outcomes.refusals(self._outcome, settings, root, whole=whole)
        except GreenroomError as error:
            self._refused = str(error).splitlines()
        if self._refused and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        self._tell_junit(self._outcome)
        self._tell_github(self._outcome)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        outcome = self._outcome
        if hasattr(self._config, "workeroutput"):
            return
        if outcome is None:
            for line in self._lost:
                terminalreporter.write_line(f"greenroom: {line}")
            return
        full = "terminal" in self._room.settings.report.value
        told = contract.lines(outcome, full=full)
        if self._config.get_verbosity() < -1 and not full:
            told = []
        told += [f"written: {path}" for path in self._written]
        told += self._refused
        if told:
            terminalreporter.section(_TITLE, sep="=")
            for line in told:
                terminalreporter.write_line(line)
        if os.environ.get(_SUMMARY):
            for line in github.warnings(outcome):
                terminalreporter.write_line(line)

    def _take(self, outcome: Outcome) -> None:
        if self._outcome is None:
            self._outcome = Outcome(outcome.app)
        self._outcome.add(outcome)

    def _tell_junit(self, outcome: Outcome) -> None:
        covered, planned = outcome.counts()
        for plugin in self._config.pluginmanager.get_plugins():
            # pytest's own writer of JUnit XML, if this run has one.
            if hasattr(plugin, "add_global_property"):
                plugin.add_global_property("greenroom.covered", str(covered))
                plugin.add_global_property("greenroom.planned", str(planned))
                plugin.add_global_property("greenroom.problems", str(len(outcome.problems)))

    def _tell_github(self, outcome: Outcome) -> None:
        named = os.environ.get(_SUMMARY)
        if not named:
            return
        try:
            with Path(named).open("a", encoding="utf-8") as file:
                file.write(github.summary(outcome))
        except OSError as error:
            self._refused.append(f"{_SUMMARY}: {error}")


def _is_partial(config: pytest.Config) -> bool:
    """Whether it's a part of the suite that was asked for: some tests, or some files."""
    option = config.option
    # Also one of pytest-split's shards.
    chosen = ("keyword", "markexpr", "lf", "deselect", "stepwise", "splits")
    if any(getattr(option, name, None) for name in chosen):
        return True
    named = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    return any("::" in one or one.partition("[")[0].endswith(".py") for one in map(str, named))
