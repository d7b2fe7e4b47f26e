"""The app, started on one loop at a time, or by a client of the suite's own.

One app object can't be started twice at once: what its start-up keeps on `app.state` or in a global
would be overwritten by the second, and closed under the first.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from greenroom.app.lifespan import Lifespan
from greenroom.app.load import AsgiApp
from greenroom.app.wsgi import NoLifespan

if TYPE_CHECKING:
    from greenroom.database.databases import Databases


class Running:
    """Starts and stops the app, and has the databases follow.

    :param app: gives the app.
    :param is_wsgi: whether it's one of WSGI's, which has nothing to start.
    :param refuse: called with a test before the tables that it has changed are made anew; raises if rows
        of wider fixtures would be lost.
    :param starting: what it starts and stops in.
    """

    def __init__(
        self,
        app: Callable[[], AsgiApp],
        is_wsgi: Callable[[], bool],
        refuse: Callable[[str], None],
        starting: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        self._app = app
        self._is_wsgi = is_wsgi
        self._refuse = refuse
        self._starting = starting
        #: The app's databases, if it has some.
        self.databases: Databases | None = None
        self._started: Lifespan | NoLifespan | None = None
        # How many of the suite's own clients have the app started now.
        self._foreign = 0
        # Whether the next start-up makes tables that the baseline doesn't know.
        self._new_tables = False

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """Where it is started; None if it isn't."""
        return self._started.loop if self._started is not None else None

    @property
    def is_reachable(self) -> bool:
        """Whether somebody has it started."""
        return self._started is not None or bool(self._foreign)

    @property
    def state(self) -> dict[str, Any]:
        """What its lifespan hands on to requests."""
        return self._started.state if self._started is not None else {}

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start it. Raises GreenroomError if that fails."""
        lifespan = NoLifespan(loop) if self._is_wsgi() else Lifespan(self._app(), loop)
        with self._starting():
            loop.run_until_complete(lifespan.start())
        self._started = lifespan

    def stop(self) -> None:
        """Shut it down, if it's started. Raises GreenroomError if that fails."""
        started, self._started = self._started, None
        if started is None or started.loop.is_closed():
            return
        try:
            with self._starting():
                started.loop.run_until_complete(started.stop())
        finally:
            if self.databases is not None:
                started.loop.run_until_complete(self.databases.let_go())

    def move_to(self, loop: asyncio.AbstractEventLoop, test: str) -> None:
        """Have it started on a loop that isn't running now, and nowhere else.

        :param test: the one that runs.
        :raises GreenroomError: if the shut-down or the start-up fails.
        """
        # A client of the suite's own that has it started serves everybody.
        if self._foreign or self.loop is loop:
            return
        databases = self.databases
        with databases.unshared() if databases else contextlib.nullcontext():
            self.stop()
            if databases is not None and databases.rewind():
                self._refuse(test)
                self._new_tables = True
            self.start(loop)
            if databases is not None and self._new_tables:
                databases.take_baseline()
                self._new_tables = False
            elif databases is not None and databases.layers:
                databases.reset()

    def make_anew(self, test: str) -> None:
        """The tables that the app's start-up makes were changed: have them made by another start.

        :param test: the one that has changed them.
        :raises GreenroomError: if that can't be, or the start-up fails.
        """
        self._refuse(test)
        self._new_tables = True
        self.make_new_tables()

    def make_new_tables(self) -> None:
        """Start it again, if there are tables to be made that the baseline doesn't know."""
        loop = self.loop
        if self._new_tables and self.databases is not None and loop is not None:
            self.stop()
            self.databases.rewind()
            self.start(loop)
            self.databases.take_baseline()
            self._new_tables = False

    def make_way(self) -> None:
        """Shut it down: a client of the suite's own is about to start it.

        :raises GreenroomError: if the shut-down fails.
        """
        self._foreign += 1
        if self._started is not None and not self._started.loop.is_running():
            self.stop()

    def way_is_free(self) -> None:
        """That client has shut it down; it is started again when a test needs it."""
        self._foreign -= 1

    def leave(self, loop: asyncio.AbstractEventLoop) -> None:
        """Shut it down if it is started on a loop that is about to end. Raises GreenroomError."""
        if self.loop is loop:
            self.stop()
