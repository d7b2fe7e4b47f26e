"""The status that an exception carries."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Iterator

from greenroom.app.places import Place, names_in, tree_of

#: An expression, and where it stands.
Given = tuple[ast.expr, Place]


def statuses_of(kind: type, call: ast.Call | None, place: Place) -> set[int]:
    """The statuses of an exception: as it was raised with, or as its class says; none if it can't be told.

    :param call: how it was made, if that stands in the source.
    :param place: where that stands.
    """
    bound = _bound(kind, call, place)
    for one in kind.__mro__:
        start = one.__dict__.get("__init__")
        if isinstance(start, types.FunctionType):
            if "status_code" in bound:
                expression, where = bound["status_code"]
                return where.statuses(expression)
            found = _handed_up(start, one, bound)
            if found:
                return found
        known = one.__dict__.get("status_code")
        if isinstance(known, int):
            return {int(known)}
        if isinstance(start, types.FunctionType):
            default = inspect.signature(start).parameters.get("status_code")
            if default is not None and isinstance(default.default, int):
                return {int(default.default)}
    return set()


def _bound(kind: type, call: ast.Call | None, place: Place) -> dict[str, Given]:
    """What the parameters of the class were given, by their names."""
    if call is None:
        return {}
    given = {word.arg: (word.value, place) for word in call.keywords if word.arg is not None}
    start = inspect.getattr_static(kind, "__init__", None)
    if isinstance(start, types.FunctionType):
        names = list(inspect.signature(start).parameters)[1:]
        for name, value in zip(names, call.args, strict=False):
            if isinstance(value, ast.Starred):
                break
            given[name] = (value, place)
    return given


def _handed_up(start: types.FunctionType, owner: type, bound: dict[str, Given]) -> set[int]:
    """The statuses that an `__init__` gives to the one above, or keeps."""
    tree = tree_of(start)
    place = Place(start, names_in(start))
    parameters = inspect.signature(start).parameters
    for expression in _expressions(tree):
        if isinstance(expression, ast.Name) and expression.id in parameters:
            if expression.id in bound:
                value, where = bound[expression.id]
                return where.statuses(value)
            default = parameters[expression.id].default
            if isinstance(default, int):
                return {int(default)}
        elif isinstance(expression, ast.Attribute) and isinstance(expression.value, ast.Name):
            known = inspect.getattr_static(owner, expression.attr, None)
            if expression.value.id == next(iter(parameters), "") and isinstance(known, int):
                return {int(known)}
        found = place.statuses(expression)
        if found:
            return found
    return set()


def _expressions(tree: ast.AST | None) -> Iterator[ast.expr]:
    """What an `__init__` may take its status from."""
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.Call):
            named = [word.value for word in node.keywords if word.arg == "status_code"]
            yield from named
            if not named and _is_init(node.func) and node.args:
                yield node.args[0]
        elif (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Attribute)
            and node.targets[0].attr == "status_code"
        ):
            yield node.value


def _is_init(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and function.attr == "__init__"
