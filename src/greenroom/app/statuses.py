"""The status that an exception carries."""

from __future__ import annotations

import ast
import inspect
import types

from greenroom.app.places import Place, names_in, tree_of


def status_of(kind: type, call: ast.Call | None, place: Place) -> int | None:
    """The status of an exception: as it was raised with, or as its class says; None if it can't be told.

    :param call: how it was made, if that stands in the source.
    :param place: where that stands.
    """
    given: ast.expr | None = None
    if call is not None:
        given = next((one.value for one in call.keywords if one.arg == "status_code"), None)
        names = [name for name in _parameters(kind) if name != "self"]
        if given is None and call.args and names[:1] == ["status_code"]:
            given = call.args[0]
    return place.status(given) if given is not None else _status_of_class(kind)


def _parameters(kind: type) -> list[str]:
    start = inspect.getattr_static(kind, "__init__", None)
    return list(inspect.signature(start).parameters) if callable(start) else []


def _status_of_class(kind: type) -> int | None:
    """What the class itself says: an attribute, or what its `__init__` hands up."""
    for one in kind.__mro__:
        known = one.__dict__.get("status_code")
        if isinstance(known, int):
            return known
        start = one.__dict__.get("__init__")
        if isinstance(start, types.FunctionType):
            default = inspect.signature(start).parameters.get("status_code")
            if default is not None and isinstance(default.default, int):
                return int(default.default)
            found = _handed_up(start)
            if found is not None:
                return found
    return None


def _handed_up(start: types.FunctionType) -> int | None:
    """The status that an `__init__` gives to the one above, or keeps."""
    tree = tree_of(start)
    place = Place(start, names_in(start))
    for node in ast.walk(tree) if tree is not None else ():
        given: ast.expr | None = None
        if isinstance(node, ast.Call):
            given = next((word.value for word in node.keywords if word.arg == "status_code"), None)
            if given is None and _is_init(node.func) and node.args:
                given = node.args[0]
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            given = node.value if node.targets[0].attr == "status_code" else None
        status = place.status(given) if given is not None else None
        if status is not None:
            return status
    return None


def _is_init(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and function.attr == "__init__"
