"""The callers of one test: each has a client of its own, and no two of them mix."""

from __future__ import annotations

import ast
import functools
import inspect
import json
from collections.abc import Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from greenroom.app import current_user, schemes, token_functions
from greenroom.app.dependencies import dependants
from greenroom.facts.credential import Credential, Scheme
from greenroom.facts.errors import Code, GreenroomError
from greenroom.report.diagnosis import masked

if TYPE_CHECKING:
    from greenroom.app.operations import Route
    from greenroom.runtime.performance import Performance
    from greenroom.runtime.room import Room

#: What a token is called in the answer to a login.
_TOKENS = (
    "access_token",
    "accessToken",
    "token",
    "id_token",
    "jwt",
    "session_token",
    "sessionToken",
    "api_key",
    "key",
)
#: What a user's name is called in the body of a login, and where it's found in a user.
_NAMES = ("username", "email", "login", "identifier", "user", "name")
_PASSWORDS = ("password", "passwd", "secret", "pin")
_BAD = 400
#: What SQLAlchemy raises where an object has lost its session, or can't be read where nobody awaits.
_UNREADABLE = frozenset({"DetachedInstanceError", "MissingGreenlet", "ObjectDeletedError"})
#: How much of an answer an error shows, in characters.
_SHOWN = 400


class Callers:
    """Makes the clients of callers.

    :param performance: the test's own.
    """

    def __init__(self, performance: Performance, room: Room) -> None:
        self._performance = performance
        self._room = room
        self._undo = ExitStack()
        self._overridden = False

    @property
    def schemes(self) -> dict[str, Scheme]:
        """The app's security schemes."""
        proof = self._room.proof
        return schemes.schemes_of(proof.documents, proof.operations.routes)

    def of_token(self, token: str, scheme: str | None) -> Credential:
        """A token as the app wants it. Raises GreenroomError if the scheme isn't known."""
        return schemes.credential_of(schemes.chosen(self.schemes, scheme), token)

    def blocking(self, user: Any, password: str | None) -> Credential:
        """A user's credential, for code that can't await. Raises GreenroomError."""
        steps = self._steps(user, password)
        given: Any = None
        while True:
            try:
                awaitable = _next(steps, given, user)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            if isinstance(awaitable, _Ask):
                given = awaitable.now(self._performance)
            else:
                given = self._performance.run(functools.partial(_awaited, awaitable))

    async def asynchronous(self, user: Any, password: str | None) -> Credential:
        """A user's credential. Raises GreenroomError."""
        if inspect.isawaitable(user):
            user = await user
        await self._performance.hand_over()
        steps = self._steps(user, password)
        given: Any = None
        while True:
            try:
                awaitable = _next(steps, given, user)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            if isinstance(awaitable, _Ask):
                given = await awaitable.later(self._performance)
            else:
                given = await awaitable

    def close(self) -> None:
        """Take overrides back."""
        self._undo.close()

    # -- how a user becomes a credential -----------------------------------------------------------

    def _steps(self, user: Any, password: str | None) -> Any:
        """One way for both kinds of code: it yields what is to be asked or awaited."""
        said = self._room.settings.caller.value
        if said is None:
            return self._without_a_word(user, password)
        return self._said(said, user, password)

    def _without_a_word(self, user: Any, password: str | None) -> Any:
        chosen = schemes.chosen(self.schemes, None) if self.schemes else None
        if chosen is not None and chosen.kind == "basic":
            name, word = _names(user, _NAMES), _password(user, password)
            return schemes.credential_of(chosen, f"{name}:{word}")
        raise GreenroomError(
            Code.CALLER,
            "as_user was called, and how a user becomes a credential hasn't been said.",
            "Say it once, in [tool.greenroom], in the shortest of these:\n"
            '  caller = "POST /auth/login"                  an operation that greenroom may call\n'
            '  caller = "shop.security:create_token(user.id)"  a function of yours that makes a token\n'
            '  caller = "shop.deps:get_current_user"        the dependency that gives the user\n'
            '  caller = "user.api_key"                      what the user himself holds',
        )
        yield

    def _said(self, said: str, user: Any, password: str | None) -> Any:
        if said.partition(" ")[2].startswith("/"):
            return (yield from self._by_login(said, user, password))
        if said.startswith("user."):
            node = ast.parse(said, mode="eval").body
            return self.of_token(str(token_functions.evaluated(node, user)), None)
        function = token_functions.find(said)
        if "(" not in said and any(one.call is function for one in dependants(self._room.app)):
            return self._by_override(function, user)
        made = token_functions.call(function, said, user)
        if inspect.isawaitable(made):
            made = yield made
        token = _token_in(made)
        if token is None:
            raise GreenroomError(
                Code.CALLER,
                f"{said} gives a {type(made).__name__}, in which there is no token.",
                "Let it give the token, or a dictionary with access_token.",
            )
        return self.of_token(token, None)

    def _by_override(self, function: Any, user: Any) -> Credential:
        if not self._overridden:
            self._overridden = True
            self._undo.callback(current_user.put_in_place(self._room.app, function))
        # The schemes that the dependency stands on want to be told something.
        told = self.of_token("greenroom:greenroom", None)
        return Credential(told.headers, told.params, told.cookies, user)

    def _by_login(self, said: str, user: Any, password: str | None) -> Any:
        route = self._login(said)
        name, _, path = said.partition(" ")
        options = self._body(route, user, password)
        response = yield _Ask(name.upper(), path, options)
        status, cookies = response.status_code, _cookies(response)
        text = response.text if isinstance(response.text, str) else ""
        try:
            token = _token_in(json.loads(text)) if text else None
        except ValueError:
            token = None
        is_told = any(not _protects_forms(name) for name in cookies)
        if status >= _BAD or (token is None and not is_told):
            shown = masked(_without(text, password, user))[:_SHOWN]
            raise GreenroomError(
                Code.CALLER,
                f"{said} answered {status}, and gave neither a token nor a cookie: {shown}",
                "Give as_user a user that can log in, and his password: client.as_user(user, "
                'password="..."). greenroom has sent: ' + ", ".join(_keys(options)) + ".",
            )
        if token is None:
            return Credential(cookies=cookies)
        told = self.of_token(token, None)
        return Credential(told.headers, told.params, {**cookies, **told.cookies})

    def _login(self, said: str) -> Route:
        method, _, path = said.partition(" ")
        route = self._room.proof.operations.match(method.upper(), path)
        if route is None:
            names = ", ".join(sorted(self._room.proof.operations.names)) or "none"
            raise GreenroomError(
                Code.CALLER,
                f"caller names the operation {said!r}, which the app hasn't got.",
                f"It has: {names}.",
            )
        return route

    def _body(self, route: Route, user: Any, password: str | None) -> dict[str, Any]:
        """What is sent to log in."""
        body = self._room.proof.body_of(route)
        word = _password(user, password)
        from greenroom.data.payloads import properties_of

        declared = properties_of(body.model) if body is not None and body.model is not None else {}
        if body is None or not declared:
            found = {
                name: value
                for name in ("username", "email")
                if (value := _of(user, name)) is not None
            } or {"username": _names(user, _NAMES)}
            return {"json": {**found, "password": word}}
        told: dict[str, Any] = {}
        for name, needed in declared.items():
            if name.lower() in _PASSWORDS:
                told[name] = word
            elif name.lower() in _NAMES and (needed or _of(user, name) is not None):
                told[name] = _names(user, (name, *_NAMES))
            elif name == "grant_type":
                told[name] = "password"
        return {"data" if body.kind == "form" else "json": told}


