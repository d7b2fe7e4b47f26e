"""aiohttp's calls, answered by a real server on loopback that aiointercept leads them to.

An answer of aiohttp's can't be made without a connection. So what a route claims goes to aiointercept's server, which
asks the route; what none claims, and what is to fail, is raised before.
"""

from __future__ import annotations

import asyncio
import importlib
import ipaddress
import json
import threading
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlencode

from greenroom.boundary.outbound import is_here, needed, wait_async
from greenroom.boundary.patching import put
from greenroom.boundary.routes import Call, Outbound
from greenroom.facts.errors import Code, GreenroomError

_SEE_OTHER = 303
_MOVED = (301, 302)


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
        whole = _url(session, url, options.get("params"))
        route = self._outbound.find(method, str(whole), passes=is_here(whole.host))
        if route is None:
            return
        reply = route.next
        given: Any = options.get("timeout")
        timeout: Any = given if hasattr(given, "total") else session.timeout
        times = [one for one in (timeout.total, timeout.sock_read) if one is not None]
        late = bool(times) and reply.delay > min(times)
        if reply.failure is not None or late:
            self._outbound.record(route, Call(method, str(whole), {}, _content(options)))
            if isinstance(reply.failure, BaseException):
                raise reply.failure
            if late or reply.failure == "timeout":
                raise self._library.SocketTimeoutError("Timeout on reading data from socket")
            raise self._library.ClientConnectionError("Connection refused.")
        if _is_address(whole.host):
            raise GreenroomError(
                Code.OUTBOUND,
                f"aiohttp connects to an address, {whole.host}, and looks up no name: that can't be faked.",
                "Call the service by its name.",
            )
        await self._start()
        self._claim(method, whole)
        await wait_async(reply.delay)

    async def _start(self) -> None:
        if self._server is None:
            aiointercept = needed("aiointercept", "aiohttp")
            with self._starting:
                if self._server is None:
                    server = aiointercept.aiointercept(mock_external_urls=True)
                    await server.start()
                    self._server = server

    def _claim(self, method: str, url: Any) -> None:
        """Have the server answer one call of that URL."""
        aiointercept: Any = importlib.import_module("aiointercept.core")

        def answer(asked: Any, *, headers: Any, query: Any, json: Any, data: Any) -> Any:
            try:
                route = self._outbound.find(method, str(asked), passes=False)
            except GreenroomError as error:
                return aiointercept.CallbackResult(status=500, body=str(error))
            assert route is not None
            named = {name.lower(): value for name, value in headers.items()}
            reply = self._outbound.record(route, Call(method, str(asked), named, data or b""))
            location = reply.headers.get("location")
            if location is not None:
                self._follow(method, reply.status, asked.join(type(asked)(location)))
            return aiointercept.CallbackResult(
                status=reply.status,
                body=reply.content,
                headers=dict(reply.headers),
                content_type=reply.headers.get("content-type", "application/octet-stream"),
            )

        self._server.add(url, method, callback=answer)

    def _follow(self, method: str, status: int, target: Any) -> None:
        """Aiohttp goes on by itself where a redirect leads: claim that, too."""
        to_get = status == _SEE_OTHER or (status in _MOVED and method == "POST")
        method = "GET" if to_get and method != "HEAD" else method
        if not is_here(target.host):
            self._claim(method, target)


def _url(session: Any, url: Any, params: Any) -> Any:
    """The URL as the session will ask for it."""
    whole = session._build_url(url)  # noqa: SLF001 - it may have a base URL
    return whole.extend_query(params) if params else whole


def _is_address(host: str | None) -> bool:
    try:
        ipaddress.ip_address(host or "")
    except ValueError:
        return False
    return True


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
