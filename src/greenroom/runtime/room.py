"""One run in one process: the app, its databases and its loops, from the first import to the end."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from greenroom.app import foreign, recorder, token_functions
from greenroom.app.dependencies import dependants, wake
from greenroom.app.hints import unused_overrides
from greenroom.app.load import AsgiApp, Loaded, Message, Receive, Send, load
from greenroom.app.overrides import overriding
from greenroom.app.passwords import Passwords
from greenroom.app.wsgi import is_flask, main_engine
from greenroom.client.quick import Prototypes
from greenroom.config import env_file
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.isolation import Isolation
from greenroom.facts.left import LeftBehind
from greenroom.facts.run import RunIdentity
from greenroom.facts.summary import RunSummary
from greenroom.observe.ledger import Ledger
from greenroom.observe.queries import Queries
from greenroom.report import diagnosis
from greenroom.runtime.activation import Active
from greenroom.runtime.changed import Changed
from greenroom.runtime.layering import Layering
from greenroom.runtime.limit import Limit
from greenroom.runtime.lines import line_of
from greenroom.runtime.making import Workshop
from greenroom.runtime.outside import Outside
from greenroom.runtime.proof import Proof, unique_columns_of
from greenroom.runtime.running import Running

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session

    from greenroom.database.databases import Databases
    from greenroom.runtime.home import Home
    from greenroom.runtime.live import LiveServer

_LIBRARIES = {"site-packages", "dist-packages"}
#: How long, in seconds, work that a test has left behind may take to finish.
GRACE = 0.5


class Wide(Protocol):
    """What a fixture of a higher scope has of its own, over several tests."""

    def between_tests(self) -> None:
        """A test is over: what it has left uncommitted there goes."""


class Room:
    """What a run has, and the order in which it gets it: `open`, `load_app`, `begin`, `end`, `close`.

    :param active: the project, its options and its app.
    :param identity: the run, and this process among its workers.
    :param is_test_file: tells the files of the test suite from those of the app.
    """

    def __init__(
        self, active: Active, identity: RunIdentity, is_test_file: Callable[[Path], bool]
    ) -> None:
        self.root = active.root
        self.settings = active.settings
        self.target = active.target
        self.because = active.because
        self._identity = identity
        #: What the tests have left behind.
        self.left = LeftBehind()
        self._changed = Changed(is_test_file)
        #: Whether a test asks for something that the app must be started for.
        self.is_needed = True
        #: What fixtures of a higher scope have of their own.
        self.wide: list[Wide] = []
        self._checked_out = 0
        #: The databases that are kept, each with its test.
        self.kept: list[str] = []
        #: Whether the test that runs has failed.
        self.failed = False
        #: The errors that end the run, each once.
        self.fatal: dict[str, None] = {}
        self._undo = contextlib.ExitStack()
        self._passwords = Passwords()
        self._layering: Layering | None = None
        #: What the test that runs has done so far.
        self.ledger = Ledger()
        #: What the clients of all tests know of each other's requests.
        self.prototypes = Prototypes()
        #: How long a request may take.
        self.limit = Limit(self.settings.limit.value, self._is_own)
        self._undo.callback(self.limit.close)
        #: What `make` knows of classes.
        self.workshop = Workshop()
        #: What lies outside of the app.
        self.outside = Outside(self.settings, self.root, self._is_projects)
        self._undo.callback(self.outside.close)
        #: The run's own loop; None before `begin` and after `end`.
        self.loop: asyncio.AbstractEventLoop | None = None
        #: How blocking code uses that loop.
        self.home: Home | None = None
        #: The app under a real server, while a test's fixture has it so.
        self.live: LiveServer | None = None
        self._loaded: Loaded | None = None
        self._databases: Databases | None = None
        self._env_file: Path | None = None
        self._running = Running(
            lambda: self.app, lambda: self.is_wsgi, self._refuse_layers, self.outside.starting
        )
        self._test = ""
        self._isolation = Isolation.RESET
        self._cloned = False
        self._shared = False
        self._to_isolate = False
        self._tasks: set[asyncio.Task[object]] = set()
        self._is_test_file = is_test_file
        self._proof: Proof | None = None

    # -- in the order of a run ---------------------------------------------------------------------

    def open(self) -> None:
        """Set the environment, make the app importable, and watch for engines.

        Nothing of the app has been imported yet, and nothing may be before this is done.
        """
        self._env_file = env_file.find(self.root, self.settings.env_file)
        if self._env_file is not None:
            self._undo.callback(env_file.load(self._env_file))
        self._undo.callback(self.outside.open())
        if self.settings.passwords.value == "cheap":
            self._passwords.lower()
            self._undo.callback(self._passwords.restore)
        path = str(self.target.path)
        if path not in sys.path:
            sys.path.insert(0, path)
            self._undo.callback(lambda: sys.path.remove(path) if path in sys.path else None)
        if importlib.util.find_spec("sqlalchemy") is not None:
            from greenroom.database.databases import Databases

            self._databases = Databases(
                self.settings, self._identity, self._is_test_file, self._load_early
            )
            self._undo.callback(self._databases.close)
            self._running.databases = self._databases
            self._layering = Layering(self._databases, self.ledger)
            self._databases.saw = self.ledger.sent
            self._databases.watch()

    def load_app(self) -> None:
        """Import the app. Raises GreenroomError if that fails."""
        if self._loaded is None:
            self._load()
        if self._databases is not None:
            self._databases.check()

    def prepare(self) -> None:
        """Have the servers and templates ready, so that the header can name them.

        :raises GreenroomError: if there is no server, or the tables can't be made.
        """
        if self._databases is not None and self._databases.need_a_server:
            self._databases.build()

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start the run on its own loop, which isn't running now: schema, start-up, baseline.

        :raises GreenroomError: if one of them fails.
        """
        from greenroom.runtime.home import Home

        if self._databases is not None:
            self._databases.build()
            self._databases.rewind()
        self._running.start(loop)
        if self._databases is not None:
            self._databases.take_baseline()
        self.home = Home(loop)
        self.loop = loop
        self._undo.callback(
            foreign.watch(self.app, self._running.make_way, self._running.way_is_free)
        )
        if not self.is_wsgi:
            alike = self.proof.is_alike
            self._undo.callback(recorder.record(self.app, self.ledger.asked, alike))
        if not self.is_needed:
            # The suite starts it by clients of its own, and its start-up may not stand two at once.
            self._running.stop()

    def end(self) -> None:
        """Shut the app down, and let go of the run's own loop.

        :raises GreenroomError: if the shut-down fails.
        """
        if self.home is not None:
            self.after_test()
            if self._databases is not None and self._databases.roll_back():
                self.left.open_transaction.append(self._test)
            self.home.close()
        self.home = self.loop = None
        self._running.stop()

    def close(self) -> None:
        """Take everything back: the files, the watch, the environment. Harmless if called twice."""
        self._undo.close()

    # -- around each test --------------------------------------------------------------------------

    def before_test(self, test: str, isolation: Isolation | None = None) -> None:
        """Restore the baseline, or give the test a database of its own.

        :param isolation: what a marker says; None takes the run's.
        :raises GreenroomError: if the database can't be restored.
        """
        self._isolation = isolation or self.settings.isolation.value
        if self._isolation is Isolation.RESET and self._no_reset is not None:
            self._isolation = Isolation.ROLLBACK
        self._to_isolate = True
        self.ledger.begin()
        self.proof.begin(test)
        self._changed.begin()
        previous, self._test, self.failed = self._test, test, False
        if self.home is None or self._databases is None:
            return
        from greenroom.database.private import Reset

        found = self._databases.reset()
        if found & {Reset.ROLLED_BACK, Reset.MOVED}:
            self.left.open_transaction.append(previous)
        if Reset.EMPTIED in found:
            # The tables were changed, and the app's start-up had made some of them.
            self._running.make_anew(previous)
        else:
            self._running.make_new_tables()
        # Here, before any fixture is set up: pytest doesn't forgive an error in the middle of one.
        self._databases.settle()
        self._checked_out = self._databases.checked_out()

    def isolate(self) -> None:
        """Give the test databases of its own, or one that is rolled back, if it hasn't got them.

        It is called before the first fixture of the test's own, and before the test: what fixtures
        of a higher scope do is for other tests too.

        :raises GreenroomError: if that can't be.
        """
        if self._databases is None or self.home is None or not self._to_isolate:
            return
        self._to_isolate = False
        self._databases.settle()
        if self._isolation is Isolation.CLONE:
            self._cloned = True
            self._databases.clone()
        elif self._isolation is Isolation.ROLLBACK:
            self._shared = True
            self._databases.share()

    def after_test(self) -> None:
        """Drop the test's own databases, if it had some; those of a failed one may be kept.

        :raises GreenroomError: if the test met something that its isolation can't tell truthfully,
            and passed all the same.
        """
        if self.live is not None:
            self.live.wait(GRACE)
        if self._databases is None:
            return
        if self._shared:
            self._shared = False
            problem, left_open = self._databases.end_sharing()
            if left_open:
                self.left.open_transaction.append(self._test)
            if problem is not None and not self.failed:
                raise problem
        if not self._cloned:
            return
        self._cloned = False
        keep = self.failed and self.settings.keep.value
        self.kept += [f"{self._test}: {url}" for url in self._databases.end_clone(keep=keep)]

    # -- around each fixture of a higher scope ----------------------------------------------------

    def before_layer(self, fixture: object, name: str) -> None:
        """A fixture of a higher scope is about to be set up.

        :raises GreenroomError: if the rows of another one had to be given up.
        """
        if self._layering is not None and self.home is not None:
            self._layering.begin(fixture, name, self._own_databases)

    def after_layer(self, fixture: object, *, failed: bool) -> None:
        """Keep the rows that a fixture of a higher scope has committed.

        :raises GreenroomError: if they would go with the test that was the first to need it.
        """
        if self._layering is not None:
            self._layering.end(fixture, self._own_databases, failed=failed)

    @property
    def _own_databases(self) -> Isolation | None:
        """The isolation of the test that runs, if it has databases, or a transaction, of its own."""
        return self._isolation if self._shared or self._cloned else None

    def app_begins(self, fixture: object) -> None:
        """The project's own fixture is about to give the app that its tests ask."""
        if self._databases is not None:
            self._databases.app_begins(fixture)

    def app_ended(self, fixture: object) -> None:
        """The tests of that app are over: nothing of it stays open."""
        if self._databases is not None:
            self._databases.app_ended(fixture)

    def before_layer_ends(self) -> None:
        """Undo what the last test has done: the fixture tears down what it has set up, and no more."""
        self._changed.fixtures_are_done()
        self.after_test()
        if self._running.loop is None and self.home is not None:
            # The loop that it was started on has ended, and the fixture may ask the app something.
            self.return_home()
        if self._databases is not None and self.home is not None and self._databases.layers:
            self._databases.reset()

    def end_layer(self, fixture: object) -> None:
        """Let the fixture's rows be gone from the next test on."""
        if self._databases is not None and self.home is not None:
            self._databases.pop_layer(fixture)

    def _refuse_layers(self, test: str) -> None:
        if self._layering is not None:
            self._layering.refuse(test)

    def before_call(self) -> None:
        """Remember what runs on the run's own loop before a test does."""
        if self.loop is not None and not self.loop.is_running():
            self._tasks = set(asyncio.all_tasks(self.loop))

    @contextlib.contextmanager
    def wider_fixture(self) -> Iterator[None]:
        """A fixture of a higher scope works in the block: what it sets and holds is for its scope."""
        held = self._databases.checked_out() if self._databases is not None else 0
        # What it asks the app is no test's, and comes again in each process.
        test, self.proof.test = self.proof.test, ""
        try:
            with self._changed.by_a_wider_fixture():
                yield
        finally:
            self.proof.test = test
            if self._databases is not None:
                self._checked_out += self._databases.checked_out() - held

    def torn_down(self, test: str) -> None:
        """The test's fixtures are done: put back what it has set and they haven't."""
        for one in self.wide:
            one.between_tests()
        self.left.changed += [(test, what) for what in self._changed.restore()]
        if self._databases is not None and self._databases.checked_out() > self._checked_out:
            self.left.not_returned.append(test)

    def after_call(self, test: str) -> None:
        """Let what the test has started finish, so that it doesn't write into the next one.

        What lasts longer than a moment is left alone: an app may start a task at its first request
        and keep it for good.
        """
        self._changed.called()
        if self.live is not None and not self.live.wait(GRACE):
            self.left.running.append(test)
        loop = self.loop
        if loop is None or loop.is_running() or loop.is_closed():
            return
        left = asyncio.all_tasks(loop) - self._tasks
        if left:
            _, unfinished = loop.run_until_complete(asyncio.wait(left, timeout=GRACE))
            if unfinished and test not in self.left.running:
                self.left.running.append(test)

    def move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Have the app started on a loop that isn't running now. Raises GreenroomError."""
        self._running.move_to(loop, self._test)

    def return_home(self) -> None:
        """Have the app started on the run's own loop, if anybody needs it. Raises GreenroomError."""
        if self.loop is not None and self.is_needed:
            self.move_to(self.loop)

    def wake(self) -> None:
        """Have the app started, for a test that nobody knew would need it. Raises GreenroomError."""
        if not self.is_needed and self.loop is not None and not self.loop.is_running():
            self.is_needed = True
            self.return_home()

    def leave(self, loop: asyncio.AbstractEventLoop) -> None:
        """Shut the app down if it is started on a loop that is about to end. Raises GreenroomError."""
        self._running.leave(loop)

    # -- what the fixtures use ---------------------------------------------------------------------

    @property
    def app(self) -> AsgiApp:
        """The app itself, as the project made it."""
        if self._loaded is None:
            self.load_app()
        assert self._loaded is not None
        return self._loaded.app

    @property
    def proof(self) -> Proof:
        """What the suite proves of the app."""
        if self._proof is None:
            app = self.app
            assert self._loaded is not None
            self._proof = Proof(
                app,
                self._loaded.address,
                self.settings,
                is_own=self._is_own,
                unique=unique_columns_of,
            )
            self.ledger.told = self._proof.told
        return self._proof

    @property
    def has_run(self) -> bool:
        """Whether a test has asked the app anything."""
        return self._proof is not None and self._proof.asked

    def queries(self) -> Queries:
        """Counts the statements of requests."""
        return Queries(self.ledger, lambda: line_of(self._is_own, self.root) or "a library")

    @property
    def is_wsgi(self) -> bool:
        """Whether the app is one of WSGI's."""
        return self._loaded is not None and self._loaded.is_wsgi

    @property
    def can_await(self) -> bool:
        """Whether a test of the app's may await."""
        return not self.is_wsgi

    def is_dependency(self, caller: str) -> bool:
        """Whether what makes callers is a dependency of the app's, overridden by the user."""
        if "(" in caller or ":" not in caller:
            return False
        function = token_functions.find(caller)
        return any(one.call is function for one in dependants(self.app))

    def session(self, *, blocking: bool) -> AsyncSession | Session:
        """A session for arranging and asserting.

        :param blocking: whether it is for code that can't await.
        :raises GreenroomError: if the app has no engine.
        """
        if self._databases is None:
            raise GreenroomError(
                Code.NO_ENGINE,
                "db_session was requested, but SQLAlchemy isn't installed.",
                "db_session is a SQLAlchemy session on the app's engine.",
            )
        loop, databases = self._running.loop, self._databases
        if not databases.has_engine and loop is not None and not loop.is_running():
            # One that is made at the first request: this is the test's first.
            loop.run_until_complete(wake(self.app, lambda: databases.has_engine))
        return databases.session(blocking=blocking)

    async def enter(self, scope: Message, receive: Receive, send: Send) -> None:
        """The app as a server would call it: started, and with the lifespan's state in the scope."""
        __tracebackhide__ = True
        if not self._running.is_reachable:
            raise GreenroomError(
                Code.START_UP,
                "a request went out while the app was shut down.",
                "Send it from a test, or from a fixture of one.",
            )
        scope["state"] = self._running.state
        await self.app(scope, receive, send)

    def diagnosis(self, session: object) -> list[str]:
        """What the test that runs did last, for the report of its failure.

        :param session: the test's own `db_session`; None if it has none.
        """
        seen = self.ledger
        hints = unused_overrides(self.app) if self._loaded is not None else []
        if self._databases is not None:
            hints += self._databases.hints(session)
        told = diagnosis.lines(seen.exchanges, seen.earlier, seen.statements, seen.changes, hints)
        if self._cloned and self._databases is not None and self.settings.keep.value:
            told += [f"its database is kept: {one}" for one in self._databases.clone_addresses()]
        return told

    def summary(self) -> RunSummary:
        """What the header says. A process that hasn't loaded the app knows less."""
        known = self._databases if self._loaded is not None else None
        return RunSummary(
            app=self._loaded.address if self._loaded is not None else str(self.target),
            app_source=self.target.source,
            active_because=self.because,
            isolation=self._describe_isolation(),
            databases=known.summaries() if known is not None else (),
            schema=known.describe_schema() if known is not None else "",
            env_file=self._env_file.name if self._env_file is not None else None,
            notes=self._notes(),
        )

    @property
    def _no_reset(self) -> str | None:
        return self._databases.no_reset if self._databases is not None else None

    def _notes(self) -> tuple[str, ...]:
        if self._loaded is None:
            return ("each worker has databases of its own",)
        lowered = ", ".join(sorted(self._passwords.lowered))
        return (f"cheap passwords ({lowered})",) if lowered else ()

    def _is_own(self, file: Path) -> bool:
        """Whether a file is the app's: neither a library's nor the test suite's."""
        return self._is_projects(file) and not self._is_test_file(file)

    def _is_projects(self, file: Path) -> bool:
        """Whether a file is the project's: the app's, or one of the suite."""
        return self.root in file.parents and not _LIBRARIES & set(file.parts)

    def _describe_isolation(self) -> str:
        chosen = self.settings.isolation.value
        if chosen is Isolation.RESET and self._no_reset is not None:
            return f"{Isolation.ROLLBACK.value} (reset would need {self._no_reset})"
        return chosen.value

    def _set_testing(self, app: object) -> None:
        """As Flask's documentation has it: errors in the app are raised in the test.

        Its extension also knows which database is the main one.
        """
        flask: Any = app
        if is_flask(app) and not flask.testing:
            flask.testing = True
            self._undo.callback(setattr, flask, "testing", False)
        if is_flask(app) and self._databases is not None:
            self._databases.main_engine = functools.partial(main_engine, app)

    # -- the app -----------------------------------------------------------------------------------

    def _load_early(self) -> None:
        """Load the app because somebody connects to a database that may turn out to be the app's."""
        if self._loaded is None and self.target.module not in sys.modules:
            self._load()

    def _load(self) -> None:
        self._loaded = load(self.target)
        self._set_testing(self._loaded.app)
        self._changed.watch(overriding(self._loaded.app))
        self._undo.callback(self._changed.close)
