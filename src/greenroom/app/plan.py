"""What each operation of an app should be shown to answer, and why."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from greenroom.app import sources
from greenroom.app.openapi import Documents
from greenroom.app.operations import Operations, Route
from greenroom.app.places import Place
from greenroom.app.shape import all_of, can_be_invalid, required_by
from greenroom.app.statuses import statuses_of
from greenroom.facts.operation import WEBSOCKET
from greenroom.facts.outcome import Planned

#: Where a route itself says what it doesn't want, with the reasons: a key of `openapi_extra`.
DROP = "x-greenroom-drop"
_WRITES = frozenset({"POST", "PUT", "PATCH"})
#: FastAPI's own schema of an answer to invalid input, which it declares for every parameter.
_VALIDATION = "HTTPValidationError"


class Planner:
    """Makes the plan.

    :param operations: the app's.
    :param documents: what they declare.
    :param is_own: whether a file is the project's.
    :param unique: the unique columns of a mapped class, but for its key; none of another class.
    :param drops: what the project doesn't want: `GET /items 401`, with the reason.
    """

    def __init__(
        self,
        operations: Operations,
        documents: Documents,
        *,
        is_own: Callable[[Path], bool],
        unique: Callable[[type], Collection[tuple[str, ...]]],
        drops: Mapping[str, str],
    ) -> None:
        self._operations = operations
        self._documents = documents
        self._is_own: Callable[[str], bool] = lambda name: is_own(Path(name))
        self._unique = unique
        self._drops = drops
        self._read: dict[object, sources.Reached] = {}
        #: What couldn't be found out, or isn't as it should be, a sentence each.
        self.notes: list[str] = []

    def plan(self) -> Iterator[Planned]:
        """All entries, operation by operation. An operation that can't be read is told in `notes`."""
        known: set[str] = set()
        for route in self._operations.routes:
            try:
                entries = list(self._of(route))
            except Exception as error:  # noqa: BLE001 - it's the project's own code that is looked at
                self.notes.append(
                    f"what {route.operation} should answer can't be told: {type(error).__name__}: {error}"
                )
                continue
            known |= {f"{one.operation} {one.status}" for one in entries}
            yield from entries
        self.notes += [
            f'[tool.greenroom.contract.drop] "{name}" names nothing that is planned'
            for name in sorted(set(self._drops) - known)
        ]

    def _of(self, route: Route) -> Iterator[Planned]:
        name = str(route.operation)
        because: dict[str, list[str]] = {}
        for status, reason in self._reasons(route):
            reasons = because.setdefault(status, [])
            if reason not in reasons:
                reasons.append(reason)
        own = self._own_drops(route, because)
        for status in sorted(because):
            dropped = self._drops.get(f"{name} {status}", own.get(status, ""))
            yield Planned(name, status, tuple(because[status]), dropped)

    def _own_drops(self, route: Route, planned: Collection[str]) -> dict[str, str]:
        """What a route itself doesn't want, with the reasons."""
        told = (getattr(route.source, "openapi_extra", None) or {}).get(DROP)
        if told is None:
            return {}
        name = f"{DROP} of {route.operation}"
        if not isinstance(told, Mapping):
            self.notes.append(f"{name} takes a table of statuses, each with the reason")
            return {}
        drops = {str(status): str(why or "").strip() for status, why in told.items()}
        for status, why in drops.items():
            if status not in planned:
                self.notes.append(f"{name} names {status}, which isn't planned")
            elif not why:
                self.notes.append(f"{name} names {status} without a reason: it stays")
        return drops

    def _reasons(self, route: Route) -> Iterator[tuple[str, str]]:
        dependant = getattr(route.source, "dependant", None)
        path = str(getattr(route.source, "path", ""))
        validated = dependant is not None and can_be_invalid(dependant, path)
        invalid = self._invalid(route) if validated else {}
        yield from self._declared(route, invalid)
        reached = [self._reach(function) for function in _functions(route, dependant)]
        declared = self._documents.declared(route)
        if not declared.responses and not any(one.answers for one in reached):
            # Nothing is declared of an operation without a schema, and it says nothing itself.
            yield declared.success, "what it answers if all is well"
        for one in reached:
            yield from self._raised(route, one)
        if route.operation.method != WEBSOCKET:
            yield from invalid.items()
        if dependant is not None:
            yield from self._required(route, dependant)
        if route.operation.method in _WRITES:
            yield from self._conflicts(reached)

    def _declared(self, route: Route, invalid: Collection[str]) -> Iterator[tuple[str, str]]:
        """What OpenAPI declares, and can happen.

        :param invalid: what invalid input is answered with, if there is such a thing.
        """
        declared = self._documents.declared(route)
        has_default = getattr(route.source, "status_code", None) is None
        silent = has_default and sources.answers_by_itself(route.endpoint)
        for status in declared.responses:
            is_range = status == "default" or status.endswith("XX")
            named = [one for one in declared.responses if one != status and one[0] == status[0]]
            if is_range and (status == "default" or named):
                continue  # It stands for what else may come.
            if silent and status == declared.success:
                continue  # It's FastAPI's default, and the function answers otherwise.
            # FastAPI declares 422 for every parameter, also where nothing can be wrong, or where a
            # handler of the project's answers otherwise.
            if status != "422" or "422" in invalid or not self._is_fastapis(route):
                yield status, "declared in OpenAPI"

    def _required(self, route: Route, dependant: Any) -> Iterator[tuple[str, str]]:
        """What parameters and security schemes require.

        A function of the project's that takes scopes says itself what missing ones are answered with.
        """
        own = {
            status
            for one in all_of(dependant)
            if getattr(one, "security_scopes_param_name", None)
            for status, _ in self._raised(route, self._reach(one.call))
        }
        yield from required_by(route, dependant, scopes_are_403=not own or "403" in own)

    def _invalid(self, route: Route) -> dict[str, str]:
        """What invalid input is answered with, and why: FastAPI's 422, or what the project made of it."""
        reason = "its input is validated"
        handlers: dict[Any, Any] = getattr(route.app, "exception_handlers", None) or {}
        handler: Any = next(
            (made for kind, made in handlers.items() if _name(kind) == "RequestValidationError"),
            None,
        )
        if handler is None or not self._is_own(_file(handler)):
            return {"422": reason}
        statuses = {status for status, _ in self._reach(handler).answers} or {422}
        return {str(status): f"{reason}, answered by {_name(handler)}" for status in statuses}

    def invalid_statuses(self, route: Route) -> list[int]:
        """What invalid input of an operation is answered with."""
        return sorted(int(status) for status in self._invalid(route))

    def _is_fastapis(self, route: Route) -> bool:
        document = self._documents.documents.get(self._documents.declared(route).document, {})
        operation = document.get("paths", {}).get(route.local, {})
        answer = (
            operation.get(route.operation.method.lower(), {}).get("responses", {}).get("422", {})
        )
        return _VALIDATION in str(answer)

    def _reach(self, function: Any) -> sources.Reached:
        key = getattr(function, "__func__", function)
        try:
            known = self._read.get(key)
        except TypeError:  # It can't be hashed.
            return sources.read(function, self._is_own)
        if known is None:
            known = self._read[key] = sources.read(function, self._is_own)
        return known

    def _raised(self, route: Route, reached: sources.Reached) -> Iterator[tuple[str, str]]:
        for answered, where in reached.answers:
            yield str(answered), where
        for kind, call, place in reached.raised:
            name = kind.__name__
            if _is_http(kind):
                for status in sorted(statuses_of(kind, call, place)):
                    yield str(status), f"{name} raised in {place.name}"
            elif any(one.__name__ == "WebSocketException" for one in kind.__mro__):
                yield "403", f"{name} raised in {place.name}"
            else:
                yield from self._handled(route, kind, call, place)

    def _handled(
        self, route: Route, kind: type, call: ast.Call | None, place: Place
    ) -> Iterator[tuple[str, str]]:
        """What a registered exception handler makes of an exception of the project's."""
        handlers = getattr(route.app, "exception_handlers", None) or {}
        found = next((one for one in kind.__mro__ if one in handlers), None)
        if found is None or found in {Exception, BaseException}:
            return  # One for everything makes failures look well; they are failures all the same.
        handler = handlers[found]
        why = f"{kind.__name__} raised in {place.name}, answered by {_name(handler)}"
        fixed = {status for status, _ in self._reach(handler).answers}
        for status in sorted(fixed or statuses_of(kind, call, place)):
            yield str(status), why

    def possible(self, route: Route) -> frozenset[str] | None:
        """The statuses that nobody has to declare; None if they can't all be told.

        What FastAPI and Starlette answer by themselves, what a route class of the project's raises, what a
        dependency makes of an error of its operation, and anything where a status is computed.
        """
        dependant = getattr(route.source, "dependant", None)
        reached = [self._reach(function) for function in _functions(route, dependant)]
        if any(one.is_computed for one in reached) or any(
            _is_http(kind) and not statuses_of(kind, call, place)
            for one in reached
            for kind, call, place in one.raised
        ):
            return None
        by_itself = {"206", "304", "416"}
        if dependant is not None and any(one.body_params for one in all_of(dependant)):
            by_itself.add("400")
        late = [found for one in reached for found in one.late]
        if dependant is not None:
            original = getattr(route.source, "original_route", route.source)
            late += self._reach(type(original).get_route_handler).raised
        for kind, call, place in late:
            if _is_http(kind):
                by_itself |= {str(status) for status in statuses_of(kind, call, place)}
        return frozenset(by_itself)

    def _conflicts(self, reached: list[sources.Reached]) -> Iterator[tuple[str, str]]:
        for one in reached:
            for kind, names in one.written.items():
                for columns in self._unique(kind):
                    if names is None or set(columns) & names:
                        unique = ", ".join(columns)
                        yield "409", f"{kind.__name__}.{unique} is unique"


def _name(value: Any) -> str:
    return str(getattr(value, "__name__", value))


def _file(function: Any) -> str:
    return str(getattr(getattr(function, "__code__", None), "co_filename", ""))


def _functions(route: Route, dependant: Any) -> Iterator[Any]:
    """The operation's own function, and those that it depends on."""
    yield route.endpoint
    waiting = list(dependant.dependencies) if dependant is not None else []
    while waiting:
        one = waiting.pop(0)
        if one.call is not None:
            yield one.call
        waiting += one.dependencies


def _is_http(kind: type) -> bool:
    """Whether it is Starlette's HTTPException, which carries its status, or Werkzeug's."""
    return any(one.__name__ == "HTTPException" for one in kind.__mro__)
