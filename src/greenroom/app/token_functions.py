"""A function of the project's that makes a credential of a user: `shop.security:create_access_token(user.id)`."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from greenroom.facts.errors import Code, GreenroomError

#: What a first parameter's name says that it wants of a user, in the order in which it's looked for.
_BY_NAME: Mapping[str, tuple[str, ...]] = {
    "user": (),
    "current_user": (),
    "user_id": ("id",),
    "id": ("id",),
    "uid": ("id",),
    "sub": ("id",),
    "subject": ("id",),
    "identity": ("id",),
    "username": ("username", "email"),
    "email": ("email",),
    "name": ("username", "name"),
}
#: What the first of a pair, a name and a password, may be.
_NAMED = ("username", "email", "name")
_CALLED: Mapping[str, Callable[..., Any]] = {"str": str, "int": int, "repr": repr}


def find(text: str) -> Callable[..., Any]:
    """The function that a text names, with or without a call.

    :raises GreenroomError: if there is none.
    """
    module, _, rest = text.partition(":")
    name = rest.partition("(")[0]
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise GreenroomError(
            Code.CALLER,
            f"caller names {module}:{name}, which can't be had: {error}.",
            'Write caller = "module:function" or "module:function(user.id)".',
        ) from None
    if not callable(found):
        raise GreenroomError(
            Code.CALLER,
            f"caller names {module}:{name}, which can't be called.",
            "Name the function that makes a token.",
        )
    return found  # type: ignore[no-any-return]


def call(function: Callable[..., Any], text: str, user: object) -> Any:
    """What the function gives for a user; perhaps something to be awaited.

    :raises GreenroomError: if nobody knows what to call it with.
    """
    written = text.partition(":")[2]
    if "(" in written:
        parsed = ast.parse(written, mode="eval").body
        assert isinstance(parsed, ast.Call)
        values = [evaluated(one, user) for one in parsed.args]
        named = {str(one.arg): evaluated(one.value, user) for one in parsed.keywords}
        return function(*values, **named)
    parameters = list(inspect.signature(function).parameters.values())
    first = parameters[0].name if parameters else ""
    wanted = _BY_NAME.get(first)
    if wanted is None:
        name = written.partition("(")[0]
        raise GreenroomError(
            Code.CALLER,
            f"{name} is called with {first or 'nothing'}, and what that is of a user isn't known.",
            f'Say it: caller = "{text}(user.id)", or "{text}({{\'sub\': user.email}})".',
        )
    if not wanted:
        return function(user)
    for name in wanted:
        if isinstance(user, Mapping) and name in user:
            return function(user[name])
        if isinstance(user, tuple) and user and name in _NAMED:
            return function(user[0])
        if not isinstance(user, (Mapping, tuple)) and hasattr(user, name):
            return function(getattr(user, name))
    raise _lacks(user, wanted[0])


def evaluated(node: ast.expr, user: object) -> Any:  # noqa: PLR0911 - a kind each
    """A plain expression of a user: attributes, texts, numbers, dictionaries, str() and int().

    :raises GreenroomError: if it's more than that, or the user hasn't got it.
    """
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id == "user":
        return user
    if isinstance(node, ast.Attribute):
        holder = evaluated(node.value, user)
        if isinstance(holder, Mapping) and node.attr in holder:
            return holder[node.attr]
        if not hasattr(holder, node.attr):
            raise _lacks(holder, node.attr)
        return getattr(holder, node.attr)
    if isinstance(node, ast.Dict) and all(key is not None for key in node.keys):
        keys = [evaluated(key, user) for key in node.keys if key is not None]
        return dict(zip(keys, (evaluated(value, user) for value in node.values), strict=True))
    if isinstance(node, (ast.List, ast.Tuple)):
        return [evaluated(one, user) for one in node.elts]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLED:
        return _CALLED[node.func.id](*(evaluated(one, user) for one in node.args))
    raise GreenroomError(
        Code.CALLER,
        f"caller has {ast.unparse(node)!r}, which is more than greenroom reads.",
        "Take attributes of user, texts, numbers and dictionaries; put more into a function of yours.",
    )


def _lacks(user: object, name: str) -> GreenroomError:
    return GreenroomError(
        Code.CALLER,
        f"the user is a {type(user).__name__}, which has no {name}.",
        'Say what is taken of it: caller = "module:function(user.id)".',
    )
