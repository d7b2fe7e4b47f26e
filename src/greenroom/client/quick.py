"""The ordinary request, without the client library's general way.

What httpx2 does around one request (merge URLs and headers, authenticate, follow, wrap the stream) costs
more than most endpoints. Of an ordinary request (a path of the app with plain parameters, and no body, or
one of JSON, of a form or of bytes) all but the body is the same each time. So the library builds it
once, as a *prototype*, and what went over the wire then goes over it again. Whatever isn't ordinary
takes the library's own way.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from greenroom.client import whole, witness
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
        self, client: Any, method: str, url: str, options: dict[str, Any], body: str | None
    ) -> Prototype | None:
        """The prototype of a request of a client; None if the client makes none that is ordinary.

        :param options: its headers and its parameters.
        :param body: the name of the library's parameter that takes the body, if it has one.
        """
        headers, params = options.get("headers"), options.get("params")
        key = (
            method,
            url,
            body,
            tuple(client.headers.raw),
            tuple(headers.items()) if headers else None,
            # With their types: 1 and True are equal, and are written differently.
            tuple((name, type(value), value) for name, value in params.items()) if params else None,
            _written(client),
        )
        if key not in self._known:
            if len(self._known) >= MOST:
                self._known.clear()
            said = {"headers": headers, "params": params}
            if body is not None:
                said[body] = _SAMPLES[body]
            self._known[key] = _prototype(client, method, url, said)
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
        scope["extensions"] = dict(scope["extensions"])
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
    if not (options.keys() <= _QUICK) or not _is_plain(options) or _is_special(client):
        return None
    kinds = _BODIES & options.keys()
    if len(kinds) > 1:
        return None
    kind = kinds.pop() if kinds else None
    body = None if kind is None else _encoder(library, kind)(options[kind])
    if kind is not None and not body:
        return None
    prototype = prototypes.get(client, method.upper(), url, options, kind)
    if prototype is None:
        return None
    return Quick(prototype.scope["method"], prototype, body, time.perf_counter())


def response(
    library: ModuleType, client: Any, quick: Quick, answer: Answer, *, follows: bool
) -> Response:
    """The library's response; what is left to the client (cookies, redirects) is done.

    :param follows: whether the client goes where a redirect leads.
    """
    made: Any = witness.response_class(library)(
        answer.status,
        headers=answer.headers,
        stream=library.ByteStream(answer.body),
        default_encoding=client._default_encoding,  # noqa: SLF001 - as its send() passes it on
    )
    names = {name.lower() for name, _ in answer.headers}
    if not whole.read(library, made, names, answer.body):
        try:
            made.read()
        except library.RequestError as error:  # A body that isn't what its headers say.
            error.request = quick.request(library)
            raise
    made.request_made_by = functools.partial(quick.request, library)
    made.elapsed = dt.timedelta(seconds=time.perf_counter() - quick.started)
    if b"set-cookie" in names:
        client.cookies.extract_cookies(made)
    if b"location" in names and made.has_redirect_location:
        # httpx2 lets a location pass that it can't read, httpx doesn't.
        passes: tuple[type[BaseException], ...] = ()
        if library.__name__ == "httpx2" and not follows:
            passes = (library.RemoteProtocolError,)
        with contextlib.suppress(*passes):
            made.next_request = client._build_redirect_request(made.request, made)  # noqa: SLF001
    logger = _logger(library)
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


def _prototype(client: Any, method: str, url: str, said: dict[str, Any]) -> Prototype | None:
    if any(name in client.headers for name in _FRAMING) or client.base_url.userinfo:
        return None
    request = client.build_request(method, url, **said)
    if not _BODIES.isdisjoint(said):
        del request.headers["content-length"]
    return Prototype(
        scope_of(request), list(request.headers.raw), request.url, dict(request.extensions)
    )


def _written(client: Any) -> str:
    """The client's base URL; writing a URL costs more than comparing an object with itself."""
    known: tuple[Any, str] | None = getattr(client, "written", None)
    if known is None or known[0] is not client.base_url:
        known = client.written = (client.base_url, str(client.base_url))
    return known[1]


def _is_special(client: Any) -> bool:
    """Whether a client was told something that holds for all of its requests."""
    return bool(
        client.auth is not None
        or (client.credential is not None and client.credential.user is not None)
        or client.is_closed
        or client.params
        or len(client.cookies.jar)
        or any(client.event_hooks.values())
        or client._transport is not client.wire  # noqa: SLF001
        or not _OVERRIDDEN.isdisjoint(vars(client))
    )


def _is_plain(options: dict[str, Any]) -> bool:
    """Whether the values are of the kinds that are sent as they are."""
    headers, params, form = options.get("headers"), options.get("params"), options.get("data")
    if headers is not None:
        if type(headers) is not dict:
            return False
        for name, value in headers.items():
            if type(name) is not str or type(value) is not str or name.lower() in _FRAMING:
                return False
    if params is not None and not (params and _are_plain(params)):
        return False
    if form is not None and not _are_plain(form):
        return False
    return type(options.get("content", b"")) in _CONTENT


def _are_plain(values: Any) -> bool:
    return type(values) is dict and all(
        type(name) is str and type(value) in _SCALARS for name, value in values.items()
    )


#: What an ordinary request may be told.
_QUICK = frozenset({"json", "content", "data", "headers", "params", "follow_redirects"})
#: The parameters that take a body, each with one that stands for all.
_SAMPLES: dict[str, Any] = {"json": {}, "content": b"greenroom", "data": {"green": "room"}}
_BODIES = _SAMPLES.keys()
_SCALARS = frozenset({str, int, float, bool})
_CONTENT = frozenset({bytes, str})
#: What somebody may put in the place of the client's own.
_OVERRIDDEN = frozenset({"build_request", "send", "_send_handling_auth", "_send_single_request"})
_FRAMING = frozenset({"content-length", "transfer-encoding"})


@cache
def _logger(library: ModuleType) -> logging.Logger:
    return logging.getLogger(library.__name__)


@cache
def _encoder(library: ModuleType, kind: str) -> Callable[[Any], bytes]:
    """The library's way to write a body.

    :param kind: the name of the parameter that takes it.
    """
    if kind == "content":
        return lambda value: value if isinstance(value, bytes) else value.encode()

    def encode(value: Any) -> bytes:
        return bytes(library.Request("POST", "http://testserver", **{kind: value}).content)

    name = {"json": "encode_json", "data": "encode_urlencoded_data"}[kind]
    own = getattr(getattr(library, "_content", None), name, None)
    return encode if own is None else lambda value: b"".join(own(value)[1])
