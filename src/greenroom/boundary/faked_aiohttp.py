"""aiohttp's calls, answered by a real server on loopback that aiointercept leads them to.

An answer of aiohttp's can't be made without a connection. So what a route claims goes to aiointercept's server, which
gives the route's reply; what none claims, and what is to fail, is raised before.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import socket
import threading
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from greenroom.boundary.machine import address_of, is_this_machine
from greenroom.boundary.outbound import needed, wait_async
from greenroom.boundary.patching import put
from greenroom.boundary.routes import Call, Outbound, Reply, Route
from greenroom.facts.errors import Code, GreenroomError

_SEE_OTHER = 303
_MOVED = (301, 302)
_FOLLOWED = (301, 302, 303, 307, 308)
_THIS_MACHINE = ("localhost", "localhost.localdomain", "ip6-localhost")
#: A header of aiointercept's own.
_FOREIGN = "x-aiointercept-orig-scheme"


class FakedAiohttp:
    """In place from its making until it's closed. The server is started when it's needed."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound
        self._library: Any = importlib.import_module("aiohttp")
        self._server: Any = None
        self._starting = threading.Lock()
        self._undo = ExitStack()
        original = self._library.ClientSession._request  # noqa: SLF001 - what each method calls

        async def request(session: Any, method: str, url: Any, **options: Any) -> Any:
            __tracebackhide__ = True
            await self._prepare(session, method.upper(), url, options)
            return await original(session, method, url, **options)

        self._undo.callback(put(self._library.ClientSession, "_request", request))

    def close(self) -> None:
        """Stop the server."""
        self._undo.close()
        server, self._server = self._server, None
        if server is not None:
            # It lives on a loop of its own, and only waits on this one.
            loop = asyncio.new_event_loop()
            try:
                loop.run_until_complete(server.stop())
            finally:
                loop.close()

    async def _prepare(self, session: Any, method: str, url: Any, options: dict[str, Any]) -> None:
        """Have the server answer the call, if a route claims it; else raise, or let it pass."""
        __tracebackhide__ = True
        if "Unix" in type(session.connector).__name__:
            return  # A socket of the file system is this machine.
        whole = _url(session, url, options.get("params"))
        route = self._outbound.find(method, str(whole), passes=is_this_machine(whole.host))
        if route is None:
            return
        if address_of(whole.host or "") is not None:
            raise GreenroomError(
                Code.OUTBOUND,
                f"aiohttp connects to an address, {whole.host}, and looks up no name: that can't be faked.",
                "Call the service by its name.",
            )
        headers = {str(name).lower(): str(value) for name, value in _pairs(options.get("headers"))}
        call = Call(method, str(whole), headers, _content(options))
        reply = self._outbound.record(route, call)
        times = _limits(session, options)
        if isinstance(reply.failure, BaseException):
            raise reply.failure
        if reply.failure == "timeout" or (times and reply.delay > min(times)):
            raise self._library.SocketTimeoutError("Timeout on reading data from socket")
        if reply.failure is not None:
            raise self._refused(whole)
        await self._start()
        self._claim(method, whole, route, call, reply)
        await wait_async(reply.delay)

    def _refused(self, url: Any) -> Exception:
        key = SimpleNamespace(host=url.host, port=url.port, is_ssl=url.scheme == "https", ssl=True)
        refused = ConnectionRefusedError(111, "Connect call failed")
        error: Exception = self._library.ClientConnectorError(key, refused)
        return error

    async def _start(self) -> None:
        if self._server is None:
            aiointercept = needed("aiointercept", "aiohttp")
            with self._starting:
                if self._server is None:
                    own = [socket.gethostname(), *_THIS_MACHINE]
                    server = aiointercept.aiointercept(mock_external_urls=True, passthrough=own)
                    await server.start()
                    self._server = server

    def _claim(self, method: str, url: Any, route: Route, call: Call, reply: Reply) -> None:
        """Have the server answer one call of that URL."""
        aiointercept: Any = importlib.import_module("aiointercept.core")

        def answer(asked: Any, *, headers: Any, query: Any, json: Any, data: Any) -> Any:
            named = {name.lower(): value for name, value in headers.items()}
            named.pop(_FOREIGN, None)
            self._outbound.complete(route, call, Call(method, call.url, named, data or b""))
            location = reply.headers.get("location")
            if location is not None and reply.status in _FOLLOWED:
                self._follow(method, reply.status, url.join(type(url)(location)))
            return aiointercept.CallbackResult(
                status=reply.status,
                body=reply.content,
                headers=dict(reply.headers),
                content_type=reply.headers.get("content-type", "application/octet-stream"),
            )

        self._server.add(url, method, callback=answer)

    def _follow(self, method: str, status: int, target: Any) -> None:
        """Aiohttp goes on by itself where a redirect leads: claim that, too.

        If no route does, that is remembered, and aiohttp finds nobody there.
        """
        to_get = status == _SEE_OTHER or (status in _MOVED and method == "POST")
        method = "GET" if to_get and method != "HEAD" else method
        try:
            route = self._outbound.find(method, str(target), passes=is_this_machine(target.host))
        except GreenroomError:
            return
        if route is not None:
            call = Call(method, str(target))
            reply = self._outbound.record(route, call)
            if reply.failure is not None:
                self._server.add(target, method, exception=True)
            else:
                self._claim(method, target, route, call, reply)


def _url(session: Any, url: Any, params: Any) -> Any:
    """The URL as the session will ask for it."""
    whole = session._build_url(url)  # noqa: SLF001 - it may have a base URL
    return whole.extend_query(params) if params else whole


def _limits(session: Any, options: dict[str, Any]) -> list[float]:
    """How long the caller waits, in seconds; nothing if for ever."""
    given: Any = options.get("timeout", session.timeout)
    if isinstance(given, (int, float)):
        return [given] if given else []
    if given is None:
        return []
    timeout = given if hasattr(given, "total") else session.timeout
    return [one for one in (timeout.total, timeout.sock_read) if one]


def _pairs(headers: Any) -> Any:
    return headers.items() if hasattr(headers, "items") else headers or ()


def _content(options: dict[str, Any]) -> bytes:
    """The body that would have been sent, as far as it's plain."""
    if options.get("json") is not None:
        return json.dumps(options["json"]).encode()
    data = options.get("data")
    if isinstance(data, dict):
        return urlencode(data).encode()
    if isinstance(data, str):
        return data.encode()
    return data if isinstance(data, bytes) else b""
