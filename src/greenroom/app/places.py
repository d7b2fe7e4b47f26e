"""What names mean in a function of the project's, told from its source and its annotations."""

from __future__ import annotations

import ast
import enum
import importlib
import inspect
import re
import textwrap
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """A function, and what names mean in it."""

    function: Any
    names: Callable[[str], Any]

    @property
    def name(self) -> str:
        """What a reader calls it."""
        module = getattr(self.function, "__module__", "")
        return f"{module}.{getattr(self.function, '__qualname__', self.function)}"

    def value(self, node: ast.expr | None) -> Any:
        """What an expression of names and constants is; None if it's more than that."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return self.names(node.id)
        if isinstance(node, ast.Attribute):
            holder = self.value(node.value)
            if isinstance(holder, enum.Enum) and node.attr == "value":
                return holder.value
            if isinstance(holder, enum.EnumMeta):
                return holder.__members__.get(node.attr)
            # Of modules, classes and enumerations only: nothing of the project's runs.
            if isinstance(holder, (types.ModuleType, type)):
                found = inspect.getattr_static(holder, node.attr, None)
                if found is None and isinstance(holder, types.ModuleType):
                    found = vars(holder).get(node.attr, _by_name(node.attr))
                return getattr(found, "__func__", found)
        return None

    def statuses(self, node: ast.expr | None) -> set[int]:
        """The statuses that stand in an expression; none if it's more than names and constants."""
        if isinstance(node, ast.IfExp):
            one, other = self.statuses(node.body), self.statuses(node.orelse)
            return one | other if one and other else set()
        value = self.value(node)
        value = value.value if isinstance(value, enum.Enum) else value  # http.HTTPStatus
        return {value} if isinstance(value, int) and 100 <= value <= 599 else set()  # noqa: PLR2004


#: Starlette's names of statuses, of which it makes some when they are asked for.
_STATUS = re.compile(r"HTTP_([1-5]\d\d)_\w+\Z")


def _by_name(name: str) -> int | None:
    found = _STATUS.match(name)
    return int(found[1]) if found is not None else None


def tree_of(function: types.FunctionType) -> Any:
    """The definition of a function; None if its source isn't there, or it's a lambda."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function.__code__)))
    except (OSError, TypeError, SyntaxError):
        return None
    first = tree.body[0] if tree.body else None
    return first if isinstance(first, (ast.FunctionDef, ast.AsyncFunctionDef)) else None


def names_in(function: types.FunctionType) -> Callable[[str], Any]:
    """What gives the meaning of a name in a function; None if it can't be told."""
    code = function.__code__
    closed: dict[str, Any] = {}
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=False):
        try:
            closed[name] = cell.cell_contents
        except ValueError:
            continue
    local = set(code.co_varnames)

    def find(name: str) -> Any:
        if name in closed:
            return closed[name]
        if name in local and name not in _imported(function):
            return None
        if name in function.__globals__:
            return function.__globals__[name]
        found = _imported(function).get(name)
        builtins = function.__globals__.get("__builtins__", {})
        known = builtins if isinstance(builtins, dict) else vars(builtins)
        return found if found is not None else known.get(name)

    return find


def _imported(function: types.FunctionType) -> dict[str, Any]:
    """What the function imports in its body: the app would do so at its first request."""
    tree = tree_of(function)
    found: dict[str, Any] = {}
    package = function.__globals__.get("__package__")
    for node in ast.walk(tree) if tree is not None else ():
        if isinstance(node, ast.ImportFrom):
            module = _module("." * node.level + (node.module or ""), package)
            for one in node.names:
                found[one.asname or one.name] = vars(module).get(one.name) if module else None
        elif isinstance(node, ast.Import):
            for one in node.names:
                name = one.name if one.asname else one.name.partition(".")[0]
                found[one.asname or name] = _module(name, package)
    return found


def _module(name: str, package: str | None) -> types.ModuleType | None:
    try:
        return importlib.import_module(name, package)
    except Exception:  # noqa: BLE001 - it's raised again when the app imports it
        return None


def kinds_in(function: types.FunctionType, bound: type | None) -> dict[str, type]:
    """The classes of a function's parameters, as far as they are declared."""
    kinds: dict[str, type] = {}
    for name, hint in _hints(function).items():
        kind = _class_of(hint)
        if kind is not None and name != "return":
            kinds[name] = kind
    parameters = inspect.signature(function).parameters
    if bound is not None and parameters:
        kinds.setdefault(next(iter(parameters)), bound)
    for name, parameter in parameters.items():
        # FastAPI's Depends, where nothing else says what it gives.
        dependency = getattr(parameter.default, "dependency", None)
        given = returned_by(dependency) if dependency is not None else None
        if given is not None:
            kinds.setdefault(name, given)
    return kinds


def _hints(function: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except Exception:  # noqa: BLE001 - whatever an annotation of the project's raises
        return {}


def _class_of(hint: Any) -> type | None:
    """The class that a type hint means: of `X`, `X | None`, `Annotated[X, ...]`."""
    if typing.get_origin(hint) is typing.Annotated:
        return _class_of(typing.get_args(hint)[0])
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        kinds = [one for one in typing.get_args(hint) if one is not type(None)]
        return _class_of(kinds[0]) if len(kinds) == 1 else None
    origin = typing.get_origin(hint)
    if isinstance(origin, type):
        return origin
    return hint if isinstance(hint, type) else None


def returned_by(function: Any) -> type | None:
    if isinstance(function, type):
        return function
    return _class_of(_hints(function).get("return"))


def attributes_of(kind: type) -> dict[str, type]:
    """The classes of an object's attributes: as annotated, or as its `__init__` takes them."""
    found = {name: one for name, hint in _hints(kind).items() if (one := _class_of(hint))}
    start = kind.__dict__.get("__init__")
    if not isinstance(start, types.FunctionType) or (tree := tree_of(start)) is None:
        return found
    place = Place(start, names_in(start))
    kinds = kinds_in(start, kind)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            name = node.targets[0].attr
            if isinstance(node.value, ast.Name) and node.value.id in kinds:
                found.setdefault(name, kinds[node.value.id])
            elif isinstance(node.value, ast.Call):
                made = place.value(node.value.func)
                if isinstance(made, type):
                    found.setdefault(name, made)
    return found
