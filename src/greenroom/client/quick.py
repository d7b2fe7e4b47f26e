"""The ordinary request, without the client library's general way.

What httpx2 does around one request (merge URLs and headers, authenticate, follow, wrap the stream) costs
more than most endpoints. Of an ordinary request (a path of the app, and no body or a JSON one) all but
the body is the same each time. So the library builds it once, as a *prototype*, and what went over
the wire then goes over it again. Whatever isn't ordinary takes the library's own way.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from greenroom.client.asgi import Answer, Message
from greenroom.client.scopes import scope_of

if TYPE_CHECKING:
    from httpx2 import Request, Response

#: How many prototypes are kept; a suite has as many as it has different paths.
MOST = 1000


@dataclass(frozen=True, slots=True)
class Prototype:
    """A request as the library builds it, but for its body.

    :param scope: its ASGI scope, without the length of the body.
    :param headers: the same, as the library would show them.
    """

    scope: Message
    headers: list[tuple[bytes, bytes]]
    url: Any
    extensions: dict[str, Any]


class Prototypes:
    """The prototypes of a run: each test has a client of its own, and sends what others have sent."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Prototype | None] = {}

    def __len__(self) -> int:
        return len(self._known)

    def get(
        self, client: Any, method: str, url: str, headers: Any, *, body: bool
    ) -> Prototype | None:
        """The prototype of a request of a client; None if the client makes none that is ordinary."""
        key = (
            method,
            url,
            body,
            tuple(client.headers.raw),
            tuple(headers.items()) if headers else None,
            client.base_url,
        )
        if key not in self._known:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = _prototype(client, method, url, headers, body=body)
        return self._known[key]


@dataclass(slots=True)
class Quick:
    """One ordinary request."""

    method: str
    prototype: Prototype
    body: bytes | None
    started: float

    @property
    def scope(self) -> Message:
        """The app's own copy of the scope."""
        scope = dict(self.prototype.scope)
        scope["asgi"] = dict(scope["asgi"])
        headers = list(scope["headers"])
        if self.body is not None:
            headers.append((b"content-length", b"%d" % len(self.body)))
        scope["headers"] = headers
        return scope

    def request(self, library: ModuleType) -> Request:
        """The request as the library would have built it."""
        headers = list(self.prototype.headers)
        if self.body is not None:
            headers.append((b"Content-Length", b"%d" % len(self.body)))
        made: Request = library.Request(
            self.method,
            self.prototype.url,
            headers=headers,
            content=self.body,
            extensions=dict(self.prototype.extensions),
        )
        return made


def ordinary(
    library: ModuleType,
    prototypes: Prototypes,
    client: Any,
    method: str,
    url: Any,
    *,
    options: dict[str, Any],
) -> Quick | None:
    """The request if it is ordinary; else None.

    :param options: what else was said of it, by the names of the library's parameters.
    """
    if type(url) is not str or not url.startswith("/") or url.startswith("//"):
        return None
    headers = options.get("headers")
    plain = options.keys() <= {"json", "headers"} and (headers is None or _are_plain(headers))
    if not plain or _is_special(client):
        return None
    json = options.get("json")
    body: bytes | None = None
    if json is not None:
        body = _encode(library)(json)
    prototype = prototypes.get(client, method.upper(), url, headers, body=body is not None)
    if prototype is None:
        return None
    return Quick(prototype.scope["method"], prototype, body, time.perf_counter())


def response(library: ModuleType, client: Any, quick: Quick, answer: Answer) -> Response:
    """The library's response; what is left to the client (cookies, redirects) is done."""
    made: Any = _response_class(library)(
        answer.status,
        headers=answer.headers,
        stream=library.ByteStream(answer.body),
        default_encoding=client._default_encoding,  # noqa: SLF001 - as its send() passes it on
    )
    try:
        made.read()
    except library.RequestError as error:  # A body that isn't what its headers say.
        error.request = quick.request(library)
        raise
    made.made_from = quick
    made.elapsed = dt.timedelta(seconds=time.perf_counter() - quick.started)
    if any(name.lower() == b"set-cookie" for name, _ in answer.headers):
        client.cookies.extract_cookies(made)
    if made.has_redirect_location:
        # httpx2 lets a location pass that it can't read, httpx doesn't.
        passes: tuple[type[BaseException], ...] = ()
        if library.__name__ == "httpx2" and not client.follow_redirects:
            passes = (library.RemoteProtocolError,)
        with contextlib.suppress(*passes):
            made.next_request = client._build_redirect_request(made.request, made)  # noqa: SLF001
    logger = logging.getLogger(library.__name__)
    if logger.isEnabledFor(logging.INFO):
        logger.info(
            'HTTP Request: %s %s "%s %d %s"',
            quick.method,
            quick.prototype.url,
            made.http_version,
            made.status_code,
            made.reason_phrase,
        )
    return made  # type: ignore[no-any-return]


def _prototype(client: Any, method: str, url: str, headers: Any, *, body: bool) -> Prototype | None:
    if any(name in client.headers for name in _FRAMING) or client.base_url.userinfo:
        return None
    request = client.build_request(method, url, headers=headers, json={} if body else None)
    if body:
        del request.headers["content-length"]
    return Prototype(
        scope_of(request), list(request.headers.raw), request.url, dict(request.extensions)
    )


def _is_special(client: Any) -> bool:
    """Whether a client was told something that holds for all of its requests."""
    return bool(
        client.auth is not None
        or client.is_closed
        or client.params
        or len(client.cookies.jar)
        or any(client.event_hooks.values())
        or client._transport is not client.wire  # noqa: SLF001
        or not _OVERRIDDEN.isdisjoint(vars(client))
    )


def _are_plain(headers: Any) -> bool:
    if type(headers) is not dict:
        return False
    for name, value in headers.items():
        if type(name) is not str or type(value) is not str or name.lower() in _FRAMING:
            return False
    return True


#: What somebody may put in the place of the client's own.
_OVERRIDDEN = frozenset({"build_request", "send", "_send_handling_auth", "_send_single_request"})
_FRAMING = frozenset({"content-length", "transfer-encoding", "content-type"})


@cache
def _encode(library: ModuleType) -> Callable[[Any], bytes]:
    """The library's way to write JSON."""

    def encode(value: Any) -> bytes:
        return bytes(library.Request("POST", "http://testserver", json=value).content)

    own = getattr(getattr(library, "_content", None), "encode_json", None)
    if own is None:
        return encode
    return lambda value: b"".join(own(value)[1])


@cache
def _response_class(library: ModuleType) -> Any:
    """A response that builds its request when somebody asks for it."""

    class QuickResponse(library.Response):  # type: ignore[misc,name-defined]
        made_from: Quick | None = None

        @property
        def _request(self) -> Request | None:
            made: Request | None = self.__dict__.get("own_request")
            if made is None and self.made_from is not None:
                made = self.__dict__["own_request"] = self.made_from.request(library)
            return made

        @_request.setter
        def _request(self, value: Request | None) -> None:
            self.__dict__["own_request"] = value

    QuickResponse.__name__ = QuickResponse.__qualname__ = "Response"
    return QuickResponse
