"""One test: the clients and the session that it asked for, and how they work together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from greenroom.app.load import AsgiApp, Message
from greenroom.app.wsgi import flask_client, is_flask
from greenroom.client import library, transports
from greenroom.facts.exchange import Watch
from greenroom.runtime.callers import Callers
from greenroom.runtime.limit import Limit
from greenroom.runtime.room import Room

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session

    from greenroom.client.typed import Client, SyncClient

T = TypeVar("T")


class Performance:
    """What one test has of its own.

    Before a request goes out, what the test's session holds is committed; when the app is done with
    it, the objects that the session holds are read again.

    :param app: what the `app` fixture gives: greenroom's own, or the project's.
    :param blocking: whether the test is a `def`.
    """

    def __init__(self, room: Room, app: AsgiApp, *, blocking: bool) -> None:
        self._room = room
        #: The app itself.
        self.app = app
        # An app of the project's own fixture isn't the run's: it is served as it is.
        self._app = room.enter if app is room.app and not room.is_wsgi else app
        #: Whether its clients and its session block.
        self.blocking = blocking
        self._session: AsyncSession | Session | None = None
        #: The loop that an async test, and so its session, works on.
        self.loop: asyncio.AbstractEventLoop | None = None
        self._turn: asyncio.Lock | None = None
        self._callers: Callers | None = None

    @property
    def callers(self) -> Callers:
        """Who asks the app in this test."""
        if self._callers is None:
            self._callers = Callers(self, self._room)
        return self._callers

    @property
    def limit(self) -> Limit:
        """How long a request may take."""
        return self._room.limit

    @property
    def room_loop(self) -> asyncio.AbstractEventLoop | None:
        """The run's own loop."""
        return self._room.loop

    def client(self) -> Client:
        """A client for async code. A WSGI app's blocks: there is nothing to await."""
        if self._room.is_wsgi:
            return self._wsgi_client()  # type: ignore[no-any-return]
        return transports.async_client(  # type: ignore[return-value]
            library.load(), self._app, _AsyncDoor(self), self._room.prototypes
        )

    def sync_client(self) -> SyncClient:
        """A client for blocking code."""
        if self._room.is_wsgi:
            return self._wsgi_client()  # type: ignore[no-any-return]
        return transports.blocking_client(  # type: ignore[return-value]
            library.load(), self._app, _BlockingDoor(self), self._room.prototypes
        )

    @property
    def held(self) -> Session | None:
        """The sync face of the session, if it was made."""
        return _sync(self._session) if self._session is not None else None

    @property
    def session_blocks(self) -> bool:
        """Whether the session can be used by code that can't await."""
        return self._session is not None and self._session is self.held

    def between_tests(self) -> None:
        """A test is over: what it has left uncommitted in a wider fixture's session goes."""
        held = self.held
        if held is None or not held.in_transaction():
            return
        from greenroom.database.session import let_go

        if self.session_blocks:
            let_go(held)
        elif self.loop is not None and not (self.loop.is_closed() or self.loop.is_running()):
            self.loop.run_until_complete(_in_greenlet(self._session, let_go))

    def _wsgi_client(self) -> Any:
        door = _BlockingDoor(self)
        app: Any = self._app
        if is_flask(app):
            return flask_client(
                app,
                door.before_request,
                door.after_request,
                door.asked,
                self._room.limit.over,
                self.callers,
            )
        return transports.wsgi_client(library.load(), app, door)

    def session(self) -> AsyncSession | Session:
        """The test's session; made at the first call.

        :raises GreenroomError: if the app has no engine.
        """
        if self._session is None:
            self._session = self._room.session(blocking=self.blocking)
        return self._session

    async def in_session(self, function: Callable[[Session], T]) -> T:
        """Call with the sync face of the test's session, where its driver may await."""
        __tracebackhide__ = True
        session = self.session()
        async with self._in_turn():
            if hasattr(session, "run_sync"):
                return await session.run_sync(function)
            return function(session)

    def websocket_connect(self, base_url: str, url: str, *arguments: Any, **options: Any) -> Any:
        """A WebSocket session with the app.

        :param options: the `user` who asks, where a dependency is overridden by him, and what Starlette's takes.
        """
        from greenroom.app.sockets import Socket

        before, after = self.hand_over_blocking, self.catch_up_blocking
        over = self.limit.over
        return Socket(self._app, base_url, before, after, over, url, *arguments, **options)

    def run(self, function: Callable[[], Awaitable[T]]) -> T:
        """Run something on the run's own loop, from a `def` test."""
        __tracebackhide__ = True
        assert self._room.home is not None
        return self._room.home.run(function)

    # -- around each request -----------------------------------------------------------------------

    def asked(self) -> Watch:
        """A request goes to the app."""
        return self._room.ledger.asked()

    async def hand_over(self) -> None:
        """Commit what the test's session holds, and what those of wider fixtures hold."""
        __tracebackhide__ = True
        self._room.ledger.request_begins()
        with self._room.ledger.apart():
            for one in self._everybody():
                await one.hand_over_own()

    def _everybody(self) -> list[Performance]:
        return [*(one for one in self._room.wide if one is not self), self]  # type: ignore[list-item]

    async def hand_over_own(self) -> None:
        """Commit what the session holds."""
        session = self._session
        if session is None:
            return
        from greenroom.database.session import hand_over, has_something_to_hand_over

        __tracebackhide__ = True
        sync = _sync(session)
        if has_something_to_hand_over(sync):
            # Requests may go out side by side; a session does one thing at a time.
            async with self._in_turn():
                with _explained():
                    await _in_greenlet(session, hand_over)

    async def catch_up(self) -> None:
        """Read again what the sessions hold."""
        with self._room.ledger.apart():
            for one in self._everybody():
                await one.catch_up_own()

    async def catch_up_own(self) -> None:
        """Read again what the session holds."""
        session = self._session
        if session is None:
            return
        from greenroom.database.session import catch_up, is_behind

        if is_behind(_sync(session)):
            async with self._in_turn():
                await _in_greenlet(session, catch_up)

    def hand_over_blocking(self) -> None:
        """Commit what the test's session holds, and what those of wider fixtures hold."""
        self._room.ledger.request_begins()
        __tracebackhide__ = True
        for one in self._everybody():
            if one.held is not None and one.session_blocks:
                from greenroom.database.session import hand_over

                with _explained(), self._room.ledger.apart():
                    hand_over(one.held)

    def catch_up_blocking(self) -> None:
        """Read again what the sessions hold."""
        for one in self._everybody():
            if one.held is not None and one.session_blocks:
                from greenroom.database.session import catch_up

                with self._room.ledger.apart():
                    catch_up(one.held)

    async def leave(self) -> None:
        """Give an async session's connection back, on the loop that is about to end."""
        if self._session is not None and _sync(self._session).in_transaction():
            await _in_greenlet(self._session, lambda held: held.close())

    # -- the end -----------------------------------------------------------------------------------

    def close(self) -> None:
        """Give the session's connection back, on the loop that it belongs to. It isn't running now."""
        session, self._session = self._session, None
        if session is None:
            return
        sync = _sync(session)
        if session is sync or not sync.in_transaction():
            sync.close()
        elif self.loop is not None and not self.loop.is_closed():
            self.loop.run_until_complete(_in_greenlet(session, lambda held: held.close()))

    def _in_turn(self) -> asyncio.Lock:
        if self._turn is None:
            self._turn = asyncio.Lock()
        return self._turn


