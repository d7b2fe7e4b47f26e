"""What lies outside of the app, around each test: the guard, the sleeps, and the fakes that it asks for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from greenroom.boundary.outgoing import Guard
from greenroom.boundary.sleeps import SHORT, Sleeps
from greenroom.config.settings import Settings
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.outgoing import Outgoing
from greenroom.facts.sleep import Sleep
from greenroom.runtime.lines import line_of

if TYPE_CHECKING:
    from greenroom.boundary.mailbox import Mailbox
    from greenroom.boundary.routes import Outbound
    from greenroom.boundary.settings import SettingsChanger

OFF, FAIL = "off", "fail"


class Outside:
    """One run in one process.

    :param is_projects: whether a file is the project's: the app's, or one of the suite.
    """

    def __init__(self, settings: Settings, root: Path, is_projects: Callable[[Path], bool]) -> None:
        self._settings = settings
        self._is_projects = is_projects
        where = lambda: line_of(is_projects, root)  # noqa: E731 - three are given it
        self._where: Callable[[], str | None] = where
        self._guard = Guard(self._servers, where)
        self._sleeps = Sleeps(where)
        self._mode = OFF
        self._outbound: Outbound | None = None
        self._undo = ExitStack()
        #: The long sleeps of all tests.
        self.slept: list[Sleep] = []

    @property
    def by_libraries(self) -> list[str]:
        """The hosts that libraries wanted to connect to by themselves, and couldn't."""
        return list(self._guard.by_libraries)

    def begin(self, test: str, outgoing: Outgoing | None, sleep: str | None) -> None:
        """Another test begins.

        :param outgoing: what a marker allows it; None takes the run's.
        :param sleep: what a marker says of its sleeps; None takes the run's.
        """
        self._guard.begin(outgoing or self._settings.outgoing.value)
        self._mode = sleep or self._settings.sleep.value
        if self._mode != OFF:
            self._sleeps.begin(test, self.modules)
        else:
            self._sleeps.pause()

    def refuse(self) -> None:
        """The test has passed so far. Raise GreenroomError if something of it reached outside all the same.

        The app may have caught the error that told it so.
        """
        refused = self._guard.take()
        if refused is not None:
            raise refused
        if self._outbound is not None:
            self._outbound.check()
        if self._mode == FAIL and self._sleeps.found:
            found, *_ = self._sleeps.found
            raise GreenroomError(
                Code.SLEEP,
                f"{found.where} really slept for {found.seconds:g} s ({found.what}), more than {SHORT:g} s.",
                "Wait for what happens instead of for a time, or move the time by the fixture clock. "
                'To let it be: @pytest.mark.sleep("off").',
            )

    def end(self) -> None:
        """The test's fixtures are torn down."""
        self._outbound = None
        self.slept += self._sleeps.found
        self._sleeps.found.clear()
        self._sleeps.pause()

    def close(self) -> None:
        """Take everything away. Calling it twice is harmless."""
        self._guard.close()
        self._sleeps.close()
        self._undo.close()

    # -- what the fixtures use ---------------------------------------------------------------------

    def outbound(self) -> Iterator[Outbound]:
        """Fakes of services, for one test."""
        from greenroom.boundary.outbound import Faked

        faked = Faked(self._where)
        self._outbound = faked.outbound
        yield faked.outbound
        faked.close()

    def mailbox(self) -> Iterator[Mailbox]:
        """The mail of one test."""
        from greenroom.boundary.mailbox import Mailbox

        box = Mailbox()
        yield box
        box.close()

    def changer(self) -> Iterator[SettingsChanger]:
        """The app's settings, for one test."""
        from greenroom.boundary.settings import SettingsChanger

        changer = SettingsChanger(self.modules)
        yield changer
        changer.restore()

    def redis(self, *, blocking: bool) -> Iterator[Any]:
        """A client of a Redis server that all of the app's clients are led to, for one test."""
        from greenroom.boundary.fake_redis import FakeRedisServer

        server = FakeRedisServer(self.modules())
        yield server.client(blocking=blocking)
        server.close()

    def modules(self) -> list[ModuleType]:
        """The project's modules that are imported."""
        return [
            module
            for module in list(sys.modules.values())
            if isinstance(file := getattr(module, "__file__", None), str)
            and self._is_projects(Path(file))
        ]

    def _servers(self) -> list[str]:
        """The hosts that greenroom's own servers are on."""
        try:
            host = urlsplit(self._settings.database.value).hostname
        except ValueError:
            host = None
        return [host] if host else []
