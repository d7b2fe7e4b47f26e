"""The hooks of a run that uses greenroom."""

from __future__ import annotations

import gc
import os
import uuid
from collections.abc import Callable, Generator
from typing import Any

import pytest

from greenroom.facts.errors import GreenroomError
from greenroom.facts.run import RunIdentity
from greenroom.plugin import asyncio_defaults, fixtures, markers, wide
from greenroom.plugin.outside import OutsideHooks
from greenroom.plugin.proofs import Proofs
from greenroom.plugin.reporting import ending_the_run, reported, stop
from greenroom.plugin.state import ROOM, is_controller, seed_of
from greenroom.report import header
from greenroom.runtime.activation import Active, test_file_rule
from greenroom.runtime.room import Room

_ERROR = "greenroom_error"
_LEFT = "greenroom_left"
_KEPT = "greenroom_kept"


def enter(
    config: pytest.Config, parser: pytest.Parser, active: Active, uses_anyio: Callable[[], bool]
) -> None:
    """Open the room before the first conftest is imported.

    :param uses_anyio: whether the suite's async tests are for anyio's plugin.
    :raises GreenroomError: if the app can't be reached.
    """
    rule = test_file_rule(config.getini("python_files"), active.root)
    # xdist's own variables, in its workers: they are the same run.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    room = Room(active, RunIdentity(run, worker, active.root), rule)
    config.stash[ROOM] = room
    config.add_cleanup(room.close)
    room.open()
    asyncio_defaults.apply(config, parser, uses_anyio)
    config.pluginmanager.register(fixtures, "greenroom-fixtures")
    config.pluginmanager.register(wide.plugin(), "greenroom-wide-fixtures")
    config.pluginmanager.register(Run(config, room), "greenroom-run")
    config.pluginmanager.register(Proofs(config, room), "greenroom-proofs")
    config.pluginmanager.register(OutsideHooks(config, room.outside), "greenroom-outside")
    if active.settings.checks.value:
        from greenroom.plugin.checks import Checks

        config.pluginmanager.register(Checks(config, room), "greenroom-checks")


class Run:
    """One pytest run. With xdist there is one in the controller and one in each worker."""

    def __init__(self, config: pytest.Config, room: Room) -> None:
        self._config = config
        self._room = room
        self._frozen = False
        self._errors: dict[str, None] = {}
        self._errors_told: set[str] = set()
        self._left: list[str] = []
        self._kept: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        for line in markers.LINES:
            config.addinivalue_line("markers", line)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        if self._is_controller():
            return
        try:
            self._room.load_app()
            if not session.config.option.collectonly:
                self._room.prepare()
        except GreenroomError as error:
            if not hasattr(self._config, "workeroutput"):
                raise pytest.UsageError(str(error)) from None
            stop(session, str(error))

    def pytest_report_header(self) -> str:
        return header.header(self._room.summary(), seed_of(self._config))

    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        try:
            markers.check(items)
        except GreenroomError as error:
            if not hasattr(self._config, "workeroutput"):
                raise pytest.UsageError(str(error)) from None
            items.clear()
            stop(session, str(error))
        for item in items:
            wide.widen(item, fixtures.__name__)
            fixtures.place(item)
        self._room.is_needed = any(fixtures.needs_the_app(item) for item in items)

    def pytest_collection_finish(self) -> None:
        # What was imported stays to the end: the collector needn't look at it after every test.
        gc.freeze()
        self._frozen = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        with reported():
            self._room.before_test(item.nodeid, markers.isolation_of(item))
        if not fixtures.is_elsewhere(item):
            with ending_the_run(item.session):
                self._room.return_home()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        if fixtures.is_machinery(fixturedef):
            return (yield)
        try:
            with reported():
                if fixturedef.scope == "function":
                    self._room.isolate()
                else:
                    name = f"{fixturedef.argname} ({fixturedef.scope})"
                    self._room.before_layer(fixturedef, name)
        except pytest.fail.Exception as error:
            # As pytest itself remembers a fixture that has failed: it doesn't forgive one that it
            # knows nothing of.
            key = fixturedef.cache_key(request)  # type: ignore[arg-type]
            fixturedef.cached_result = (None, key, (error, error.__traceback__))
            raise
        if fixturedef.argname == "app":
            self._room.app_begins(fixturedef)
        if fixturedef.scope == "function":
            return (yield)
        try:
            with self._room.wider_fixture():
                result = yield
        except BaseException:
            self._room.after_layer(fixturedef, failed=True)
            raise
        with reported():
            self._room.after_layer(fixturedef, failed=False)
        fixturedef.addfinalizer(self._before_layer_ends)
        return result

    def _before_layer_ends(self) -> None:
        with reported():
            self._room.before_layer_ends()

    @pytest.hookimpl
    def pytest_fixture_post_finalizer(self, fixturedef: pytest.FixtureDef[object]) -> None:
        if fixturedef.argname == "app":
            self._room.app_ended(fixturedef)
        if fixturedef.scope != "function":
            self._room.end_layer(fixturedef)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        with reported():
            self._room.isolate()
        self._room.before_call()
        try:
            return (yield)
        finally:
            self._room.after_call(item.nodeid)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, object, object]:
        try:
            result = yield
        except BaseException:
            self._room.failed = True
            self._room.after_test()
            raise
        finally:
            fixtures.finish(item)
            self._room.torn_down(item.nodeid)
        with reported():
            self._room.after_test()
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.failed:
            self._room.failed = True
            if report.when != "teardown":
                lines = self._room.diagnosis(fixtures.session_of(item))
                if lines:
                    report.sections.append(("greenroom", "\n".join(lines)))
        return report

    def pytest_enter_pdb(self) -> None:
        self._room.limit.paused = True

    def pytest_leave_pdb(self) -> None:
        self._room.limit.paused = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self._left += header.left_behind(self._room.left)
        self._kept += self._room.kept
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[_ERROR] = list(self._room.fatal)
            output[_LEFT] = self._left
            output[_KEPT] = self._kept

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # Each worker finds out by itself what ends the run; it is told in full once.
        text = str(report.longrepr) if report.failed and self._is_controller() else ""
        if text.startswith("GR0"):
            if text in self._errors_told:
                report.longrepr = f"{text.splitlines()[0]} (told above)"
            self._errors_told.add(text)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        output = getattr(node, "workeroutput", {})
        self._errors.update(dict.fromkeys(output.get(_ERROR, ())))
        self._left += output.get(_LEFT, ())
        self._kept += output.get(_KEPT, ())

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._is_controller():
            for error in self._errors.keys() - self._errors_told:
                terminalreporter.section("greenroom", sep="=")
                terminalreporter.write_line(error)
        if self._left:
            terminalreporter.section("greenroom: left behind", sep="=")
            for line in self._left:
                terminalreporter.write_line(line)
        if self._kept:
            terminalreporter.section("greenroom: databases kept", sep="=")
            for line in self._kept:
                terminalreporter.write_line(line)

    def pytest_unconfigure(self) -> None:
        self._room.close()
        if self._frozen:
            gc.unfreeze()

    def _is_controller(self) -> bool:
        return is_controller(self._config)
