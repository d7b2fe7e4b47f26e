"""A limit for each request: a handler that hangs fails its test, and says where it stands.

One thread looks at what is under way now and then, so an ordinary request pays next to nothing. A
handler that awaits is cancelled. One that blocks the event loop, or is a WSGI app's, is
interrupted by a signal; one in a worker thread is left to itself, as nothing can end a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import linecache
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from greenroom.facts.errors import Code, GreenroomError

#: How often, in seconds, the requests that are under way are looked at, at most.
LOOK = 1.0
#: How many of the places where the code stands are told.
MOST = 6
#: Nobody else's: its default is to be ignored.
SIGNAL = getattr(signal, "SIGURG", None)
#: A debugger holds requests up for as long as it likes.
_DEBUGGERS = ("pydevd", "debugpy", "pudb", "wdb")
#: Where requests are called from: below it, it's the app that runs.
_DOORS = ("greenroom.client.", "greenroom.app.wsgi", "greenroom.app.sockets")
_LIFESPAN = "greenroom.app.lifespan"
_FRAMEWORKS = ("starlette.", "fastapi.", "litestar.", "quart.")


@dataclass(eq=False, slots=True)
class Watched:
    """A request that is under way.

    :param stands: where the code stood when the time was over; None before that.
    """

    method: str
    path: str
    deadline: float
    thread: int
    loop: asyncio.AbstractEventLoop | None
    task: asyncio.Task[Any] | None
    told: bool = False
    stands: list[str] | None = field(default=None)


class Limit:
    """How long each request may take.

    :param seconds: how long; 0 is for ever.
    :param is_own: tells the app's own files from those of libraries and of the tests.
    """

    def __init__(self, seconds: float, is_own: Callable[[Path], bool]) -> None:
        #: How long a request may take; 0 is for ever.
        self.seconds = seconds
        self._is_own = is_own
        self._watched: dict[Watched, None] = {}
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._before: Any = None
        #: Whether somebody is looking at the code in a debugger.
        self.paused = False

    def begin(
        self, method: str, path: str, task: asyncio.Task[Any] | None = None
    ) -> Watched | None:
        """A request goes out; None if it may take for ever.

        :param task: the task that the app runs in; the current one, if there is one, is the default.
        """
        if not self.seconds:
            return None
        if self._thread is None:
            self._start()
        loop = None
        if task is None:
            with contextlib.suppress(RuntimeError):
                task = asyncio.current_task()
        if task is not None:
            loop = task.get_loop()
        deadline = time.monotonic() + self.seconds
        watched = Watched(method, path, deadline, threading.get_ident(), loop, task)
        self._watched[watched] = None
        return watched

    def end(self, watched: Watched | None) -> None:
        """The app is done with it.

        :raises GreenroomError: if it took too long.
        """
        __tracebackhide__ = True
        if watched is None:
            return
        self._watched.pop(watched, None)
        if watched.stands is None:
            return
        with contextlib.suppress(RuntimeError):
            task = asyncio.current_task()
            if task is not None and task is watched.task:
                task.uncancel()
        raise GreenroomError(
            Code.HANGS,
            f"{watched.method} {watched.path} hasn't been answered within {self.seconds:g} s.",
            "Where its code stood then is below. Another limit: [tool.greenroom] limit, in seconds; 0 for "
            "none.",
            "\n".join(watched.stands),
        ) from None

    @contextlib.contextmanager
    def over(self, method: str, path: str) -> Iterator[None]:
        """The same for a call that blocks."""
        __tracebackhide__ = True
        watched = self.begin(method, path)
        try:
            yield
        finally:
            self.end(watched)

    def close(self) -> None:
        """Stop looking. Calling it twice is harmless."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
            if SIGNAL is not None and self._before is not None:
                signal.signal(SIGNAL, self._before)
                self._before = None

    # -- the thread that looks ---------------------------------------------------------------------

    def _start(self) -> None:
        if SIGNAL is not None and threading.current_thread() is threading.main_thread():
            self._before = signal.signal(SIGNAL, self._interrupt)
        self._over.clear()
        self._thread = threading.Thread(target=self._look, name="greenroom-limit", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(min(LOOK, self.seconds / 4)):
            now = time.monotonic()
            held_up = self.paused or any(name in sys.modules for name in _DEBUGGERS)
            for watched in list(self._watched):
                if held_up:
                    watched.deadline = now + self.seconds
                elif now > watched.deadline:
                    self._expire(watched)

    def _expire(self, watched: Watched) -> None:
        """First ask on its loop; if that doesn't answer either, the loop is what is blocked."""
        ask = self._cancel if not watched.told else self._cancel_all
        if watched.loop is not None and (not watched.told or watched.stands is not None):
            watched.told = True
            with contextlib.suppress(RuntimeError):  # The loop has ended meanwhile.
                watched.loop.call_soon_threadsafe(ask, watched)
            return
        frame = sys._current_frames().get(watched.thread)  # noqa: SLF001 - the stack is the answer
        if (
            SIGNAL is None
            or self._before is None
            or frame is None
            or watched.thread != threading.main_thread().ident
        ):
            return
        if watched.stands is None:
            watched.stands = self._own([list(reversed(list(_below(frame))))])
        signal.pthread_kill(watched.thread, SIGNAL)

    def _cancel(self, watched: Watched) -> None:
        if watched not in self._watched or watched.stands is not None:
            return
        assert watched.task is not None
        assert watched.loop is not None
        tasks = [watched.task, *(asyncio.all_tasks(watched.loop) - {watched.task})]
        stacks = [list(_chain(task.get_coro())) for task in tasks]
        stacks += [list(reversed(list(_below(frame)))) for frame in _in_worker_threads()]
        watched.stands = self._own(stacks)
        watched.task.cancel()

    def _cancel_all(self, watched: Watched) -> None:
        """Cancel the tasks that frameworks run handlers in.

        A middleware runs the handler in a task of its own, and anyio shields it while it waits for a
        thread; not from a task's own cancellation.
        """
        if watched in self._watched and watched.loop is not None:
            for task in asyncio.all_tasks(watched.loop):
                modules = [frame.f_globals.get("__name__", "") for frame in _chain(task.get_coro())]
                of_a_request = _LIFESPAN not in modules
                if of_a_request and any(name.startswith(_FRAMEWORKS) for name in modules):
                    task.cancel()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        """Raise where the main thread stands, if that is still below the request."""
        __tracebackhide__ = True
        inside = any(
            one.f_globals.get("__name__", "").startswith(_DOORS)
            or self._is_own(Path(one.f_code.co_filename))
            for one in _below(frame)
        )
        for watched in list(self._watched):
            if watched.stands is not None and inside:
                raise TimeoutError(f"{watched.method} {watched.path} takes too long")

    def _own(self, stacks: Iterable[list[FrameType]]) -> list[str]:
        """The places in the app's own code, each once, the innermost last; else those of libraries."""
        known = [list(stack) for stack in stacks if stack]
        own: dict[str, None] = {}
        for stack in known:
            own.update(
                dict.fromkeys(
                    _line(frame) for frame in stack if self._is_own(Path(frame.f_code.co_filename))
                )
            )
        if not own and known:
            own = dict.fromkeys(_line(frame) for frame in known[0])
        return list(own)[-MOST:] or ["(nowhere that Python can see)"]


def _chain(coroutine: Any) -> Iterator[FrameType]:
    """The frames of a coroutine and of what it awaits, the innermost last."""
    while coroutine is not None:
        for name in ("cr_frame", "gi_frame", "ag_frame"):
            frame = getattr(coroutine, name, None)
            if frame is not None:
                yield frame
        awaited = None
        for name in ("cr_await", "gi_yieldfrom", "ag_await"):
            awaited = awaited or getattr(coroutine, name, None)
        coroutine = awaited


def _below(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame and those that led to it, the innermost first."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def _in_worker_threads() -> list[FrameType]:
    """What anyio's worker threads do, in which `def` endpoints run."""
    named = {thread.ident for thread in threading.enumerate() if "worker" in thread.name.lower()}
    frames = sys._current_frames()  # noqa: SLF001 - the stack is the answer
    return [frame for ident, frame in frames.items() if ident in named]


def _line(frame: FrameType) -> str:
    name, number = frame.f_code.co_filename, frame.f_lineno
    source = linecache.getline(name, number).strip()
    with contextlib.suppress(ValueError):
        name = str(Path(name).relative_to(Path.cwd()))
    return f"  {name}:{number} in {frame.f_code.co_name}: {source}"
