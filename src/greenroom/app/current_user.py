"""The dependency that tells an app who asks, overridden for callers that are users themselves.

The override asks the original for every other request: who comes without a user is told so by the app.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable
from typing import Any

from greenroom.app.dependencies import dependants
from greenroom.app.overrides import overriding
from greenroom.facts.exchange import USER

_REQUEST = "greenroom_request"


def put_in_place(app: object, function: Callable[..., Any]) -> Callable[[], None]:
    """Override the dependency on the app and on those mounted in it; what is given back undoes it."""
    stack = contextlib.ExitStack()
    for asked in [function, *_between(app, function)]:
        override = _override(asked)
        for one in overriding(app):
            table = one.dependency_overrides
            if asked not in table:
                table[asked] = override
                stack.callback(table.pop, asked, None)
    return stack.close


def _between(app: object, function: Callable[..., Any]) -> list[Callable[..., Any]]:
    """What the dependency asks before it is asked itself, and what reads a credential: it would refuse.

    A user who is active is asked of the one who is current, and that one of a token.
    """
    found: list[Callable[..., Any]] = []

    def reads(dependant: Any) -> bool:
        """Whether it, or what it depends on, is a security scheme."""
        if hasattr(dependant.call, "auto_error"):
            return True
        inner = [reads(one) for one in dependant.dependencies]
        does = any(inner)
        if does and dependant.call is not function and dependant.call not in found:
            found.append(dependant.call)
        return does

    own = next((one for one in dependants(app) if one.call is function), None)
    if own is not None:
        reads(own)
    return found


def _override(function: Callable[..., Any]) -> Callable[..., Any]:
    from fastapi.dependencies.utils import get_typed_signature
    from starlette.requests import HTTPConnection

    parameters = list(get_typed_signature(function).parameters.values())
    own = inspect.Parameter(_REQUEST, inspect.Parameter.KEYWORD_ONLY, annotation=HTTPConnection)

    async def answer(**arguments: Any) -> Any:
        request = arguments.pop(_REQUEST)
        user = (request.scope.get("extensions") or {}).get(USER)
        if user is None:
            return await _ask(function, arguments)
        return await _own_copy(user, arguments.values())

    answer.__signature__ = inspect.Signature([*parameters, own])  # type: ignore[attr-defined]
    functools.update_wrapper(answer, function, assigned=("__name__", "__qualname__"), updated=())
    # What FastAPI would look at in its place: how it is called.
    del answer.__wrapped__  # type: ignore[attr-defined]
    return answer


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
