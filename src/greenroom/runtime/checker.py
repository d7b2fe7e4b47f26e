"""Carries out one automatic check: sends what it says, and looks at the answer."""

from __future__ import annotations

import base64
import inspect
import json
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from greenroom.app import schemes
from greenroom.app.operations import Route
from greenroom.app.parameters import Parameter, parameters_of
from greenroom.facts.check import Check, Kind
from greenroom.facts.errors import Code, GreenroomError
from greenroom.report.diagnosis import masked
from greenroom.runtime.check_plan import CheckPlan, shape_of

if TYPE_CHECKING:
    from greenroom.runtime.making import Make
    from greenroom.runtime.room import Room

#: What yields functions to be called: what they give is sent back, awaited where the test awaits.
Steps = Generator[Callable[[], Any], Any, Any]

_ERROR, _SERVER_ERROR = 400, 500
_SUCCESS = range(200, 300)
_NOWHERE = "/greenroom-no-such-path"
#: How long ago, in days, an expired credential was made.
_AGO = 3650
_SHOWN = 300
_PROBES = (Kind.ANONYMOUS, Kind.INVALID, Kind.NO_JSON, Kind.UNKNOWN, Kind.WRONG_FORM)


class CannotBuildError(Exception):
    """A check turns out to say nothing; the text says why."""


class Checker:
    """Carries out checks in one test.

    :param client: nobody's client.
    :param make: makes rows and bodies.
    :param user: gives the user who asks, perhaps something to be awaited; None if nobody does.
    """

    def __init__(
        self,
        room: Room,
        plan: CheckPlan,
        client: Any,
        make: Make,
        user: Callable[[], Any] | None,
    ) -> None:
        self._room = room
        self._plan = plan
        self._client = client
        self._make = make
        self._user = user
        self._routes = {str(route.operation): route for route in room.proof.operations.routes}

    def blocking(self, check: Check) -> None:
        """Carry it out. Raises GreenroomError if the app fails it, CannotBuildError if it says nothing."""
        self._client.raise_app_exceptions = False
        steps = self._steps(check)
        value: Any = None
        try:
            while True:
                value = steps.send(value)()
        except StopIteration:
            return

    async def asynchronous(self, check: Check) -> None:
        """Carry it out. Raises GreenroomError if the app fails it, CannotBuildError if it says nothing."""
        self._client.raise_app_exceptions = False
        steps = self._steps(check)
        value: Any = None
        try:
            while True:
                value = steps.send(value)()
                if inspect.isawaitable(value):
                    value = await value
        except StopIteration:
            return

    def _steps(self, check: Check) -> Steps:
        if check.kind is Kind.ONE_SHAPE:
            yield from self._one_shape()
            return
        route = self._routes[check.operation]
        try:
            response = yield from self._asked(check, route)
        except GreenroomError as error:
            if error.code in {Code.CALLER, Code.MAKE, Code.PAYLOAD, Code.EXTRA, Code.NO_ENGINE}:
                raise CannotBuildError(str(error)) from None
            raise
        self._judge(check, response)

    # -- what is sent --------------------------------------------------------------------------------

    def _asked(self, check: Check, route: Route) -> Steps:
        kind = check.kind
        if kind is Kind.ANOTHERS:
            return (yield from self._anothers(check, route))
        client, user = self._client, None
        if kind in {Kind.ANONYMOUS, Kind.MALFORMED}:
            yield from self._have_somebody()
        if kind is Kind.MALFORMED:
            client = self._knowing(self._malformed(route))
        elif kind is Kind.EXPIRED:
            client = yield from self._expired()
        elif kind is not Kind.ANONYMOUS and self._plan.is_protected(route):
            user = yield from self._somebody()
            client = self._client.as_user(user)
        values = yield from self._values(check, route, user)
        return (yield from self._send(client, route, values, check))

    def _somebody(self) -> Steps:
        """The user who asks."""
        assert self._user is not None
        return (yield self._user)

    def _have_somebody(self) -> Steps:
        """There is a user whom the app could take a stranger for, if one can be had."""
        try:
            yield from self._somebody()
        except GreenroomError:
            return

    def _values(self, check: Check, route: Route, user: Any) -> Steps:
        """The path's parameters: rows that are there, and the user's, but for the one that is asked about."""
        values: dict[str, str] = {}
        for one in parameters_of(route):
            if check.kind is Kind.UNKNOWN and check.what == one.name:
                values[one.name] = one.unknown or ""
            elif check.kind is Kind.WRONG_FORM and check.what == one.name:
                values[one.name] = one.wrong or ""
            elif check.kind in {Kind.ANONYMOUS, Kind.MALFORMED, Kind.EXPIRED}:
                values[one.name] = one.plain
            else:
                values[one.name] = yield from self._there(route, one, user)
        return values

    def _there(self, route: Route, parameter: Parameter, owner: Any) -> Steps:
        """The parameter's value for a row that is there, and belongs to somebody if it can."""
        found = self._plan.row_of(route, parameter)
        if found is None:
            return parameter.plain
        mapped, attribute = found
        if owner is not None and isinstance(owner, mapped.kind):
            return str(_key(owner, attribute))
        owner_is = self._plan.owner_of(mapped)
        given: dict[str, Any] = {}
        if owner_is is not None and isinstance(owner, owner_is.kind):
            local, remote = owner_is.columns[0]
            given = {owner_is.name: owner} if owner_is.name else {local: getattr(owner, remote)}
        row = yield lambda: self._make(mapped.kind, **given)
        return str(_key(row, attribute))

    def _send(
        self, client: Any, route: Route, values: dict[str, str], check: Check | None = None
    ) -> Steps:
        path = route.operation.path
        for name, value in values.items():
            path = path.replace(f"{{{name}}}", value)
        options: dict[str, Any] = {}
        body = self._plan.body(route)
        if check is not None and check.kind is Kind.NO_JSON:
            options = {"content": b"{", "headers": {"content-type": "application/json"}}
        elif check is not None and check.kind is Kind.INVALID:
            options = {"json": check.payload}
        elif body is not None and body.kind != "file":
            payload = yield lambda: self._payload(str(route.operation))
            if payload is not None:
                options = {"data" if body.kind == "form" else "json": payload}
        return (yield lambda: client.request(route.operation.method, path, **options))

    def _payload(self, operation: str) -> Any:
        try:
            return self._make.payload(operation)
        except GreenroomError:
            return None

    def _malformed(self, route: Route) -> Any:
        scheme = self._plan.scheme_of(route)
        assert scheme is not None
        return schemes.credential_of(scheme, "greenroom.is:no-token")

    def _knowing(self, credential: Any) -> Any:
        other = self._client.anonymous
        other.know(credential)
        return other

    def _expired(self) -> Steps:
        """A client whose credential was made ten years ago."""
        import datetime as dt

        from greenroom.boundary.clock import Clock

        user = yield from self._somebody()
        clock = Clock()
        clock.travel(dt.timedelta(days=-_AGO))
        try:
            client = self._client.as_user(user)
            # Asynchronously it's only now that he is logged in.
            entering = getattr(client, "entering", None)
            if entering is not None:
                credential = yield entering
                client.know(credential)
        finally:
            clock.restore()
        token = str(dict(client.credential.headers).get("authorization", "")).rpartition(" ")[2]
        if not _expires(token):
            raise CannotBuildError(
                "the credential is no JWT with a time at which it expires, so whether it has expired can't be "
                "seen."
            )
        return client

    def _anothers(self, check: Check, route: Route) -> Steps:
        """What a stranger gets of a row that belongs to somebody."""
        kind = self._plan.user_class
        assert kind is not None
        owner = yield from self._somebody()
        if not isinstance(owner, kind):
            owner = yield lambda: self._make(kind)
        stranger = yield lambda: self._make(kind)
        values = yield from self._values(check, route, owner)
        response = yield from self._send(self._client.as_user(stranger), route, values)
        if response.status_code in _SUCCESS:
            return response
        as_owner = yield from self._send(self._client.as_user(owner), route, values)
        if as_owner.status_code in {401, 403, 404}:
            raise CannotBuildError(
                f"the row's own user is answered {as_owner.status_code} too, so that a stranger is says nothing."
            )
        return response

    def _one_shape(self) -> Steps:
        """The errors of the whole app have one shape."""
        shapes: dict[str, list[str]] = {}
        response = yield lambda: self._client.request("GET", _NOWHERE)
        _add(shapes, f"{response.status_code} of an unknown path", response)
        for kind in _PROBES:
            check = next((one for one in self._plan.checks() if one.kind is kind), None)
            if check is None:
                continue
            try:
                response = yield from self._asked(check, self._routes[check.operation])
            except GreenroomError:
                continue
            if response.status_code >= _ERROR:
                _add(shapes, f"{response.status_code} of {check}", response)
        if len(shapes) > 1:
            told = [f"  {shape}: {', '.join(places)}" for shape, places in sorted(shapes.items())]
            raise GreenroomError(
                Code.CHECK,
                "the app's errors have bodies of different shapes.",
                "\n".join(
                    [*told, "Let one exception handler write them all, Starlette's own among them."]
                ),
            )

    # -- what came -----------------------------------------------------------------------------------

    def _judge(self, check: Check, response: Any) -> None:
        status = response.status_code
        shown = masked(str(getattr(response, "text", "")))[:_SHOWN]
        came = f"{status}{': ' + shown if shown else ''}"
        if status >= _SERVER_ERROR:
            raise _failed(check, f"a failure of the server came: {came}")
        if status not in check.expected:
            wanted = " or ".join(map(str, check.expected))
            raise _failed(check, f"expected {wanted}, came {came}")
        content_type = response.headers.get("content-type", "")
        if shown and "json" not in content_type:
            raise _failed(
                check, f"an error in JSON was expected, came {content_type or 'no type'}: {shown}"
            )


