"""Carries out one automatic check: sends what it says, and looks at the answer."""

from __future__ import annotations

import base64
import inspect
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from greenroom.app import schemes
from greenroom.app.needed import lets_everybody_in, needed_of
from greenroom.app.operations import Route
from greenroom.app.parameters import Parameter, parameters_of
from greenroom.facts.check import Check, Kind
from greenroom.facts.credential import Credential
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.mapped import Mapped, Parent
from greenroom.runtime.check_plan import CheckPlan
from greenroom.runtime.judging import UNAUTHENTICATED, CannotBuildError, Shapes, judge

if TYPE_CHECKING:
    from greenroom.runtime.making import Make
    from greenroom.runtime.room import Room

#: What yields functions to be called: what they give is sent back, awaited where the test awaits.
Steps = Generator[Callable[[], Any], Any, Any]

_ERROR = 400
_SUCCESS = range(200, 300)
_NOWHERE = "/greenroom-no-such-path"
#: How long ago, in days, an expired credential was made.
_AGO = 3650
_PROBES = (Kind.ANONYMOUS, Kind.INVALID, Kind.NO_JSON, Kind.UNKNOWN, Kind.WRONG_FORM)
_OF_CREDENTIALS = (Kind.ANONYMOUS, Kind.FORGOTTEN, Kind.MALFORMED, Kind.FORGED, Kind.EXPIRED)
_CANNOT = {Code.CALLER, Code.MAKE, Code.PAYLOAD, Code.EXTRA, Code.NO_ENGINE}


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
        try:
            step = next(steps)
            while True:
                try:
                    value = step()
                except Exception as error:  # noqa: BLE001 - the check says what it means
                    step = steps.throw(error)
                else:
                    step = steps.send(value)
        except StopIteration:
            return

    async def asynchronous(self, check: Check) -> None:
        """Carry it out. Raises GreenroomError if the app fails it, CannotBuildError if it says nothing."""
        self._client.raise_app_exceptions = False
        steps = self._steps(check)
        try:
            step = next(steps)
            while True:
                try:
                    value = step()
                    if inspect.isawaitable(value):
                        value = await value
                except Exception as error:  # noqa: BLE001 - the check says what it means
                    step = steps.throw(error)
                else:
                    step = steps.send(value)
        except StopIteration:
            return

    def _steps(self, check: Check) -> Steps:
        if check.kind is Kind.ONE_SHAPE:
            yield from self._one_shape()
            return
        route = self._routes[check.operation]
        try:
            response, has_user = yield from self._answered(check, route)
        except GreenroomError as error:
            if error.code in _CANNOT:
                raise CannotBuildError(str(error)) from None
            raise
        is_open = (
            check.kind in _OF_CREDENTIALS
            and response.status_code in _SUCCESS
            and lets_everybody_in(route)
        )
        if is_open and check.kind is not Kind.ANONYMOUS:
            # What refuses nobody refuses him who is nobody, if its function does that itself.
            nobody = Check(check.operation, Kind.ANONYMOUS, UNAUTHENTICATED)
            told = yield from self._asked(nobody, route, has_user=False)
            is_open = told.status_code not in UNAUTHENTICATED
        if is_open:
            raise CannotBuildError(
                "its security scheme lets everybody through (auto_error=False), and it answers them: whether "
                "that is meant can't be seen."
            )
        unknown = [one.name for one in parameters_of(route) if not self._plan.row_of(route, one)]
        judge(check, response, has_user=has_user, unknown=", ".join(unknown))

    # -- what is sent --------------------------------------------------------------------------------

    def _answered(self, check: Check, route: Route) -> Steps:
        """The answer, and whether a user has asked.

        What wants a credential that its document doesn't declare is asked again by one, if there is one.
        """
        has_user = check.kind not in _OF_CREDENTIALS and self._plan.is_protected(route)
        response = yield from self._asked(check, route, has_user=has_user)
        if (
            response.status_code in UNAUTHENTICATED
            and not has_user
            and check.kind not in _OF_CREDENTIALS
            and self._plan.has_caller
        ):
            has_user = True
            response = yield from self._asked(check, route, has_user=True)
        return response, has_user

    def _asked(self, check: Check, route: Route, *, has_user: bool) -> Steps:
        kind = check.kind
        if kind is Kind.ANOTHERS:
            return (yield from self._anothers(check, route))
        client, user = self._client, None
        if kind in {Kind.ANONYMOUS, Kind.FORGOTTEN, Kind.MALFORMED}:
            yield from self._have_somebody()
        if kind is Kind.MALFORMED:
            client = self._knowing(self._malformed(route))
        elif kind is Kind.EXPIRED:
            client = yield from self._expired()
        elif kind is Kind.FORGED:
            client = yield from self._forged()
        elif has_user:
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
        rows: list[Any] = []
        for one in parameters_of(route):
            if check.kind is Kind.UNKNOWN and check.what == one.name:
                values[one.name] = one.unknown or ""
            elif check.kind is Kind.WRONG_FORM and check.what == one.name:
                values[one.name] = one.wrong or ""
            else:
                try:
                    values[one.name] = yield from self._there(route, one, user, rows)
                except GreenroomError:
                    if check.kind not in _OF_CREDENTIALS:
                        raise
                    values[one.name] = (
                        one.plain
                    )  # He is to be refused before anything is looked up.
        return values

    def _there(self, route: Route, parameter: Parameter, owner: Any, rows: list[Any]) -> Steps:
        """The parameter's value for a row that is there, and belongs to somebody if it can.

        :param rows: those that the path has named before: this one belongs to them.
        """
        found = self._plan.row_of(route, parameter)
        if found is None:
            return parameter.plain
        mapped, attribute = found
        if owner is not None and isinstance(owner, mapped.kind):
            row = owner
        else:
            way = self._plan.way_to_owner(mapped) if owner is not None else None
            if way is not None and not any(isinstance(one, way.kind) for one in rows):
                between = self._plan.classes[way.kind]
                of_owner = self._belonging(between, [*rows, owner])
                rows.append((yield lambda: self._make(between.kind, **of_owner)))
            given = self._belonging(mapped, [*rows, owner])
            row = yield lambda: self._make(mapped.kind, **given)
        rows.append(row)
        return str(_key(row, attribute))

    def _belonging(self, mapped: Mapped, rows: list[Any]) -> dict[str, Any]:
        """What makes a row of a class belong to others, the first of each class."""
        wanted: list[Parent] = list(mapped.parents)
        owner = self._plan.owner_of(mapped)
        if owner is not None:
            wanted = [one for one in wanted if one.kind is not owner.kind or one == owner]
        given: dict[str, Any] = {}
        for parent in wanted:
            row = next((one for one in rows if isinstance(one, parent.kind)), None)
            if row is None:
                continue
            if parent.name:
                given[parent.name] = row
            else:
                given |= {local: getattr(row, remote) for local, remote in parent.columns}
        return given

    def _send(
        self, client: Any, route: Route, values: dict[str, str], check: Check | None = None
    ) -> Steps:
        path = route.operation.path
        for name, value in values.items():
            path = path.replace(f"{{{name}}}", value)
        options = self._needed(client, route)
        body = self._plan.body(route)
        if check is not None and check.kind is Kind.NO_JSON:
            headers = {**options.get("headers", {}), "content-type": "application/json"}
            options |= {"content": b"{", "headers": headers}
        elif check is not None and check.kind is Kind.INVALID:
            options["json"] = check.payload
        elif body is not None and body.kind != "file":
            payload = yield lambda: self._payload(str(route.operation))
            if payload is not None:
                options["data" if body.kind == "form" else "json"] = payload
        return (yield lambda: client.request(route.operation.method, path, **options))

    def _needed(self, client: Any, route: Route) -> dict[str, Any]:
        """What the operation requires beside its path and its body; never in the place of a credential."""
        found: dict[str, Any] = {}
        for one in needed_of(route):
            name = one.name.lower()
            if one.place == "headers" and (name in client.headers or name == "authorization"):
                continue
            if one.place == "cookies" and (name in client.cookies or _tells_who(name)):
                continue
            try:
                value = self._make.payload(one.kind)
            except GreenroomError:
                continue
            told = value if one.is_whole else {one.name: value}
            if one.place == "cookies":
                pairs = "; ".join(f"{name}={_text(value)}" for name, value in told.items())
                headers = found.setdefault("headers", {})
                headers["cookie"] = "; ".join(filter(None, (headers.get("cookie"), pairs)))
                continue
            texts = {
                name: [*map(_text, value)] if isinstance(value, list) else _text(value)
                for name, value in told.items()
                if value is not None
            }
            found.setdefault(one.place, {}).update(texts)
        return found

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
            client = yield from self._logged_in(user)
        finally:
            clock.restore()
        if not any("exp" in claims for claims in _tokens_of(client.credential)):
            raise CannotBuildError(
                "the credential is no JWT with a time at which it expires, so whether it has expired can't be "
                "seen."
            )
        return client

    def _logged_in(self, user: Any) -> Steps:
        """A client whose credential is known already. Asynchronously a user is logged in only when he asks."""
        client = self._client.as_user(user)
        entering = getattr(client, "entering", None)
        if entering is not None:
            credential = yield entering
            client.know(credential)
        return client

    def _forged(self) -> Steps:
        """A client whose credential says who asks, and is signed by somebody else."""
        user = yield from self._somebody()
        client = yield from self._logged_in(user)
        if not any(True for _ in _tokens_of(client.credential)):
            raise CannotBuildError("the credential is no JWT, so nobody else can sign it.")
        return self._knowing(_signed_by_others(client.credential))

    def _anothers(self, check: Check, route: Route) -> Steps:
        """What a stranger gets of a row that belongs to somebody."""
        kind = self._plan.user_class
        assert kind is not None
        owner = yield from self._somebody()
        if not isinstance(owner, kind):
            owner = yield lambda: self._make(kind)
        stranger = yield lambda: self._make(kind)
        values = yield from self._values(check, route, owner)
        parameter = next(one for one in parameters_of(route) if one.name == check.what)
        below = self._plan.rows_below(route, parameter)
        if below is not None:
            of_owner = self._belonging(below, [owner])
            yield lambda: self._make(below.kind, **of_owner)
        response = yield from self._send(self._client.as_user(stranger), route, values)
        if response.status_code in _SUCCESS and below is None:
            return response
        as_owner = yield from self._send(self._client.as_user(owner), route, values)
        if response.status_code in _SUCCESS:
            if response.text != as_owner.text:
                raise CannotBuildError(
                    "a stranger is answered something else than the user himself."
                )
            return response
        if as_owner.status_code in {401, 403, 404}:
            raise CannotBuildError(
                f"the row's own user is answered {as_owner.status_code} as well, so what a stranger is answered "
                "says nothing."
            )
        return response

    def _one_shape(self) -> Steps:
        """The errors of the whole app have one shape."""
        shapes = Shapes()
        response = yield lambda: self._client.request("GET", _NOWHERE)
        if response.status_code >= _ERROR:
            shapes.add(f"{response.status_code} of an unknown path", response)
        # Of each kind one of each operation: an operation may write its errors itself.
        probes: dict[tuple[Kind, str], Check] = {}
        for check in self._plan.checks:
            if check.kind in _PROBES:
                probes.setdefault((check.kind, check.operation), check)
        for check in probes.values():
            try:
                response, _ = yield from self._answered(check, self._routes[check.operation])
            except GreenroomError:
                continue
            if response.status_code >= _ERROR:
                shapes.add(f"{response.status_code} of {check}", response)
        shapes.judge()