def _next(steps: Any, given: Any, user: Any) -> Any:
    """The next step. Raises GreenroomError if the user is an object whose session is gone."""
    try:
        return steps.send(given)
    except Exception as error:
        if type(error).__name__ not in _UNREADABLE:
            raise
        raise GreenroomError(
            Code.CALLER,
            f"the {type(user).__name__} can't be read any more: {str(error).splitlines()[0]}",
            "Give as_user an object of the test's own session, of make or db_session.",
        ) from None


class _Ask:
    """A request of greenroom's own, sent by a client that is nobody's."""

    def __init__(self, method: str, path: str, options: dict[str, Any]) -> None:
        self._asked = (method, path)
        self._options = options

    def now(self, performance: Performance) -> Any:
        client: Any = performance.sync_client()
        return _sent(client, *self._asked, self._options)

    async def later(self, performance: Performance) -> Any:
        client: Any = performance.client()
        return await client.request(*self._asked, follow_redirects=False, **self._options)


def _sent(client: Any, method: str, path: str, options: dict[str, Any]) -> Any:
    if hasattr(client, "request"):
        return client.request(method, path, follow_redirects=False, **options)
    return client.open(path, method=method, **options)


async def _awaited(waiting: Any) -> Any:
    return await waiting


def _cookies(response: Any) -> dict[str, str]:
    """The cookies that an answer sets: of httpx's response, or of Flask's."""
    known = getattr(response, "cookies", None)
    if known is not None:
        return dict(known.items())
    found = {}
    for line in response.headers.getlist("set-cookie"):
        name, _, value = line.partition(";")[0].partition("=")
        found[name.strip()] = value.strip()
    return found