def _failed(check: Check, what: str) -> GreenroomError:
    advice = {
        Kind.ANONYMOUS: "Let the operation depend on what asks for the credential.",
        Kind.MALFORMED: "Let what reads the credential refuse one that it can't read.",
        Kind.EXPIRED: "Let what reads the credential look at the time at which it expires.",
        Kind.ANOTHERS: "Look for the row among those of the user who asks. If all may see it, drop the check:",
        Kind.UNKNOWN: "Answer 404 where the parameter names nothing. If that's meant otherwise, drop the check:",
    }.get(check.kind, "Correct the operation; or drop the check:")
    drop = f'[tool.greenroom.checks.drop] "{check}" = "the reason"'
    return GreenroomError(
        Code.CHECK, f"{check}: {what}", f"{advice} {drop}" if advice.endswith(":") else advice
    )


def _add(shapes: dict[str, list[str]], place: str, response: Any) -> None:
    try:
        body = json.loads(response.text)
    except ValueError:
        shapes.setdefault("no JSON", []).append(place)
        return
    shapes.setdefault(shape_of(body), []).append(place)


def _expires(token: str) -> bool:
    """Whether a token is a JWT that says when it expires."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - head, claims, signature
        return False
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return False
    return isinstance(claims, dict) and "exp" in claims


def _key(row: Any, attribute: str) -> Any:
    """A row's attribute, or its key."""
    if attribute:
        return getattr(row, attribute)
    identity = row._sa_instance_state.identity  # noqa: SLF001 - SQLAlchemy's own public object of a row
    return identity[0]
