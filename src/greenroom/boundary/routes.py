"""Fake services: which calls they answer, and with what; every call is recorded."""

from __future__ import annotations

import json as json_module
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from greenroom.facts.errors import Code, GreenroomError

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
#: The ways in which a call may fail; each library has exceptions of its own for them.
FAILURES = ("connect", "timeout")
#: Stands for a body that isn't given: null is one.
_NOTHING: Any = object()
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Call:
    """A call that the app made.

    :param headers: by their names in lower case.
    :param content: the body.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""

    @property
    def text(self) -> str:
        """The body as a text."""
        return self.content.decode()

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json_module.loads(self.content)

    @property
    def params(self) -> dict[str, str]:
        """The query's parameters; of one that's repeated, the last."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The body, read as a form; of one with files there is nothing."""
        text = self.content.decode("utf-8", "replace")
        return dict(parse_qsl(text, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Reply:
    """What a call gets.

    :param delay: how long it takes, in seconds.
    :param failure: one of `FAILURES`, or an exception; None if there is an answer.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    delay: float = 0
    failure: str | BaseException | None = None


class Route:
    """One fake operation of a service. Made by `outbound.get(url)` and its like.

    `reply` and `fails` may be chained: the first call gets the first, and so on; the last one stays.
    """

    def __init__(self, method: str, url: str) -> None:
        self.method = method
        self.url = url
        #: The calls that it has answered.
        self.calls: list[Call] = []
        self.is_optional = False
        self._replies: list[Reply] = []
        self._scheme, self._host, self._port, self._path, self._query = _parts(url)

    def __repr__(self) -> str:
        return f"{self.method} {self.url}"

    def reply(
        self,
        status: int = 200,
        *,
        json: Any = _NOTHING,
        text: str | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        delay: float = 0,
    ) -> Self:
        """Answer.

        :param delay: how long that takes, in seconds; if it's longer than what the caller waits for, the
            call times out at once.
        """
        own = {name.lower(): value for name, value in (headers or {}).items()}
        body = content or b""
        if json is not _NOTHING:
            body = json_module.dumps(json).encode()
            own.setdefault("content-type", "application/json")
        elif text is not None:
            body = text.encode()
            own.setdefault("content-type", "text/plain; charset=utf-8")
        self._replies.append(Reply(status, own, body, delay))
        return self

    def fails(self, how: str | BaseException = "connect") -> Self:
        """Fail as the library does that calls.

        :param how: "connect" or "timeout", or an exception to raise.
        :raises GreenroomError: if it's none of them.
        """
        if not isinstance(how, BaseException) and how not in FAILURES:
            raise GreenroomError(
                Code.OUTBOUND,
                f"{how!r} is no way to fail.",
                f"{self!r}.fails() takes {', '.join(map(repr, FAILURES))} or an exception.",
            )
        self._replies.append(Reply(failure=how))
        return self

    def optional(self) -> Self:
        """It's no mistake if it is never called."""
        self.is_optional = True
        return self

    @property
    def called(self) -> bool:
        """Whether it has answered a call."""
        return bool(self.calls)

    def claims(self, method: str, url: str) -> bool:
        """Whether a call is one for it."""
        if method != self.method:
            return False
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
        here = (parts.scheme, _ascii(parts.hostname or ""), port)
        if here != (self._scheme, self._host, self._port):
            return False
        if not self._path.fullmatch(unquote(parts.path or "/")):
            return False
        asked = parse_qsl(parts.query, keep_blank_values=True)
        return all(pair in asked for pair in self._query)

    def take(self, call: Call) -> Reply:
        """Record a call; what it gets."""
        self.calls.append(call)
        if not self._replies:
            return Reply()
        return self._replies[min(len(self.calls), len(self._replies)) - 1]


class Outbound:
    """Fakes of the services that the app calls by httpx, httpx2, requests or aiohttp.

    A call that no route claims is an error, and so is a route that is never called. A `*` in a route's path
    stands for any text; of the query, what the route has must be there.

    :param where: the project's line that runs now; None if it's no line of the project's.
    """

    def __init__(self, where: Callable[[], str | None]) -> None:
        self._where = where
        self._routes: list[Route] = []
        self._one_at_a_time = threading.RLock()
        #: Every call, in order.
        self.calls: list[Call] = []
        #: The calls that got none.
        self.unclaimed: list[GreenroomError] = []

    def get(self, url: str) -> Route:
        """A route for GET."""
        return self.route("GET", url)

    def post(self, url: str) -> Route:
        """A route for POST."""
        return self.route("POST", url)

    def put(self, url: str) -> Route:
        """A route for PUT."""
        return self.route("PUT", url)

    def patch(self, url: str) -> Route:
        """A route for PATCH."""
        return self.route("PATCH", url)

    def delete(self, url: str) -> Route:
        """A route for DELETE."""
        return self.route("DELETE", url)

    def route(self, method: str, url: str) -> Route:
        """A route for any method.

        :raises GreenroomError: if the method or the URL is none, or another route has both.
        """
        method = method.upper()
        if method not in METHODS:
            raise GreenroomError(
                Code.OUTBOUND, f"{method!r} is no method.", f"Take one of {', '.join(METHODS)}."
            )
        made = Route(method, url)
        if any(one.method == method and one.url == url for one in self._routes):
            raise GreenroomError(
                Code.OUTBOUND,
                f"two routes claim {method} {url}.",
                "Chain the replies of one: outbound.get(url).reply(503).reply(200).",
            )
        self._routes.append(made)
        return made

    def find(self, method: str, url: str, *, passes: bool) -> Route | None:
        """The route that claims a call.

        :param passes: whether it may go to the real network if none does: to this machine.
        :raises GreenroomError: if none does, or two do.
        """
        __tracebackhide__ = True
        method = method.upper()
        with self._one_at_a_time:
            found = [route for route in self._routes if route.claims(method, url)]
            if len(found) == 1:
                return found[0]
            if not found and passes:
                return None
            self.unclaimed.append(self._error(method, url, found))
            raise self.unclaimed[-1]

    def record(self, route: Route, call: Call) -> Reply:
        """A call is made; what it gets."""
        with self._one_at_a_time:
            self.calls.append(call)
            return route.take(call)

    def complete(self, route: Route, known: Call, whole: Call) -> None:
        """A call that was recorded is known better now."""
        with self._one_at_a_time:
            for calls in (self.calls, route.calls):
                place = next((i for i, one in enumerate(calls) if one is known), None)
                if place is not None:
                    calls[place] = whole

    def check(self) -> None:
        """Raise GreenroomError if a call got no answer, or a route no call. It's told once."""
        if self.unclaimed:
            first = self.unclaimed[0]
            self.unclaimed.clear()
            raise first
        never = [route for route in self._routes if not route.called and not route.is_optional]
        for route in never:
            route.is_optional = True
        if never:
            raise GreenroomError(
                Code.OUTBOUND,
                f"{' and '.join(map(repr, never))} {'was' if len(never) == 1 else 'were'} never called.",
                "The app didn't call what the test expects; where it need not, say so: "
                "outbound.get(url).optional().",
            )

    def forgive(self) -> None:
        """The test has failed: what wasn't called is part of that."""
        self.unclaimed.clear()
        for route in self._routes:
            route.is_optional = True

    def _error(self, method: str, url: str, found: list[Route]) -> GreenroomError:
        where = self._where() or "a library"
        if found:
            return GreenroomError(
                Code.OUTBOUND,
                f"{where} called {method} {url}, which two routes claim: "
                f"{' and '.join(map(repr, found))}.",
                "Let one of them claim less, or chain the replies of one.",
            )
        known = ", ".join(map(repr, self._routes)) or "there are none"
        return GreenroomError(
            Code.OUTBOUND,
            f"{where} called {method} {url}, which no route of outbound claims.",
            f"The routes: {known}. Add outbound.{method.lower()}({url.partition('?')[0]!r}).reply(...).",
        )


def _parts(url: str) -> tuple[str, str, int, re.Pattern[str], list[tuple[str, str]]]:
    """A route's URL: scheme, host, port, path and query."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except (ValueError, AttributeError, TypeError):
        host = None
    if (
        host is None
        or parts.scheme not in _PORTS
        or any(letter.isspace() or letter in '*<>"{}|\\^`' for letter in parts.netloc)
        or host.startswith((".", "-"))
        or ".." in host
    ):
        raise GreenroomError(
            Code.OUTBOUND,
            f"{url!r} is no URL of a service.",
            'Write it with its scheme and its host: outbound.get("https://api.example.com/rates").',
        )
    query = parse_qsl(parts.query, keep_blank_values=True)
    path = ".*".join(map(re.escape, unquote(parts.path or "/").split("*")))
    pattern = re.compile(path, re.DOTALL)
    return parts.scheme, _ascii(host), port or _PORTS[parts.scheme], pattern, query


def _ascii(host: str) -> str:
    """A host's name as it goes over the wire."""
    try:
        return host.lower().encode("idna").decode()
    except UnicodeError:
        return host.lower()
