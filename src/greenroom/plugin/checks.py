"""The hooks of the automatic checks: they are collected beside the suite's own tests."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from greenroom.facts.check import Check
from greenroom.plugin import checked
from greenroom.plugin.fixtures import made_user, make_of, performance_of, user_of
from greenroom.plugin.state import ROOM
from greenroom.runtime.check_plan import CheckPlan
from greenroom.runtime.checker import Checker
from greenroom.runtime.room import Room

if TYPE_CHECKING:
    from greenroom.runtime.making import Make

NAME = "greenroom_checks"
_NOTES = "greenroom_check_notes"
#: Options of plugins that run `async def` tests; only those in auto mode run them unasked.
_MODES = ("asyncio_mode", "anyio_mode")


class Checks:
    """One pytest run. With xdist there is one in the controller and one in each worker."""

    def __init__(self, config: pytest.Config, room: Room) -> None:
        self._config = config
        self._room = room
        self._plan: CheckPlan | None = None
        self._cases: list[Check] = []
        self._notes: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        if not _is_whole(session.config):
            return
        self._plan = CheckPlan(self._room, self._room.settings.check_drops)
        self._cases = self._plan.checks
        self._notes = self._plan.notes
        if not self._cases:
            return
        module = CheckModule.from_parent(
            _folder_of(items) or session, path=Path(checked.__file__), name=NAME, nodeid=NAME
        )
        is_auto = any(_option(self._config, name) == "auto" for name in _MODES)
        module.is_async = is_auto and _awaits(items) and self._room.can_await
        items += list(session.genitems(module))

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if metafunc.module is checked:
            metafunc.parametrize("case", self._cases, ids=str)

    @pytest.fixture
    def greenroom_checker(self, request: pytest.FixtureRequest) -> Iterator[Checker]:
        """Carries out the checks."""
        performance = performance_of(request)
        assert self._plan is not None
        client = performance.sync_client() if performance.blocking else performance.client()
        make = make_of(request, whose=":checks")
        asks = self._plan.asks_as_a_user(request.node.callspec.params["case"])
        user = self._asking(request, make) if asks else None
        yield Checker(request.config.stash[ROOM], self._plan, client, make, user)
        make.close()

    def _asking(self, request: pytest.FixtureRequest, make: Make) -> Callable[[], Any]:
        """The user who asks: the project's, if its fixture can be had here; else one that is made."""
        known = request._fixturemanager.getfixturedefs("user", request.node)  # noqa: SLF001 - no other way
        if known and not known[-1].params:
            function = inspect.unwrap(known[-1].func)
            awaits = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
            if not (awaits and performance_of(request).blocking):
                return user_of(request, make)
        if known:
            self._notes.append(
                "The fixture user is parametrized, or awaits where the checks don't: they ask as a row that "
                "make gives."
            )
        return made_user(request, make)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        self._notes += getattr(node, "workeroutput", {}).get(_NOTES, ())

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[_NOTES] = self._notes

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        notes = list(dict.fromkeys(self._notes))
        if notes and not hasattr(self._config, "workeroutput"):
            terminalreporter.section("greenroom: checks that can't be built", sep="=")
            for line in notes:
                terminalreporter.write_line(line)


class CheckModule(pytest.Module):
    """The module of the checks, which isn't imported by its path."""

    is_async = False

    def _getobj(self) -> Any:
        return checked

    def funcnamefilter(self, name: str) -> bool:
        return name == ("async_check" if self.is_async else "check")


def _folder_of(items: list[pytest.Item]) -> pytest.Collector | None:
    """The innermost folder that all tests are in: what its conftest.py gives, checks may use."""
    chains = [
        [one for one in item.listchain() if isinstance(one, pytest.Directory)] for item in items
    ]
    common = None
    for together in zip(*chains, strict=False):
        if any(one is not together[0] for one in together):
            break
        common = together[0]
    return common


def _option(config: pytest.Config, name: str) -> Any:
    """An option of another plugin, by the command line or by the configuration; None if it isn't there."""
    said = config.getoption(name, None)
    if said is not None:
        return said
    try:
        return config.getini(name)
    except ValueError:
        return None


def _awaits(items: list[pytest.Item]) -> bool:
    """Whether most of the suite's own tests await, so that its fixtures may, too."""
    functions = [getattr(item, "function", None) for item in items]
    awaiting = sum(inspect.iscoroutinefunction(one) for one in functions)
    return 2 * awaiting > len(functions)


def _is_whole(config: pytest.Config) -> bool:
    """Whether all tests are asked for, or a folder of them; not single files or tests."""
    named = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
    return not any("::" in one or one.partition("[")[0].endswith(".py") for one in map(str, named))
