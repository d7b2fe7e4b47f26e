"""The dependency that tells an app who asks, overridden for callers that are users themselves.

The override asks the original for every other request: who comes without a user is told so by the app.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any

from greenroom.app.overrides import overriding
from greenroom.facts.exchange import MARK

_REQUEST = "greenroom_request"


def put_in_place(app: object, function: Callable[..., Any]) -> Callable[[], None]:
    """Override the dependency on the app and on those mounted in it; what is given back undoes it."""
    override = _override(function)
    stack = contextlib.ExitStack()
    for one in overriding(app):
        table = one.dependency_overrides
        if function not in table:
            table[function] = override
            stack.callback(table.pop, function, None)
    return stack.close


def _override(function: Callable[..., Any]) -> Callable[..., Any]:
    from starlette.requests import HTTPConnection

    hints = typing.get_type_hints(function, include_extras=True)
    parameters = [
        one.replace(annotation=hints.get(one.name, one.annotation))
        for one in inspect.signature(function).parameters.values()
    ]
    own = inspect.Parameter(_REQUEST, inspect.Parameter.KEYWORD_ONLY, annotation=HTTPConnection)

    async def answer(**arguments: Any) -> Any:
        request = arguments.pop(_REQUEST)
        user = (request.scope.get("extensions") or {}).get(MARK, {}).get("user")
        if user is None:
            return await _ask(function, arguments)
        return await _own_copy(user, arguments.values())

    answer.__signature__ = inspect.Signature([*parameters, own])  # type: ignore[attr-defined]
    return functools.update_wrapper(
        answer, function, assigned=("__name__", "__qualname__"), updated=()
    )


async def _ask(function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """What the original says. One that is a generator ends at once: what it holds is its own."""
    if inspect.isasyncgenfunction(function):
        async with contextlib.asynccontextmanager(function)(**arguments) as value:
            return value
    if inspect.isgeneratorfunction(function):
        with contextlib.contextmanager(function)(**arguments) as value:
            return value
    made = function(**arguments)
    return await made if inspect.isawaitable(made) else made


async def _own_copy(user: Any, given: Any) -> Any:
    """The request's own copy of the test's object, if the dependency has a session to look it up in.

    In production a request has an object of its own session; the test's belongs to the test's.
    """
    identity = getattr(getattr(user, "_sa_instance_state", None), "identity", None)
    if identity is None:
        return user
    for session in given:
        get = getattr(session, "get", None)
        if get is None or not hasattr(session, "in_transaction"):
            continue
        found = get(type(user), identity)
        found = await found if inspect.isawaitable(found) else found
        return user if found is None else found
    return user