class _AsyncDoor:
    def __init__(self, performance: Performance) -> None:
        self._performance = performance
        self.callers = performance.callers
        self.limit = performance.limit
        self.app = performance.app

    async def before_request(self) -> None:
        __tracebackhide__ = True
        await self._performance.hand_over()

    async def after_request(self) -> None:
        await self._performance.catch_up()

    def asked(self) -> Watch:
        return self._performance.asked()

    def websocket(self, app: AsgiApp, scope: Message) -> Any:
        from greenroom.app.async_sockets import AsyncSocket

        return AsyncSocket(
            app,
            scope,
            before=self.before_request,
            after=self.after_request,
            seconds=self.limit.seconds,
        )


class _BlockingDoor:
    def __init__(self, performance: Performance) -> None:
        self._performance = performance
        self.callers = performance.callers
        self.limit = performance.limit
        self.app = performance.app

    def before_request(self) -> None:
        __tracebackhide__ = True
        self._performance.hand_over_blocking()

    def after_request(self) -> None:
        self._performance.catch_up_blocking()

    def asked(self) -> Watch:
        return self._performance.asked()

    def run(self, function: Callable[[], Awaitable[T]]) -> T:
        __tracebackhide__ = True
        return self._performance.run(function)

    def websocket_connect(self, base_url: str, url: str, *arguments: Any, **options: Any) -> Any:
        return self._performance.websocket_connect(base_url, url, *arguments, **options)


def _sync(session: AsyncSession | Session) -> Session:
    sync: Session = getattr(session, "sync_session", session)  # type: ignore[arg-type]
    return sync


@contextmanager
def _explained() -> Iterator[None]:
    """Say of an error that it is the test's own data, and not the request, that was refused."""
    __tracebackhide__ = True
    try:
        yield
    except Exception as error:
        error.add_note("This was raised while what db_session holds was committed for a request.")
        raise


async def _in_greenlet(session: Any, function: Callable[[Session], None]) -> None:
    """Call with the sync session: in a greenlet if its driver is async, directly if not."""
    __tracebackhide__ = True
    if hasattr(session, "run_sync"):
        await session.run_sync(function)
    else:
        function(session)