def _tokens_of(credential: Credential) -> Iterator[dict[str, Any]]:
    """What the JWTs of a credential say, wherever it carries them."""
    for told in (credential.headers, credential.params, credential.cookies):
        for value in told.values():
            claims = _claims(value.rpartition(" ")[2])
            if claims is not None:
                yield claims


def _signed_by_others(credential: Credential) -> Credential:
    """The same credential, its JWTs signed by somebody else."""

    def signed(told: Mapping[str, str]) -> dict[str, str]:
        return {name: _signed_by_another(value) for name, value in told.items()}

    return replace(
        credential,
        headers=signed(credential.headers),
        params=signed(credential.params),
        cookies=signed(credential.cookies),
    )


def _signed_by_another(value: str) -> str:
    scheme, space, token = value.rpartition(" ")
    if _claims(token) is None:
        return value
    head, claims, signature = token.split(".")
    # Not the last letter, some of whose bits say nothing.
    forged = ("B" if signature[:1] == "A" else "A") + signature[1:]
    return f"{scheme}{space}{head}.{claims}.{forged}"


def _claims(token: str) -> dict[str, Any] | None:
    """What a JWT says; None if it's none."""
    parts = token.split(".")
    if len(parts) != 3 or not parts[2]:  # noqa: PLR2004 - head, claims, signature
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None


def _tells_who(cookie: str) -> bool:
    """Whether a cookie is called like one that tells who asks."""
    return any(word in cookie for word in ("session", "token", "auth"))


def _text(value: Any) -> str:
    """A value as a query, a header or a cookie has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _key(row: Any, attribute: str) -> Any:
    """A row's attribute, or its key."""
    if attribute:
        return getattr(row, attribute)
    identity = row._sa_instance_state.identity  # noqa: SLF001 - SQLAlchemy's own public object of a row
    return identity[0]
