"""What both clients can be told: who is asking, and what becomes of errors in the app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from greenroom.facts.credential import Credential, Scheme
from greenroom.facts.exchange import USER

#: What a cookie jar calls the host at which the app believes to be, which has no dot.
_DOMAIN = "testserver.local"


class Callers(Protocol):
    """Who knows how a user becomes a credential."""

    @property
    def schemes(self) -> dict[str, Scheme]:
        """The app's security schemes."""

    def of_token(self, token: str, scheme: str | None) -> Credential:
        """A token as the app wants it."""

    def blocking(self, user: Any, password: str | None) -> Credential:
        """A user's credential, for code that can't await."""

    async def asynchronous(self, user: Any, password: str | None) -> Credential:
        """A user's credential."""


class Calling:
    """What both clients can be told of errors in the app."""

    wire: Any
    #: Who is asking; None while that has to be found out still.
    credential: Credential | None = None
    #: Finds it out; called before the first request.
    entering: Callable[[], Any] | None = None

    def with_token(self, token: str, *, scheme: str | None = None) -> Any:
        """Another client, with a token as the app's security scheme wants it.

        :param scheme: its name in the app's OpenAPI document, if there are several.
        :raises GreenroomError: if there is no such scheme, or greenroom can't speak it.
        """
        other = self._another()
        other.know(self.wire.door.callers.of_token(token, scheme))
        return other

    @property
    def anonymous(self) -> Any:
        """Another client, without cookies or credentials."""
        return self._another()

    def know(self, credential: Credential) -> None:
        """Send a credential from now on."""
        own: Any = self
        self.credential = credential
        self.entering = None
        own.headers.update(credential.headers)
        if credential.params:
            own.params = {**dict(own.params), **credential.params}
        for name, value in credential.cookies.items():
            # As an answer of the app's would have set it: the app may set it anew, or take it away.
            own.cookies.set(name, value, domain=_DOMAIN, path="/")

    def _another(self) -> Any:
        """A client on the same app, with the same headers, but for those that say who asks."""
        own: Any = self
        made = own.made_by()
        callers = self.wire.door.callers
        saying = {"authorization", "cookie"}
        saying |= {
            one.parameter.lower() for one in callers.schemes.values() if one.kind == "header"
        }
        for name, value in own.headers.items():
            if name.lower() not in saying:
                made.headers[name] = value
        made.follow_redirects = own.follow_redirects
        made.raise_app_exceptions = self.raise_app_exceptions
        return made

    def _signed(self, request: Any) -> Any:
        """A request that was built before the client knew who is asking."""
        credential = self.credential
        if credential is not None:
            for name, value in credential.headers.items():
                request.headers.setdefault(name, value)
            if credential.user is not None:
                request.extensions = {**request.extensions, USER: credential.user}
        return request

    @property
    def app(self) -> Any:
        """The app itself, as Starlette's test client gives it."""
        return self.wire.app

    @property
    def raise_app_exceptions(self) -> bool:
        """Whether what the app raises is raised in the test; else it is the server's 500."""
        return bool(self.wire.raising)

    @raise_app_exceptions.setter
    def raise_app_exceptions(self, value: bool) -> None:
        self.wire.raising = value


def as_user(client: Any, user: Any, *, password: str | None = None) -> Any:
    """Another client, which asks as a user.

    :param user: an object of the app's, or a name and a password.
    :param password: what he logs in by, where that is asked for.
    :raises GreenroomError: if he can't become a credential.
    """
    __tracebackhide__ = True
    door = client.wire.door
    door.before_request()
    other = client._another()  # noqa: SLF001 - it's a method of the client
    other.know(door.callers.blocking(user, password))
    return other
