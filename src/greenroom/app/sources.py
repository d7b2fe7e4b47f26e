"""What a function may answer, read from its source.

That is the statuses that it raises or returns itself, or that what it calls does, and the classes of
models that it writes. Only the project's own functions are read. What can't be told from the source
isn't guessed: a status that is computed, or a class that is looked up, is left out.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import types
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from greenroom.app.places import (
    Place,
    attributes_of,
    kinds_in,
    names_in,
    returned_by,
    tree_of,
)

#: How deep calls are followed.
DEEPEST = 8
#: What one `try` catches: the exceptions in order, each with whether it's raised again.
Level = tuple[tuple[type, bool], ...]
_ANSWERS = ("Response", "HTMLResponse", "JSONResponse", "PlainTextResponse", "RedirectResponse")


@dataclass(slots=True)
class Reached:
    """What was found in a function and in those that it calls.

    :param raised: the exceptions, each as its class, its call's arguments if it was called, and the
        function it stands in.
    :param answers: the statuses of responses that it makes itself, each with the function.
    :param written: the classes that it makes objects of, or whose attributes it sets, each with the
        names of those attributes (None: any).
    :param late: those that a dependency raises as it handles an error of the operation.
    :param is_computed: whether there is a status that can't be told.
    """

    raised: list[tuple[type, ast.Call | None, Place]] = field(default_factory=list)
    is_computed: bool = False
    late: list[tuple[type, ast.Call | None, Place]] = field(default_factory=list)
    answers: list[tuple[int, str]] = field(default_factory=list)
    written: dict[type, set[str] | None] = field(default_factory=dict)


def read(function: Any, is_own: Callable[[str], bool]) -> Reached:
    """Everything that a function reaches.

    :param is_own: whether a file, by its name, is the project's.
    """
    reached = Reached()
    seen: set[object] = set()
    waiting = [(Called(function, None, ()), 0)]
    while waiting:
        one, depth = waiting.pop(0)
        called = _read(one, reached, is_own, seen) if depth <= DEEPEST else []
        waiting += [(inner, depth + 1) for inner in called]
    return reached


@dataclass(frozen=True, slots=True)
class Called:
    """A function that is called.

    :param bound: the class of the object that it's called on, if it's a method.
    :param caught: the exceptions that don't get past the call.
    """

    function: Any
    bound: type | None
    caught: tuple[Level, ...]


def _read(
    one: Called, reached: Reached, is_own: Callable[[str], bool], seen: set[object]
) -> list[Called]:
    """Read one function; what it calls."""
    bound = one.bound
    function = getattr(one.function, "func", one.function)
    function = getattr(function, "__func__", function)
    wrapped = getattr(function, "__wrapped__", None)
    inside = [Called(wrapped, bound, one.caught)] if wrapped is not None else []
    if isinstance(function, type):
        bound, function = function, function.__dict__.get("__init__")
    elif not isinstance(function, types.FunctionType):
        bound, function = type(function), getattr(type(function), "__call__", None)  # noqa: B004
    key = (function, bound, one.caught)
    if not isinstance(function, types.FunctionType) or key in seen:
        return inside
    seen.add(key)
    tree = tree_of(function) if is_own(function.__code__.co_filename) else None
    if tree is None:
        return inside
    place = Place(function, names_in(function))
    reader = _Reader(place, kinds_in(function, bound), reached, one.caught)
    for statement in tree.body:
        reader.visit(statement)
    return [*inside, *reader.called]


class _Reader(ast.NodeVisitor):
    """Walks one function's body, in the order in which it's written."""

    def __init__(
        self, place: Place, kinds: dict[str, type], reached: Reached, caught: tuple[Level, ...]
    ) -> None:
        self._place = place
        self._kinds = kinds
        self._reached = reached
        self._made: dict[str, ast.Call] = {}
        self._caught = list(caught)
        self._handled: list[str | None] = []
        self._is_accepted = False
        #: What it calls.
        self.called: list[Called] = []

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        # A function inside: it runs if it's called, which is most often so.
        self._visit_all(node.body)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._visit_all(node.body)

    def visit_Try(self, node: ast.Try) -> None:
        self._tried(node)

    def visit_TryStar(self, node: ast.TryStar) -> None:
        self._tried(node)

    def _visit_all(self, nodes: Sequence[ast.AST]) -> None:
        for one in nodes:
            self.visit(one)

    def _tried(self, node: ast.Try | ast.TryStar) -> None:
        level: list[tuple[type, bool]] = []
        for handler in node.handlers:
            again = any(_is_raised_again(inner, handler.name) for inner in ast.walk(handler))
            kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
            named = [self._place.value(one) if one is not None else BaseException for one in kinds]
            level += [(kind, again) for kind in named if isinstance(kind, type)]
        self._caught.append(tuple(level))
        self._visit_all(node.body)
        self._caught.pop()
        for handler in node.handlers:
            self._handled.append(handler.name)
            self.visit(handler)
            self._handled.pop()
        self._visit_all([*node.orelse, *node.finalbody])

    def visit_With(self, node: ast.With) -> None:
        self._within(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> None:
        self._within(node)

    def _within(self, node: ast.With | ast.AsyncWith) -> None:
        level: list[tuple[type, bool]] = []
        for item in node.items:
            self.visit(item.context_expr)
            call = item.context_expr if isinstance(item.context_expr, ast.Call) else None
            if call is not None and self._place.value(call.func) is contextlib.suppress:
                named = [self._place.value(one) for one in call.args]
                level += [(kind, False) for kind in named if isinstance(kind, type)]
            kind = self._kind(item.context_expr)
            if kind is not None:
                self._entered(kind, item.optional_vars)
        self._caught.append(tuple(level))
        self._visit_all(node.body)
        self._caught.pop()

    def _entered(self, kind: type, name: ast.expr | None) -> None:
        """An object of the project's is used in a `with`."""
        given = kind
        for method in ("__enter__", "__exit__", "__aenter__", "__aexit__"):
            found = inspect.getattr_static(kind, method, None)
            if isinstance(found, types.FunctionType):
                self.called.append(Called(found, kind, tuple(self._caught)))
                if method.endswith("enter__"):
                    given = returned_by(found) or kind
        if isinstance(name, ast.Name):
            self._kinds[name.id] = given

    def visit_Raise(self, node: ast.Raise) -> None:
        self.generic_visit(node)
        raised: ast.expr | None = node.exc
        if isinstance(raised, ast.Name) and raised.id in self._made:
            raised = self._made[raised.id]
        call = raised if isinstance(raised, ast.Call) else None
        kind = self._place.value(call.func if call else raised)
        if isinstance(kind, BaseException):  # One that was made in the module.
            self._reached.raised.append((type(kind), None, self._place))
            status = getattr(kind, "status_code", None)
            if isinstance(status, int):
                self._reached.answers.append((status, f"raised in {self._place.name}"))
        elif isinstance(kind, type) and issubclass(kind, BaseException):
            late = kind.__name__ == "WebSocketException" and self._is_accepted
            if not late and not _is_caught(kind, self._caught):
                handles = bool(self._handled) and _is_generator(self._place.function)
                found = self._reached.late if handles else self._reached.raised
                found.append((kind, call, self._place))
        elif call is not None and (target := self._target(call.func)) is not None:
            # A function that makes the exception.
            self._made_by(target[0])
        elif raised is not None and not (
            isinstance(raised, ast.Name) and raised.id in self._handled
        ):
            self._reached.is_computed = True

    def _made_by(self, maker: Any) -> None:
        tree = tree_of(maker) if isinstance(maker, types.FunctionType) else None
        for node in ast.walk(tree) if tree is not None else ():
            if isinstance(node, ast.Return) and isinstance(node.value, ast.Call):
                place = Place(maker, names_in(maker))
                kind = place.value(node.value.func)
                if isinstance(kind, type) and issubclass(kind, BaseException):
                    self._reached.raised.append((kind, node.value, place))

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            self._assigned(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.generic_visit(node)
        if node.value is not None:
            self._assigned(node.target, node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.generic_visit(node)
        self._assigned(node.target, node.value)

    def _assigned(self, target: ast.expr, value: ast.expr) -> None:
        targets = target.elts if isinstance(target, ast.Tuple) else [target]
        values = value.elts if isinstance(value, ast.Tuple) else [value] * len(targets)
        for one, given in zip(targets, values, strict=False):
            made = given.value if isinstance(given, ast.Await) else given
            if isinstance(one, ast.Name) and isinstance(made, ast.Call):
                self._made[one.id] = made
                kind = self._gives(made)
                if kind is not None:
                    self._kinds[one.id] = kind
            elif isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name):
                self._set(one.value.id, one.attr, given)

    def _set(self, name: str, attribute: str, value: ast.expr) -> None:
        kind = self._kinds.get(name)
        if kind is None:
            return
        if attribute == "status_code" and kind.__name__ == "Response":
            self._found(self._place.statuses(value), f"set in {self._place.name}")
        else:
            self._writes(kind, {attribute})

    def _gives(self, call: ast.Call) -> type | None:
        """The class of what a call gives."""
        made = self._place.value(call.func)
        if isinstance(made, type):
            return made
        # session.get(Item, 1), and the like, give an object of the class that they are told.
        if isinstance(call.func, ast.Attribute) and call.args:
            named = self._place.value(call.args[0])
            if call.func.attr in {"get", "get_one", "merge", "refresh"} and isinstance(named, type):
                return named
        target = self._target(call.func)
        return returned_by(target[0]) if target is not None else None

    def _writes(self, kind: type, names: set[str] | None) -> None:
        known = self._reached.written.setdefault(kind, set())
        if names is None or known is None:
            self._reached.written[kind] = None
        else:
            known |= names

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        value = self._place.value(node.func)
        if isinstance(value, type):
            if value.__name__ in _ANSWERS or value.__name__.endswith("Response"):
                self._answered(value, node)
            else:
                self._writes(value, None)
        if isinstance(node.func, ast.Name) and node.func.id == "setattr" and node.args:
            name = node.args[0]
            if isinstance(name, ast.Name) and name.id in self._kinds:
                self._writes(self._kinds[name.id], None)
        target = self._target(node.func)
        if target is not None:
            self.called.append(Called(*target, tuple(self._caught)))
        if isinstance(node.func, ast.Attribute) and node.func.attr == "accept":
            self._is_accepted = True

    def _answered(self, kind: type, call: ast.Call) -> None:
        if not _is_response(kind):
            return
        given = next((one.value for one in call.keywords if one.arg == "status_code"), None)
        if given is None and len(call.args) > 1:
            given = call.args[1]
        if given is not None:
            self._found(self._place.statuses(given), f"answered in {self._place.name}")
        elif kind.__name__ == "RedirectResponse" and (status := _default_status(kind)) is not None:
            self._found({status}, f"answered in {self._place.name}")

    def _found(self, statuses: set[int], where: str) -> None:
        self._reached.answers += [(status, where) for status in sorted(statuses)]
        self._reached.is_computed = self._reached.is_computed or not statuses

    def _target(self, node: ast.expr) -> tuple[Any, type | None] | None:
        """The function that is called, and the class of the object it's called on."""
        if isinstance(node, ast.Attribute):
            above = self._above(node)
            if above is not None:
                return above
            kind = self._kind(node.value)
            if kind is not None:
                found = inspect.getattr_static(kind, node.attr, None)
                found = getattr(found, "__func__", found)
                return (found, kind) if isinstance(found, types.FunctionType) else None
        value = self._place.value(node)
        if isinstance(value, (types.FunctionType, type)):
            return value, None
        return None

    def _above(self, node: ast.Attribute) -> tuple[Any, type] | None:
        """The method that `super().method` means."""
        call = node.value
        is_super = (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and call.func.id == "super"
        )
        bound = next(iter(self._kinds.values()), None) if is_super else None
        passed = False
        for one in bound.__mro__ if bound is not None else ():
            found = one.__dict__.get(node.attr)
            if passed and isinstance(found, types.FunctionType) and bound is not None:
                return found, bound
            passed = passed or self._place.function in one.__dict__.values()
        return None

    def _kind(self, node: ast.expr) -> type | None:
        """The class of the object that an expression stands for."""
        if isinstance(node, ast.Name):
            known = self._kinds.get(node.id)
            if known is not None:
                return known
            value = self._place.names(node.id)
            own = value is not None and not isinstance(value, (types.ModuleType, type))
            return type(value) if own and not isinstance(value, types.FunctionType) else None
        if isinstance(node, ast.Call):
            return self._gives(node)
        if isinstance(node, ast.Attribute):
            holder = self._kind(node.value)
            return attributes_of(holder).get(node.attr) if holder is not None else None
        return None


def _is_response(kind: type) -> bool:
    return any(one.__name__ == "Response" for one in kind.__mro__)


def _default_status(kind: type) -> int | None:
    try:
        given = inspect.signature(kind).parameters["status_code"].default
    except (ValueError, TypeError, KeyError):
        return None
    return given if isinstance(given, int) else None


def _is_generator(function: Any) -> bool:
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _is_raised_again(node: ast.AST, name: str | None) -> bool:
    """Whether it raises again what was caught.

    :param name: what that is called.
    """
    if not isinstance(node, ast.Raise):
        return False
    return node.exc is None or (isinstance(node.exc, ast.Name) and node.exc.id == name)


def _is_caught(kind: type, levels: Sequence[Level]) -> bool:
    """Whether an exception stays inside: the first handler of a `try` that takes it decides."""
    for level in reversed(levels):
        again = next((again for one, again in level if issubclass(kind, one)), None)
        if again is False:
            return True
    return False


def answers_by_itself(function: Any) -> bool:
    """Whether a function returns nothing but responses that it makes, with fixed statuses, or nothing."""
    function = inspect.unwrap(function) if callable(function) else None
    tree = tree_of(function) if isinstance(function, types.FunctionType) else None
    if tree is None:
        return False
    place = Place(function, names_in(function))
    if isinstance(tree.body[-1], ast.Raise) and not any(
        isinstance(node, ast.Return) for node in ast.walk(tree)
    ):
        return True
    returned = [node.value for node in ast.walk(tree) if isinstance(node, ast.Return)]
    whole = isinstance(tree.body[-1], (ast.Return, ast.Raise, ast.If, ast.Try, ast.With, ast.Match))
    return bool(returned) and whole and all(_has_status(one, place) for one in returned)


def _has_status(node: ast.expr | None, place: Place) -> bool:
    """Whether an expression makes a response with a status of its own."""
    kind = place.value(node.func) if isinstance(node, ast.Call) else None
    if not isinstance(node, ast.Call) or not isinstance(kind, type) or not _is_response(kind):
        return False
    given = [word.value for word in node.keywords if word.arg == "status_code"]
    given += node.args[1:2]
    return kind.__name__ == "RedirectResponse" or bool(given and place.statuses(given[0]) - {200})
