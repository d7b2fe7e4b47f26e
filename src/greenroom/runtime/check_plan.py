"""The automatic checks of an app: what can be built of what its operations declare, and what can't."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from greenroom.app import schemes
from greenroom.app.bodies import JSON, Body
from greenroom.app.parameters import Parameter, parameters_of
from greenroom.data.naming import row_of, rows_of
from greenroom.facts.check import Check, Kind
from greenroom.facts.credential import Scheme
from greenroom.facts.errors import GreenroomError
from greenroom.facts.mapped import Mapped, Parent
from greenroom.facts.operation import WEBSOCKET
from greenroom.runtime.forgotten import beside
from greenroom.runtime.judging import UNAUTHENTICATED

if TYPE_CHECKING:
    from greenroom.app.operations import Route
    from greenroom.runtime.room import Room

_NOT_YOURS = (404, 403)
_NO_JSON = 400
_CHANGING = ("PUT", "PATCH", "DELETE")


class CheckPlan:
    """Which checks there are, for one process. The same in each.

    :param drops: what the project doesn't want: `GET /posts/{post_id} as another user`, with the reason.
    """

    def __init__(self, room: Room, drops: Mapping[str, str]) -> None:
        self._room = room
        self._drops = drops
        #: What can't be built, a sentence each.
        self.notes: list[str] = []

    @cached_property
    def checks(self) -> list[Check]:
        """All of them, operation by operation. Worked out once, with the notes."""
        found = []
        for route in self._room.proof.operations.routes:
            name = str(route.operation)
            if route.operation.method == WEBSOCKET:
                self.notes.append(f"{name}: a WebSocket isn't checked.")
            elif route.app is None:
                self.notes.append(f"{name}: it declares nothing, so nothing of it can be checked.")
            else:
                found += list(self._of(route))
        if found:
            found.append(Check("", Kind.ONE_SHAPE, (404,)))
        self._tell_of_open_ones()
        self.notes = list(dict.fromkeys(self.notes))
        known = {str(one) for one in found}
        self.notes += [
            f'[tool.greenroom.checks.drop] "{name}" names no check.'
            for name in sorted(set(self._drops) - known)
        ]
        return [one for one in found if str(one) not in self._drops]

    def body(self, route: Route) -> Body | None:
        """The body that an operation takes."""
        return self._room.proof.body_of(route)

    def asks_as_a_user(self, check: Check) -> bool:
        """Whether a check is, or can be, carried out by somebody."""
        if self.has_caller:
            return True
        if check.kind is Kind.ONE_SHAPE:
            return any(self.is_protected(route) for route in self._room.proof.operations.routes)
        routes = {str(route.operation): route for route in self._room.proof.operations.routes}
        return self.is_protected(routes[check.operation])

    @property
    def has_caller(self) -> bool:
        """Whether the project has said how a user becomes a credential."""
        return self._room.settings.caller.value is not None

    def is_protected(self, route: Route) -> bool:
        """Whether an operation requires a credential that its document declares."""
        return bool(schemes.required_by(self._room.proof.documents, route))

    def protected_beside(self, route: Route) -> Route | None:
        """An operation on the same collection that requires a credential, where this one does without."""
        return beside(route, self._room.proof.operations.routes, self.is_protected, self.user_class)

    def scheme_of(self, route: Route) -> Scheme | None:
        """The first scheme that an operation requires, and that can be spoken."""
        known = schemes.schemes_of(self._room.proof.documents, [route])
        for way in schemes.required_by(self._room.proof.documents, route):
            for name in way:
                if name in known and known[name].kind in schemes.KNOWN:
                    return known[name]
        return None

    def row_of(self, route: Route, parameter: Parameter) -> tuple[Mapped, str] | None:
        """What a path parameter names: a mapped class, and the attribute that it is; None if unknown."""
        classes = self.classes
        names = {kind: mapped.names for kind, mapped in classes.items()}
        found = row_of(route.operation.path, parameter.name, classes, names)
        return (classes[found[0]], found[1]) if found is not None else None

    def owner_of(self, mapped: Mapped) -> Parent | None:
        """What of a row says whose it is; None if nothing does."""
        user = self.user_class
        if user is None or mapped.kind is user:
            return None
        owners = [parent for parent in mapped.parents if issubclass(user, parent.kind)]
        return next((one for one in owners if one.is_needed), owners[0] if owners else None)

    def way_to_owner(self, mapped: Mapped) -> Parent | None:
        """The row that a row belongs to, and that is a user's itself; None if there is none, or it's his directly."""
        if self.owner_of(mapped) is not None or mapped.kind is self.user_class:
            return None
        classes = self.classes
        return next(
            (
                one
                for one in mapped.parents
                if one.is_needed and one.kind in classes and self.owner_of(classes[one.kind])
            ),
            None,
        )

    def rows_below(self, route: Route, parameter: Parameter) -> Mapped | None:
        """The class of a user's rows that a path reads: `/users/{user_id}/orders`; None if it's another path."""
        path = route.operation.path.partition(f"{{{parameter.name}}}")[2].strip("/")
        if route.operation.method != "GET" or not path or "/" in path:
            return None
        kind = rows_of(path, self.classes)
        found = self.classes[kind] if kind is not None else None
        return found if found is not None and self.owner_of(found) is not None else None

    @cached_property
    def user_class(self) -> type | None:
        """The mapped class of users; None if none is called so."""
        try:
            return self._room.workshop.user_class()
        except (GreenroomError, ImportError):
            return None

    @cached_property
    def classes(self) -> dict[type, Mapped]:
        """The project's mapped classes."""
        return self._room.workshop.classes()

    def _tell_of_open_ones(self) -> None:
        """What asks nobody who he is, where others do: one may have been forgotten."""
        routes = [one for one in self._room.proof.operations.routes if one.app is not None]
        is_open = [
            str(one.operation)
            for one in routes
            if one.operation.method != WEBSOCKET
            and not self.is_protected(one)
            and self.protected_beside(one) is None
        ]
        if is_open and any(self.is_protected(one) for one in routes):
            self.notes.append(
                f"No credential is required by {', '.join(is_open)}, and is by others: if one was forgotten, "
                "no check can tell."
            )

    # -- of one operation ----------------------------------------------------------------------------

    def _of(self, route: Route) -> Iterator[Check]:
        protected = self.is_protected(route)
        if protected:
            yield from self._protected(route)
        elif self.protected_beside(route) is not None:
            yield Check(str(route.operation), Kind.FORGOTTEN, UNAUTHENTICATED)
        if protected and (why := self._cannot_log_in(route)):
            self.notes.append(
                f"{route.operation}: its bodies and parameters can't be checked: {why}"
            )
            return
        yield from self._body(route)
        yield from self._parameters(route, protected=protected)

    def _cannot_log_in(self, route: Route) -> str:
        """Why a user can't ask for an operation; empty if he can."""
        caller = self._room.settings.caller.value
        if caller is not None and self._room.is_dependency(caller):
            return ""
        known = schemes.schemes_of(self._room.proof.documents, self._room.proof.operations.routes)
        spoken = schemes.chosen(known, None)
        if caller is None and spoken.kind != "basic":
            return (
                "nobody can log in; say how a user becomes a credential, [tool.greenroom] caller."
            )
        ways = schemes.required_by(self._room.proof.documents, route)
        by_cookie = caller is not None and caller.partition(" ")[2].startswith("/")
        for way in ways:
            kinds = {known[name].kind for name in way if name in known}
            if way == [spoken.name] or (by_cookie and kinds == {"cookie"}):
                return ""
        told = " or ".join(" and ".join(way) for way in ways)
        return f"it wants {told}, and a user's credential is spoken as {spoken.name}."

    def _protected(self, route: Route) -> Iterator[Check]:
        name = str(route.operation)
        yield Check(name, Kind.ANONYMOUS, UNAUTHENTICATED)
        if self.scheme_of(route) is None:
            self.notes.append(f"{name}: no credential can be made for its security scheme.")
            return
        yield Check(name, Kind.MALFORMED, UNAUTHENTICATED)
        caller = self._room.settings.caller.value
        if caller is None:
            return
        if caller.startswith("user.") or self._room.is_dependency(caller):
            self.notes.append(
                f"A credential by caller = {caller!r} isn't signed, and has no time at which it expires."
            )
            return
        if self._cannot_log_in(route):
            return
        yield Check(name, Kind.FORGED, UNAUTHENTICATED)
        if importlib.util.find_spec("time_machine") is None:
            self.notes.append(
                f"{name}: an expired credential needs time-machine: pip install greenroom[clock]."
            )
        else:
            yield Check(name, Kind.EXPIRED, UNAUTHENTICATED)

    def _body(self, route: Route) -> Iterator[Check]:
        body, name = self.body(route), str(route.operation)
        if body is None:
            return
        if body.kind != JSON or body.model is None:
            what = "is a file or a form" if body.kind != JSON else "is described by a schema only"
            self.notes.append(f"{name}: its body {what}, so invalid ones aren't made.")
            return
        from greenroom.data.invalid import invalid

        invalids = tuple(self._room.proof.invalid_statuses(route)) or (422,)
        yield Check(name, Kind.NO_JSON, (*invalids, _NO_JSON))
        try:
            cases = invalid(body.model)
        except GreenroomError as error:
            self.notes.append(f"{name}: {error.what}")
            return
        for case in cases:
            yield Check(name, Kind.INVALID, invalids, case.name, case.payload)

    def _parameters(self, route: Route, *, protected: bool) -> Iterator[Check]:
        name = str(route.operation)
        invalids = tuple(self._room.proof.invalid_statuses(route)) or (422,)
        for one in parameters_of(route):
            if one.unknown is not None:
                yield Check(name, Kind.UNKNOWN, (404,), one.name)
            elif one.wrong is None:
                self.notes.append(f"{name}: nobody knows a value of {one.name} that names nothing.")
            if one.wrong is not None:
                expected = (404,) if one.is_converted else invalids
                yield Check(name, Kind.WRONG_FORM, expected, one.name)
            if protected:
                yield from self._of_another(route, one)

    def _of_another(self, route: Route, parameter: Parameter) -> Iterator[Check]:
        if parameter.unknown is None:
            return
        found = self.row_of(route, parameter)
        if found is None:
            self.notes.append(
                f"{route.operation}: of what class {parameter.name} names a row isn't known, so nobody asks for "
                "another's."
            )
        elif self.user_class is None:
            self.notes.append(
                "No mapped class is called User, Account, Member or Customer, so nobody asks for another's rows."
            )
        elif self._is_somebodys(found[0]) or self._is_himself(found[0], route, parameter):
            yield Check(str(route.operation), Kind.ANOTHERS, _NOT_YOURS, parameter.name)
        elif found[0].kind is self.user_class:
            self.notes.append(
                f"{route.operation}: profiles may be public, so nobody asks for another user's."
            )

    def _is_somebodys(self, mapped: Mapped) -> bool:
        """Whether a row is a user's, directly or by way of another row."""
        return self.owner_of(mapped) is not None or self.way_to_owner(mapped) is not None

    def _is_himself(self, mapped: Mapped, route: Route, parameter: Parameter) -> bool:
        """Whether a request changes a user, or reads the rows that are his. His profile may be public."""
        is_asked = (
            route.operation.method in _CHANGING or self.rows_below(route, parameter) is not None
        )
        return mapped.kind is self.user_class and is_asked
