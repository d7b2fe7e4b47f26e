"""The fixtures. The public ones come first; what holds them up comes after."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

import pytest
import pytest_asyncio

from greenroom.plugin.reporting import ending_the_run, reported
from greenroom.plugin.state import ROOM, seed_of
from greenroom.runtime.performance import Performance

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.orm import Session

    from greenroom.app.load import AsgiApp
    from greenroom.app.overrides import Overrides
    from greenroom.boundary.clock import Clock
    from greenroom.boundary.mailbox import Mailbox
    from greenroom.boundary.routes import Outbound
    from greenroom.boundary.settings import SettingsChanger
    from greenroom.client.typed import Client, SyncClient
    from greenroom.observe.queries import Queries
    from greenroom.runtime.fuzz import Fuzz
    from greenroom.runtime.live import LiveServer
    from greenroom.runtime.making import Make

Scope = Literal["session", "package", "module", "class", "function"]


@pytest.fixture(scope="session")
def app(pytestconfig: pytest.Config) -> AsgiApp:
    """The app under test, as its module or factory made it."""
    return pytestconfig.stash[ROOM].app


@pytest.fixture
def client(request: pytest.FixtureRequest) -> Client | SyncClient:
    """An HTTP client on the app: an `AsyncClient` in an async test, a `Client` in a `def` test."""
    performance = performance_of(request)
    return performance.sync_client() if _is_blocking(request) else performance.client()


@pytest.fixture
def sync_client(request: pytest.FixtureRequest) -> SyncClient:
    """An HTTP client on the app for `def` tests: its calls block, with no thread in between."""
    return performance_of(request).sync_client()


@pytest.fixture
def db_session(request: pytest.FixtureRequest) -> Iterator[AsyncSession | Session]:
    """A session for arranging and asserting, on a connection of its own to the test database.

    An `AsyncSession` if the app's engine is async, else a `Session`; in a `def` test, which can't
    await, always a `Session`. What it holds is committed when a request goes out by `client` or
    `sync_client`, and what it shows is what is in the database now.
    """
    performance = performance_of(request)
    _have_session(request, performance)
    with reported():
        session = performance.session()
    yield session
    performance.close()


@pytest.fixture(scope="session")
def client_factory(
    request: pytest.FixtureRequest, app: AsgiApp, _greenroom_run: None
) -> Callable[..., Client | SyncClient]:
    """Makes clients for fixtures of a higher scope: `client` belongs to one test.

    `client_factory()` is an `AsyncClient`, `client_factory(blocking=True)` a `Client`.
    """
    room = request.config.stash[ROOM]

    def make(*, blocking: bool = False) -> Client | SyncClient:
        performance = Performance(room, app, blocking=blocking)
        return performance.sync_client() if blocking else performance.client()

    return make


@pytest.fixture(scope="session")
def session_factory(
    request: pytest.FixtureRequest, _greenroom_run: None
) -> Callable[..., AsyncSession | Session]:
    """Makes sessions for fixtures of a higher scope: `db_session` belongs to one test.

    `session_factory()` is what `db_session` is in an async test, `session_factory(blocking=True)` a
    `Session`. What such a fixture commits is there for all tests of its scope.
    """
    room = request.config.stash[ROOM]

    def make(*, blocking: bool = False) -> AsyncSession | Session:
        with reported():
            return room.session(blocking=blocking)

    return make


@pytest.fixture(scope="session")
def live_server(
    request: pytest.FixtureRequest, app: AsgiApp, _greenroom_run: None
) -> Iterator[LiveServer]:
    """The app under uvicorn on a free port of this machine, on the same test database.

    `live_server.url` is its address. It serves what `client` does: the app as it was started.
    """
    from greenroom.runtime.live import LiveAsgiServer
    from greenroom.runtime.live_wsgi import LiveWsgiServer

    room = request.config.stash[ROOM]
    server: LiveServer
    with reported():
        if room.is_wsgi:
            server = LiveWsgiServer(app)
        else:
            server = LiveAsgiServer(room.enter if app is room.app else app)
    room.live = server
    yield server
    room.live = None
    server.close()


@pytest.fixture
def overrides(app: AsgiApp) -> Iterator[Overrides]:
    """Dependency overrides for this test, on the app and on the apps mounted in it."""
    from greenroom.app.overrides import Overrides

    with reported():
        own = Overrides(app)
    yield own
    own.restore()


@pytest.fixture
def auth_client(request: pytest.FixtureRequest, client: Client | SyncClient) -> Client | SyncClient:
    """`client`, as a user: the project's fixture `user`, or one that is made of its class User."""
    with reported():
        return client.as_user(user_of(request, request.getfixturevalue("make"))())