def _protects_forms(cookie: str) -> bool:
    """Whether a cookie is one against forged forms, which anybody gets."""
    return any(word in cookie.lower() for word in ("csrf", "xsrf"))


def _without(text: str, password: str | None, user: Any) -> str:
    """An answer that repeats what was sent, without the password."""
    try:
        word = _password(user, password)
    except GreenroomError:
        return text
    return text.replace(word, "***") if word else text


def _token_in(made: Any) -> str | None:
    """A token: a text, or what is called so in a dictionary or an object, however deep."""
    if isinstance(made, bytes):
        return made.decode()
    if isinstance(made, str):
        return made
    if not isinstance(made, Mapping):
        made = {name: getattr(made, name) for name in _TOKENS if hasattr(made, name)}
    levels: list[Mapping[str, Any]] = [made]
    for level in levels:
        levels += [
            inner
            for name, inner in level.items()
            if isinstance(inner, Mapping) and not str(name).lower().startswith("refresh")
        ]
    for name in _TOKENS:
        for level in levels:
            if isinstance(level.get(name), str):
                return str(level[name])
    return None


def _of(user: Any, name: str) -> Any:
    """What a user has under a name; None if he hasn't."""
    if isinstance(user, Mapping):
        return user.get(name)
    return getattr(user, name, None)


def _names(user: Any, names: tuple[str, ...]) -> Any:
    """What a user is called."""
    if isinstance(user, tuple):
        return user[0]
    for name in names:
        value = _of(user, name)
        if value is not None:
            return value
    raise GreenroomError(
        Code.CALLER,
        f"the user is a {type(user).__name__}, which has none of {', '.join(dict.fromkeys(names))}.",
        'Give the name and the password: client.as_user(("ann", "secret")).',
    )


def _password(user: Any, password: str | None) -> str:
    if password is not None:
        return password
    if isinstance(user, tuple) and len(user) > 1:
        return str(user[1])
    for name in ("plain_password", "raw_password", "password"):
        value = _of(user, name)
        if isinstance(value, str):
            return value
    raise GreenroomError(
        Code.CALLER,
        f"the password of the {type(user).__name__} isn't known: only its hash is stored.",
        'Give it: client.as_user(user, password="..."); a fixture named user may give a pair, '
        '("ann", "secret").',
    )


def _keys(options: dict[str, Any]) -> list[str]:
    return [name for told in options.values() if isinstance(told, dict) for name in told]
