"""The fakes of services, put where each HTTP library sends a request: httpx, httpx2, requests, aiohttp.

The libraries themselves make the answers, so that what the app gets is of their own classes.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import threading
from collections.abc import Callable
from contextlib import ExitStack
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from greenroom.boundary.machine import is_this_machine
from greenroom.boundary.patching import put
from greenroom.boundary.routes import Call, Outbound, Reply, Route
from greenroom.facts.errors import Code, GreenroomError

#: The libraries whose requests are taken by their transports.
_HTTPX = ("httpx2", "httpx")


class Faked:
    """The fakes of one test, in place from its beginning to its end."""

    def __init__(self, where: Callable[[], str | None]) -> None:
        self.outbound = Outbound(where)
        self._undo = ExitStack()
        for name in _HTTPX:
            if importlib.util.find_spec(name) is not None:
                self._fake_httpx(importlib.import_module(name))
        if importlib.util.find_spec("requests") is not None:
            self._fake_requests()
        if importlib.util.find_spec("aiohttp") is not None:
            from greenroom.boundary.faked_aiohttp import FakedAiohttp

            aiohttp = FakedAiohttp(self.outbound)
            self._undo.callback(aiohttp.close)

    def close(self) -> None:
        """Take the fakes away."""
        self._undo.close()

    def _fake_httpx(self, library: ModuleType) -> None:
        send = library.HTTPTransport.handle_request
        send_async = library.AsyncHTTPTransport.handle_async_request
        outbound = self.outbound

        def handle_request(transport: Any, request: Any) -> Any:
            __tracebackhide__ = True
            route = self._route(transport, request)
            if route is None:
                return send(transport, request)
            request.read()
            reply = outbound.record(route, _call(request))
            _raise(library, request, reply)
            wait(reply.delay)
            return _httpx_response(library, reply)

        async def handle_async_request(transport: Any, request: Any) -> Any:
            __tracebackhide__ = True
            route = self._route(transport, request)
            if route is None:
                return await send_async(transport, request)
            await request.aread()
            reply = outbound.record(route, _call(request))
            _raise(library, request, reply)
            await wait_async(reply.delay)
            return _httpx_response(library, reply)

        self._undo.callback(put(library.HTTPTransport, "handle_request", handle_request))
        self._undo.callback(
            put(library.AsyncHTTPTransport, "handle_async_request", handle_async_request)
        )

    def _route(self, transport: Any, request: Any) -> Route | None:
        """The route that claims a request of httpx's; None if it may go where it would."""
        __tracebackhide__ = True
        if getattr(getattr(transport, "_pool", None), "_uds", None) is not None:
            return None  # A socket of the file system is this machine.
        passes = is_this_machine(request.url.host)
        return self.outbound.find(request.method, str(request.url), passes=passes)

    def _fake_requests(self) -> None:
        adapters: Any = importlib.import_module("requests.adapters")
        errors: Any = importlib.import_module("requests.exceptions")
        original = adapters.HTTPAdapter.send
        outbound = self.outbound

        def send(adapter: Any, request: Any, *args: Any, **options: Any) -> Any:
            __tracebackhide__ = True
            passes = is_this_machine(urlsplit(request.url).hostname)
            route = outbound.find(request.method, request.url, passes=passes)
            if route is None:
                return original(adapter, request, *args, **options)
            responses = needed("responses", "requests")
            headers = {name.lower(): value for name, value in request.headers.items()}
            content = _bytes(request.body)
            reply = outbound.record(route, Call(request.method, request.url, headers, content))
            seconds = _seconds(options.get("timeout"))
            if isinstance(reply.failure, BaseException):
                raise reply.failure
            if reply.failure == "timeout" or (seconds is not None and reply.delay > seconds):
                raise errors.ReadTimeout("Read timed out.", request=request)
            if reply.failure is not None:
                raise errors.ConnectionError("Connection refused.", request=request)
            wait(reply.delay)
            made = responses.Response(
                request.method,
                request.url,
                body=reply.content,
                status=reply.status,
                headers={name: value for name, value in reply.headers.items() if name != _TYPE},
                content_type=reply.headers.get(_TYPE),
            )
            return adapter.build_response(request, made.get_response(request))

        self._undo.callback(put(adapters.HTTPAdapter, "send", send))


_TYPE = "content-type"


def needed(name: str, extra: str) -> Any:
    """A library that an extra brings. Raises GreenroomError if it isn't installed."""
    if importlib.util.find_spec(name) is None:
        raise GreenroomError(
            Code.EXTRA,
            f"outbound needs {name} to answer calls by {extra}, and it isn't installed.",
            f"pip install greenroom[{extra}]",
        )
    return importlib.import_module(name)


def wait(seconds: float) -> None:
    """Let time pass, and nobody call it a sleep of the app's."""
    if seconds > 0:
        threading.Event().wait(seconds)


async def wait_async(seconds: float) -> None:
    """The same on an event loop."""
    if seconds > 0:
        over = asyncio.Event()
        asyncio.get_running_loop().call_later(seconds, over.set)
        await over.wait()


def _call(request: Any) -> Call:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Call(request.method, str(request.url), headers, request.content)


def _raise(library: Any, request: Any, reply: Reply) -> None:
    __tracebackhide__ = True
    if isinstance(reply.failure, BaseException):
        raise reply.failure
    seconds = (request.extensions.get("timeout") or {}).get("read")
    if reply.failure == "timeout" or (seconds is not None and reply.delay > seconds):
        raise library.ReadTimeout("The read operation timed out.", request=request)
    if reply.failure is not None:
        raise library.ConnectError("All connection attempts failed.", request=request)


def _httpx_response(library: Any, reply: Reply) -> Any:
    # A stream that nobody has read yet, as one from the network.
    stream = library.ByteStream(reply.content)
    return library.Response(reply.status, headers=dict(reply.headers), stream=stream)


def _bytes(body: Any) -> bytes:
    """What requests would send: a text, a file, or an iterator of parts."""
    if body is None:
        return b""
    if hasattr(body, "read"):
        body = body.read()
    elif not isinstance(body, (str, bytes)):
        body = b"".join(_bytes(part) for part in body)
    return body.encode() if isinstance(body, str) else bytes(body)


def _seconds(timeout: Any) -> float | None:
    """How long requests waits for an answer; None for ever."""
    if isinstance(timeout, tuple):
        timeout = timeout[1]
    timeout = getattr(timeout, "read_timeout", timeout)
    return timeout if isinstance(timeout, (int, float)) else None