@pytest.fixture
def make(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Rows with all that they need, stored in the session of the test."""
    own = make_of(request)
    yield own
    own.close()


@pytest.fixture
def queries(request: pytest.FixtureRequest) -> Queries:
    """Counts the statements that requests send: `with queries.at_most(3): ...`."""
    return request.config.stash[ROOM].queries()


@pytest.fixture(scope="session")
def fuzz(request: pytest.FixtureRequest, app: AsgiApp, _greenroom_run: None) -> Fuzz:
    """Sends schemathesis' cases to the app, and checks its answers: `fuzz(case)`, in a `def` test."""
    from greenroom.runtime.fuzz import Fuzz

    with reported():
        return Fuzz(Performance(request.config.stash[ROOM], app, blocking=True).sync_client())


@pytest.fixture
def clock() -> Iterator[Clock]:
    """The time that the app and the test read: freeze it, travel, move it on. It's right again after."""
    from greenroom.boundary.clock import Clock

    with reported():
        own = Clock()
    yield own
    own.restore()


@pytest.fixture
def outbound(request: pytest.FixtureRequest) -> Iterator[Outbound]:
    """Fakes of the services that the app calls: `outbound.post(url).reply(200, json=...)`."""
    yield from request.config.stash[ROOM].outside.outbound()


@pytest.fixture
def mailbox(request: pytest.FixtureRequest) -> Iterator[Mailbox]:
    """The mail that the app sends during this test; none of it leaves."""
    yield from request.config.stash[ROOM].outside.mailbox()


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Iterator[SettingsChanger]:
    """Sets fields of the app's settings for this test: `settings(debug=True)`."""
    yield from request.config.stash[ROOM].outside.changer()


@pytest.fixture
def fake_redis(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A client of a Redis server in this process; the app's own clients are led to it during this test."""
    with reported():
        server = request.config.stash[ROOM].outside.redis(blocking=_is_blocking(request))
        client = next(server)
    yield client
    next(server, None)


# -- what holds them up ----------------------------------------------------------------------------
#
# pytest looks up a fixture's fixtures anew for each test, also those that live longer. So what every
# test needs is not a fixture but lies in the config's or the test's stash. And a fixture that lives longer
# keeps a finalizer for each test that has asked for it: what a test has asks for `request`, not for
# `pytestconfig`.

_PERFORMANCE = pytest.StashKey[Performance]()


def performance_of(request: pytest.FixtureRequest) -> Performance:
    """What the requesting test has of its own; made at the first call."""
    stash = request.node.stash
    if _PERFORMANCE not in stash:
        request.config.stash[ROOM].wake()
        stash[_PERFORMANCE] = Performance(
            request.config.stash[ROOM],
            request.getfixturevalue("app"),
            blocking=_is_blocking(request),
        )
    performance: Performance = stash[_PERFORMANCE]
    return performance


def _have_session(request: pytest.FixtureRequest, performance: Performance) -> None:
    """The test is about to have a session: it belongs to the test's loop."""
    if not _is_blocking(request) and performance.loop is None:
        performance.loop = _loop(request)
        if request.node.get_closest_marker("asyncio") is None:
            # Another plugin runs it, and ends its loop before the fixture is torn down.
            test = request.node.obj
            request.node.obj = _leaving(test, performance)
            # pytest keeps the item to the end of the run, and its function with it.
            request.node.addfinalizer(lambda: setattr(request.node, "obj", test))


@pytest.fixture(scope="session", autouse=True)
def _greenroom_run(
    request: pytest.FixtureRequest, _greenroom_loop_session: asyncio.AbstractEventLoop
) -> Iterator[None]:
    """Start the app before the first test, whichever that is: the baseline is the same for all.

    pytest-asyncio may end its session loop early, when tests ask for different loop factories; then
    this is torn down with it, and set up again.
    """
    room = request.config.stash[ROOM]
    with ending_the_run(request.session):
        room.begin(_greenroom_loop_session)
    yield
    with reported():
        room.end()


def _loop_fixture(scope: Scope) -> Any:
    """The loop of that scope.

    It isn't an async fixture, which other plugins would take for theirs: pytest-asyncio sets the
    loop for a fixture of its own that isn't async, too.
    """

    def loop(request: pytest.FixtureRequest) -> asyncio.AbstractEventLoop:
        if not request.config.pluginmanager.hasplugin("asyncio"):
            runner = asyncio.Runner()
            request.addfinalizer(runner.close)
            return runner.get_loop()
        current = asyncio.get_event_loop()
        if scope != "session":
            # Before the loop ends, and after every fixture that asked for it.
            request.addfinalizer(lambda: _leave(request, current))
        return current

    return pytest_asyncio.fixture(
        loop, scope=scope, loop_scope=scope, name=f"_greenroom_loop_{scope}"
    )


def _leave(request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop) -> None:
    with reported():
        request.config.stash[ROOM].leave(loop)


_loop_session = _loop_fixture("session")
_loop_package = _loop_fixture("package")
_loop_module = _loop_fixture("module")
_loop_class = _loop_fixture("class")
_loop_function = _loop_fixture("function")


@pytest.fixture
def _greenroom_elsewhere(request: pytest.FixtureRequest, _greenroom_run: None) -> None:
    """Have the app started on the loop of a test that doesn't run on the run's own."""
    with ending_the_run(request.session):
        request.config.stash[ROOM].move_to(_loop(request))


def _leaving(test: Callable[..., Any], performance: Performance) -> Callable[..., Any]:
    """The test, and after it, on the loop that it ran on, the end of its session's transaction."""

    @functools.wraps(test)
    async def run(*args: Any, **kwargs: Any) -> None:
        try:
            await test(*args, **kwargs)
        finally:
            await performance.leave()

    return run


def session_of(item: pytest.Item) -> object | None:
    """The sync face of the test's `db_session`, if it has one."""
    performance = item.stash.get(_PERFORMANCE, None)
    return performance.held if performance is not None else None


def _is_blocking(request: pytest.FixtureRequest) -> bool:
    function = request.function
    inner = getattr(getattr(function, "hypothesis", None), "inner_test", function)
    return not inspect.iscoroutinefunction(inner)


def _loop(request: pytest.FixtureRequest) -> asyncio.AbstractEventLoop:
    """The loop that the requesting test runs on."""
    scope = _loop_scope(request.node)
    if scope == "session":
        loop = request.config.stash[ROOM].loop
        assert loop is not None
        return loop
    found: asyncio.AbstractEventLoop = request.getfixturevalue(f"_greenroom_loop_{scope}")
    return found


def place(item: pytest.Item) -> None:
    """Make sure that the app is started where the test will need it, before its own fixtures run."""
    if is_elsewhere(item):
        item.fixturenames.insert(0, "_greenroom_elsewhere")  # type: ignore[attr-defined]


def make_of(request: pytest.FixtureRequest, whose: str = "") -> Make:
    """What makes rows in a test.

    :param whose: tells it apart from the test's fixture: what both make is together unique.
    """
    from greenroom.runtime.making import Make

    performance = performance_of(request)
    _have_session(request, performance)
    seed = seed_of(request.config)
    with reported():
        return Make(performance, request.config.stash[ROOM], f"{seed}:{request.node.nodeid}{whose}")


def user_of(request: pytest.FixtureRequest, make: Make) -> Callable[[], Any]:
    """Gives the user who asks: of the project's fixture, or one that is made.

    In an async test it's perhaps one that has to be awaited.
    """
    try:
        given = request.getfixturevalue("user")
    except pytest.FixtureLookupError as error:
        if error.argname != "user":
            raise
    else:
        return lambda: given
    return made_user(request, make)


def made_user(request: pytest.FixtureRequest, make: Make) -> Callable[[], Any]:
    """Makes a row of the project's class of users, when it's called."""
    workshop = request.config.stash[ROOM].workshop
    return lambda: make(workshop.user_class())


def finish(item: pytest.Item) -> None:
    """The test's fixtures are done: what its clients have put in place goes."""
    performance = item.stash.get(_PERFORMANCE, None)
    if performance is not None:
        performance.callers.close()
        # pytest keeps the item to the end of the run, and what is in its stash with it.
        del item.stash[_PERFORMANCE]


_OURS = "greenroom.plugin."
#: What an app has to be started for.
_NEED_THE_APP = (
    "client",
    "sync_client",
    "db_session",
    "live_server",
    "client_factory",
    "session_factory",
    "make",
    "auth_client",
    "greenroom_checker",
    "fuzz",
)


def needs_the_app(item: pytest.Item) -> bool:
    """Whether a test requests one of greenroom's fixtures that the app must be started for."""
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    return any(
        getattr(one.func, "__module__", "").startswith(_OURS)
        for name in _NEED_THE_APP
        for one in known.get(name, ())
    )


def is_machinery(fixture: pytest.FixtureDef[object]) -> bool:
    """Whether a fixture is one that runs the tests, and not one of a test."""
    module = getattr(fixture.func, "__module__", "")
    if module == __name__ or fixture.argname.startswith("_greenroom_"):
        # Greenroom's own commit nothing, but for the session, which is one of a test.
        return fixture.argname not in {
            "client",
            "sync_client",
            "db_session",
            "make",
            "auth_client",
            "greenroom_checker",
        }
    if fixture.argname.startswith(("_xunit", "_unittest")):
        return False  # A project's own setup_module and setUpClass, as pytest wraps them.
    # Faker's lives for the session in every suite of its environment, and has nothing to do with the app.
    return module.startswith(("pytest_asyncio", "_pytest", "faker."))


def is_elsewhere(item: pytest.Item) -> bool:
    """Whether a test has the app started on a loop that isn't the run's own."""
    asks = not {"client", "greenroom_checker"}.isdisjoint(getattr(item, "fixturenames", ()))
    return asks and _loop_scope(item) != "session"


def _loop_scope(item: pytest.Item) -> Scope:
    """The scope of the loop that a test runs on, as pytest-asyncio decides it."""
    marker = item.get_closest_marker("asyncio")
    if marker is None or not item.config.pluginmanager.hasplugin("asyncio"):
        return "session"
    default: Scope = item.config.getini("asyncio_default_test_loop_scope")
    return marker.kwargs.get("loop_scope") or marker.kwargs.get("scope") or default
