"""The guard at the way out: while tests run, nothing connects to another machine.

It stands where Python code opens a connection: at `socket`, at asyncio's loops and at uvloop's. A library that opens
its own in C (libpq, curl, gRPC) isn't seen.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

from greenroom.boundary import loops
from greenroom.boundary.machine import address_of, is_own_name, is_this_machine
from greenroom.boundary.patching import put
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.outgoing import Outgoing

_MAIL = ("smtplib", "aiosmtplib")
#: The libraries whose calls outbound fakes.
_FAKED = frozenset({"httpx", "httpx2", "requests", "aiohttp"})
#: What else looks names up, and what its first argument is.
_LOOKUPS = ("gethostbyname", "gethostbyname_ex", "gethostbyaddr")


class Guard:
    """Refuses connections to other machines.

    :param servers: the hosts of greenroom's own servers.
    :param where: the project's line that runs now; None if it's no line of the project's.
    """

    def __init__(
        self, servers: Callable[[], Iterable[str]], where: Callable[[], str | None]
    ) -> None:
        self._servers = servers
        self._where = where
        self._undo = ExitStack()
        self._is_watching = False
        # The libraries that are imported late, and have been met.
        self._met: set[str] = set()
        # The addresses of hosts that are allowed, as they were looked up.
        self._addresses: set[str] = set()
        self._is_starting = False
        #: What is allowed now.
        self.rule = Outgoing()
        #: The errors of what the project's own code was refused in this test.
        self.refused: list[GreenroomError] = []
        #: What was refused and is no test's: who asked, and for what.
        self.apart: dict[tuple[str, str], None] = {}

    def begin(self, rule: Outgoing) -> None:
        """Another test begins.

        :param rule: what it's allowed.
        """
        self.end()
        self.rule = rule
        if not rule.everything:
            self._watch()

    def end(self) -> None:
        """A test is over: what it was refused since it was asked for is no other test's."""
        for error in self.refused:
            self.apart[
                "a fixture's end", error.what.partition(" connect to ")[2].partition(",")[0]
            ] = None
        self.refused.clear()
        self._addresses.clear()

    @contextlib.contextmanager
    def starting(self, rule: Outgoing) -> Iterator[None]:
        """The app starts in the block: what it's refused there is no test's."""
        before, self.rule, self._is_starting = self.rule, rule, True
        try:
            yield
        finally:
            self.rule, self._is_starting = before, False

    def take(self) -> GreenroomError | None:
        """The first refusal of this test; None if there was none. It's told once."""
        first = self.refused[0] if self.refused else None
        self.refused.clear()
        return first

    def close(self) -> None:
        """Take the guard away. Calling it twice is harmless."""
        self._undo.close()
        self._is_watching = False
        self._met.clear()

    def check(self, host: object, port: object = None) -> None:
        """Raise GreenroomError if nobody may connect to that host now."""
        __tracebackhide__ = True
        if self.rule.everything or self._is_allowed(_text(host)):
            return
        raise self._refusal(_text(host), port)

    # -- what stands in the way --------------------------------------------------------------------

    def _watch(self) -> None:
        if not self._is_watching:
            self._is_watching = True
            for name in ("connect", "connect_ex", "sendto", "sendmsg"):
                self._undo.callback(put(socket.socket, name, self._guarded_socket(name)))
            for name in ("getaddrinfo", *_LOOKUPS):
                self._undo.callback(put(socket, name, self._guarded_lookup(name)))
        for kind in loops.unmet(self._met):
            self._guard_loop(kind)
        # An app may import it as it is started.
        connector = getattr(sys.modules.get("aiohttp"), "TCPConnector", None)
        if "aiohttp" not in self._met and hasattr(connector, "_resolve_host"):
            self._met.add("aiohttp")
            self._guard_aiohttp(connector)

    def _guard_aiohttp(self, connector: Any) -> None:
        """It looks names up in a task of its own, whose stack doesn't know who asks."""
        original = connector._resolve_host  # noqa: SLF001 - the last step in the caller's own task

        async def resolve(own: Any, host: str, port: int, *arguments: Any, **options: Any) -> Any:
            __tracebackhide__ = True
            self._check_name(host, port)
            return await original(own, host, port, *arguments, **options)

        self._undo.callback(put(connector, "_resolve_host", resolve))

    def _guard_loop(self, kind: Any) -> None:
        """Here the project's own line is on the stack still; the lookup itself happens in a thread."""
        lookup, connect = kind.getaddrinfo, kind.create_connection
        datagrams = kind.create_datagram_endpoint

        async def getaddrinfo(loop: Any, host: Any, port: Any, **options: Any) -> Any:
            __tracebackhide__ = True
            self._check_name(host, port)
            return self._remember(host, await lookup(loop, host, port, **options))

        async def create_connection(
            loop: Any, factory: Any, host: Any = None, port: Any = None, **options: Any
        ) -> Any:
            __tracebackhide__ = True
            if host is not None:
                self.check(host, port)
            return await connect(loop, factory, host, port, **options)

        async def create_datagram_endpoint(
            loop: Any, factory: Any, local: Any = None, remote: Any = None, **options: Any
        ) -> Any:
            __tracebackhide__ = True
            local, remote = options.pop("local_addr", local), options.pop("remote_addr", remote)
            if isinstance(remote, tuple):
                self.check(*remote[:2])
            return await datagrams(loop, factory, local, remote, **options)

        for function in (getaddrinfo, create_connection, create_datagram_endpoint):
            self._undo.callback(put(kind, function.__name__, function))

    def _guarded_socket(self, name: str) -> Any:
        original = getattr(socket.socket, name)

        def guarded(own: Any, *arguments: Any) -> Any:
            __tracebackhide__ = True
            address = arguments[-1] if arguments else None
            if own.family in {socket.AF_INET, socket.AF_INET6} and isinstance(address, tuple):
                self.check(address[0], address[1])
            return original(own, *arguments)

        return guarded

    def _guarded_lookup(self, name: str) -> Any:
        original = getattr(socket, name)

        def lookup(host: Any, *arguments: Any, **options: Any) -> Any:
            __tracebackhide__ = True
            port = arguments[0] if name == "getaddrinfo" and arguments else options.get("port")
            self._check_name(host, port)
            found = original(host, *arguments, **options)
            return self._remember(host, found) if name == "getaddrinfo" else found

        return lookup

    def _check_name(self, host: object, port: object) -> None:
        """Looking up a name asks another machine; an address is checked as it's connected to."""
        __tracebackhide__ = True
        if host is not None and address_of(_text(host)) is None and not is_own_name(_text(host)):
            self.check(host, port)

    def _remember(self, host: object, found: Any) -> Any:
        if not self.rule.everything and self._is_allowed(_text(host)):
            self._addresses.update(str(one[4][0]) for one in found)
        return found

    def _is_allowed(self, host: str) -> bool:
        name = host.rstrip(".").lower()
        if name in self._addresses or is_this_machine(name):
            return True
        allowed = self.rule.hosts | {one.lower() for one in self._servers()}
        if name in allowed:
            return True
        address = address_of(name)
        return address is not None and address in {address_of(one) for one in allowed}

    def _refusal(self, host: str, port: object) -> GreenroomError:
        where = self._where()
        place = f"{host}:{port}" if port else host
        if self._is_starting:
            advice = (
                "No fixture of a test is there yet as the app starts: have it not call from its start-up "
                "in tests (a setting in .env.test), or let it:"
            )
        else:
            advice = f"{_fake()} To let it happen: @pytest.mark.outgoing({host!r}), or"
        error = GreenroomError(
            Code.OUTGOING,
            f"{where or 'a library'} wanted to connect to {place}, which isn't this machine.",
            f"{advice} outgoing = {host!r} in [tool.greenroom].",
        )
        if self._is_starting:
            self.apart["the app's start-up", place] = None
        elif where is None:
            self.apart["a library", place] = None
        else:
            self.refused.append(error)
        return error


def _text(host: object) -> str:
    return host.decode("latin-1") if isinstance(host, bytes) else str(host)


def _fake() -> str:
    """What to use in the place of what is called: the libraries on the stack tell."""
    frame = sys._getframe(1)  # noqa: SLF001 - the stack is the question
    while frame is not None:
        name = frame.f_globals.get("__name__", "").partition(".")[0]
        if name in _MAIL:
            return "Request the fixture mailbox, which takes its mail."
        if name == "redis":
            return "Request the fixture fake_redis, which stands in for the server."
        if name in _FAKED:
            break
        if name == "urllib":
            return (
                "outbound fakes httpx, httpx2, requests and aiohttp: call by one of them, or put something in the "
                "place of the function that calls, by monkeypatch."
            )
        frame = frame.f_back  # type: ignore[assignment]
    return "Fake it by the fixture outbound: outbound.get(url).reply(200, json=...)."
