"""`client`, `sync_client` and `db_session` in fixtures of a higher scope, as existing suites have them.

A fixture that lives for a module logs somebody in by `client`, and pytest refuses it: greenroom's `client`
belongs to one test. So such a fixture gets one of its own scope, under the same name. Which loop and
which kind it is follows from the fixture: an `AsyncClient` for an async one, a `Client` for another.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import Any, Literal

import pytest

from greenroom.plugin.reporting import reported
from greenroom.plugin.state import ROOM
from greenroom.runtime.performance import Performance

WIDE: tuple[Literal["session", "package", "module", "class"], ...] = (
    "session",
    "package",
    "module",
    "class",
)
_NAMES = ("client", "sync_client", "db_session")


def plugin() -> object:
    """A plugin with a fixture for each scope and kind: what the wide fixtures' clients share."""
    made = ModuleType("greenroom_wide_fixtures")
    for scope in WIDE:
        for blocking in (False, True):
            setattr(made, _alias(scope, blocking=blocking), _performances(scope, blocking=blocking))
    return made


def _performances(scope: str, *, blocking: bool) -> Any:
    def performance(
        request: pytest.FixtureRequest, app: Any, _greenroom_run: None
    ) -> Iterator[Performance]:
        made = Performance(request.config.stash[ROOM], app, blocking=blocking)
        made.loop = made.room_loop
        room = request.config.stash[ROOM]
        room.wide.append(made)
        yield made
        room.wide.remove(made)
        made.close()

    return pytest.fixture(performance, scope=scope, name=_alias(scope, blocking=blocking))  # type: ignore[call-overload]


def _alias(scope: str, *, blocking: bool) -> str:
    return f"_greenroom_{scope}_{'blocking' if blocking else 'async'}"


def widen(item: pytest.Item, own: str) -> None:
    """Let each fixture of a higher scope that a test needs, and that requests one of these, have it.

    :param own: the module that greenroom's fixtures are defined in.
    """
    # There is no public way to see a test's fixtures before they are set up.
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    # A fixture that extends greenroom's belongs to one test as well, and can't be had either.
    ours = [
        name
        for name in _NAMES
        if name in known
        and known[name][-1].scope == "function"
        and any(_module(one) == own for one in known[name])
    ]
    if not ours:
        return
    for definitions in list(known.values()):
        for definition in definitions:
            wanted = [name for name in ours if name in definition.argnames]
            if wanted and definition.scope in WIDE and _module(definition) != own:
                _widen(definition, wanted)


def _module(definition: Any) -> str:
    return getattr(definition.func, "__module__", "")


def _widen(definition: Any, wanted: list[str]) -> None:
    function = definition.func
    blocking = not (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function))
    alias = _alias(definition.scope, blocking=blocking)
    definition.func = _with_performance(function, alias, wanted)
    kept = tuple(name for name in definition.argnames if name not in wanted)
    definition.argnames = (*kept, alias)


def _with_performance(function: Callable[..., Any], alias: str, wanted: list[str]) -> Any:
    """The function, with what it wants taken from the performance that it gets as another argument."""

    def given(arguments: dict[str, Any]) -> tuple[Performance, dict[str, Any]]:
        performance: Performance = arguments.pop(alias)
        with reported():
            return performance, arguments | {name: _get(performance, name) for name in wanted}

    if inspect.isasyncgenfunction(function):

        async def asynchronous_generator(*args: Any, **arguments: Any) -> AsyncIterator[Any]:
            performance, arguments = given(arguments)
            async with contextlib.asynccontextmanager(function)(*args, **arguments) as value:
                await performance.hand_over()
                yield value
            await performance.hand_over()

        wrapped: Callable[..., Any] = asynchronous_generator
    elif inspect.iscoroutinefunction(function):

        async def coroutine(*args: Any, **arguments: Any) -> Any:
            performance, arguments = given(arguments)
            value = await function(*args, **arguments)
            await performance.hand_over()
            return value

        wrapped = coroutine
    elif inspect.isgeneratorfunction(function):

        def generator(*args: Any, **arguments: Any) -> Iterator[Any]:
            performance, arguments = given(arguments)
            with contextlib.contextmanager(function)(*args, **arguments) as value:
                performance.hand_over_blocking()
                yield value
            performance.hand_over_blocking()

        wrapped = generator
    else:

        def plain(*args: Any, **arguments: Any) -> Any:
            performance, arguments = given(arguments)
            value = function(*args, **arguments)
            performance.hand_over_blocking()
            return value

        wrapped = plain
    return functools.wraps(function)(wrapped)


def _get(performance: Performance, name: str) -> Any:
    if name == "db_session":
        return performance.session()
    return performance.sync_client() if performance.blocking else performance.client()
