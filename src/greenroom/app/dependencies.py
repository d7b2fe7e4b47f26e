"""Wake an app that makes its engine at the first request: use its own dependencies, without a request."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Callable, Collection, Iterator
from typing import Any

from greenroom.app.overrides import parts

#: What a dependency that needs an engine is called.
_SOUNDS_LIKE = re.compile(
    r"_*((get|make|create|provide|open|new|use)_)?((async|sync|sql|db|database|current)_?)*"
    r"(session|engine|db|database)(_?(factory|maker|s))?_*\Z",
    re.IGNORECASE,
)
#: The parameters that only a request has.
_OF_A_REQUEST = (
    "path_params",
    "query_params",
    "header_params",
    "cookie_params",
    "body_params",
    "request_param_name",
    "websocket_param_name",
    "http_connection_param_name",
    "response_param_name",
    "background_tasks_param_name",
    "security_scopes_param_name",
)


async def wake(app: object, is_awake: Callable[[], bool]) -> None:
    """Enter and leave the app's dependencies that sound like a session, until one has done it.

    Those that need a request are left alone. What one raises is its own affair: it's raised again
    when a request meets it.

    :param is_awake: whether there is an engine now.
    """
    for dependant in dependants(app):
        if is_awake():
            return
        sounds_right = _SOUNDS_LIKE.match(getattr(dependant.call, "__name__", ""))
        if sounds_right and _needs_no_request(dependant):
            with contextlib.suppress(Exception):
                async with contextlib.AsyncExitStack() as stack:
                    await _enter(dependant, stack)


def dependants(app: object, without: Collection[int] = ()) -> Iterator[Any]:
    """What the app's operations depend on, each function once.

    :param without: the ids of the mounted apps that are left out.
    """
    seen: set[object] = set()
    waiting = [
        inner
        for part in parts(app, without)
        for inner in getattr(getattr(part, "dependant", None), "dependencies", ())
    ]
    for dependant in waiting:
        if dependant.call not in seen:
            seen.add(dependant.call)
            waiting += dependant.dependencies
            yield dependant


def _needs_no_request(dependant: Any) -> bool:
    return not any(getattr(dependant, name, None) for name in _OF_A_REQUEST) and all(
        _needs_no_request(inner) for inner in dependant.dependencies
    )


async def _enter(dependant: Any, stack: contextlib.AsyncExitStack) -> Any:
    arguments = {inner.name: await _enter(inner, stack) for inner in dependant.dependencies}
    call = dependant.call
    if inspect.isasyncgenfunction(call):
        return await stack.enter_async_context(contextlib.asynccontextmanager(call)(**arguments))
    if inspect.isgeneratorfunction(call):
        return stack.enter_context(contextlib.contextmanager(call)(**arguments))
    made = call(**arguments)
    return await made if inspect.isawaitable(made) else made
