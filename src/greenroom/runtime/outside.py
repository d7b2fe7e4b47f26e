"""What lies outside of the app, around each test: the guard, the sleeps, and the fakes that it asks for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from greenroom.boundary.origins import Origins
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
        self._root = root
        self._origins = Origins(lambda frames: line_of(is_projects, root, frames))
        self._guard = Guard(self._servers, self._where)
        self._sleeps = Sleeps(lambda: line_of(is_projects, root), self._origins.line)
        self._mode = OFF
        self._outbound: Outbound | None = None
        #: The long sleeps of all tests.
        self.slept: list[Sleep] = []

    @property
    def apart(self) -> list[tuple[str, str]]:
        """What was refused and is no test's: who asked, and for what."""
        self._guard.end()
        return list(self._guard.apart)

    def open(self) -> Callable[[], None]:
        """The run begins, and nothing of the app is imported; what is given back undoes it.

        A proxy on this machine would take everything out: clients are told to go by none.
        """
        if self._settings.outgoing.value != Outgoing():
            return lambda: None
        names = ("no_proxy", "NO_PROXY")
        before = {name: os.environ.get(name) for name in names}
        os.environ.update(dict.fromkeys(names, "*"))

        def restore() -> None:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value

        return restore

    def starting(self) -> AbstractContextManager[None]:
        """The app starts in the block."""
        return self._guard.starting(self._settings.outgoing.value)

    def begin(self, test: str, outgoing: Outgoing | None, sleep: str | None) -> None:
        """Another test begins.

        :param outgoing: what a marker allows it; None takes the run's.
        :param sleep: what a marker says of its sleeps; None takes the run's.
        """
        rule = outgoing or self._settings.outgoing.value
        self._guard.begin(rule)
        self._mode = sleep or self._settings.sleep.value
        if not rule.everything or self._mode != OFF:
            self._origins.watch()
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

    def forgive(self) -> None:
        """The test has failed: what it did outside is part of that, and isn't told once more."""
        self._guard.take()
        if self._outbound is not None:
            self._outbound.forgive()
        self._mode = OFF if self._mode == FAIL else self._mode

    def end(self) -> None:
        """The test's fixtures are torn down."""
        self._outbound = None
        self._guard.end()
        self.slept += self._sleeps.found
        self._sleeps.found.clear()
        self._sleeps.pause()

    def close(self) -> None:
        """Take everything away. Calling it twice is harmless."""
        self._guard.close()
        self._origins.close()
        self._sleeps.close()

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
        below = f"{self._root}{os.sep}"
        return [
            module
            for module in list(sys.modules.values())
            if isinstance(file := getattr(module, "__file__", None), str)
            # There are thousands of others.
            and file.startswith(below)
            and self._is_projects(Path(file))
        ]

    def _where(self) -> str | None:
        """The project's line that runs now, or that has started what runs."""
        return line_of(self._is_projects, self._root) or self._origins.line()

    def _servers(self) -> list[str]:
        """The hosts that greenroom's own servers are on."""
        try:
            host = urlsplit(self._settings.database.value).hostname
        except ValueError:
            host = None
        return [host] if host else []
