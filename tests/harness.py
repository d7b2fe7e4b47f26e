"""A user's project as an immutable value: `Project({...}).run(pytester)`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Engine

from greenroom.database.engines import _MARK
from greenroom.database.live_objects import live_objects

HERE = Path(__file__).parent
#: Plugins of the development environment that a project of a test hasn't got.
OTHERS = ("-p", "no:sqla", "-p", "no:schemathesis", "-p", "no:aiointercept")


def app_source(name: str) -> str:
    """One of the apps in `tests/apps`."""
    return (HERE / "apps" / f"{name}.py").read_text(encoding="utf-8")


def suite_source(name: str) -> str:
    """One of the suites in `tests/suites`."""
    return (HERE / "suites" / f"{name}.py").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Project:
    """Files by their path, the environment that pytest gets, and pytest's arguments."""

    files: Mapping[str, str]
    environ: Mapping[str, str] = field(default_factory=dict)

    def with_files(self, **files: str) -> Project:
        """The project with more files; `__` in a name is a slash and a suffix .py is added."""
        added = {f"{name.replace('__', '/')}.py": source for name, source in files.items()}
        return replace(self, files={**self.files, **added})

    def with_pyproject(self, text: str) -> Project:
        """The project with that pyproject.toml."""
        return replace(self, files={**self.files, "pyproject.toml": text})

    def with_environ(self, **environ: str) -> Project:
        """The project in that environment."""
        return replace(self, environ={**self.environ, **environ})

    def write(self, folder: Path) -> Path:
        """Put the files into a folder."""
        for name, source in self.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(source, encoding="utf-8")
        return folder

    def run(self, pytester: pytest.Pytester, *args: str) -> Result:
        """Run the project's suite in this process."""
        self.write(pytester.path)
        for name, value in self.environ.items():
            pytester._monkeypatch.setenv(name, value)
        before = {name: sys.modules.get(name) for name in self._modules()}
        for name in before:
            sys.modules.pop(name, None)
        ran = pytester.runpytest_inprocess(*OTHERS, *args)
        for name in before:
            sys.modules.pop(name, None)
        _belong_to_an_earlier_run()
        return Result(ran, pytester.path)

    def run_in(self, pytester: pytest.Pytester, folder: Path, *args: str) -> Result:
        """Run what was written before, from a folder of it, in a process of its own."""
        command = (sys.executable, "-m", "pytest", *OTHERS, *args)
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        lines = done.stdout.splitlines()
        ran = pytest.RunResult(done.returncode, lines, done.stderr.splitlines(), 0)
        return Result(ran, pytester.path)

    def run_subprocess(self, pytester: pytest.Pytester, *args: str) -> Result:
        """Run the project's suite in a process of its own."""
        self.write(pytester.path)
        for name, value in self.environ.items():
            pytester._monkeypatch.setenv(name, value)
        return Result(pytester.runpytest_subprocess(*OTHERS, *args), pytester.path)

    def _modules(self) -> list[str]:
        names = {name.removesuffix(".py").split("/")[0] for name in self.files}
        names |= {name.removesuffix(".py").split("/")[-1] for name in self.files}
        return [
            known
            for known in sys.modules
            if known.split(".")[0] in names and known.split(".")[0] not in {"tests", "src"}
        ]


def _belong_to_an_earlier_run() -> None:
    """Mark the engines that live on, in some library's cache: the next run is to leave them alone.

    A run that greenroom took part in has marked its own; one that it didn't hasn't.
    """
    for engine in live_objects(Engine):
        setattr(engine.dialect, _MARK, True)


@dataclass(frozen=True)
class Result:
    """What a run printed and counted."""

    ran: pytest.RunResult
    folder: Path

    @property
    def out(self) -> str:
        """Everything that was printed, on either stream."""
        return self.ran.stdout.str() + "\n" + self.ran.stderr.str()

    @property
    def code(self) -> int:
        """The exit code."""
        return int(self.ran.ret)

    def json(self, name: str) -> Any:
        """A file of the project's folder that is JSON."""
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    def passed(self, count: int) -> None:
        """Assert that so many tests passed and that nothing else happened."""
        outcomes = self.ran.parseoutcomes()
        outcomes.pop("warnings", None)
        outcomes.pop("warning", None)
        assert outcomes == {"passed": count}, self.out
        assert self.code == 0, self.out

    def counts(self, **expected: int) -> None:
        """Assert the numbers of outcomes."""
        outcomes = self.ran.parseoutcomes()
        outcomes.pop("warnings", None)
        outcomes.pop("warning", None)
        assert outcomes == expected, self.out

    def header(self) -> str:
        """The header's line."""
        lines = [line for line in self.out.splitlines() if line.startswith("greenroom: ")]
        return lines[0] if lines else ""

    def says(self, *parts: str) -> None:
        """Assert that each part was printed."""
        for part in parts:
            assert part in self.out, self.out

    def silent_about(self, *parts: str) -> None:
        """Assert that no part was printed."""
        for part in parts:
            assert part not in self.out, self.out


def hear_ctrl_c() -> None:
    """In a new process: what was started in the background of a shell ignores Ctrl-C otherwise."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def started(
    folder: Path, *args: str, environ: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """The suite in a folder, begun in a process group of its own that hears Ctrl-C."""
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *OTHERS, "-p", "no:cacheprovider", *args],
        cwd=folder,
        env=environ,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=hear_ctrl_c,
    )


def until(
    condition: Callable[[], object], doer: subprocess.Popen[str] | None = None, seconds: float = 60
) -> bool:
    """Wait for something that another process does; False if it takes too long.

    :param doer: that process; if it ends instead, the test fails with what it has printed.
    """
    end = time.monotonic() + seconds
    while not condition():
        if doer is not None:
            assert doer.poll() is None, doer.communicate()[0]
        if time.monotonic() > end:
            return False
        time.sleep(0.01)  # The processor is left to the one that is waited for.
    return True


def gone(folder: Path) -> bool:
    """Whether a folder goes that another process is to remove."""
    return until(lambda: not folder.exists(), seconds=20)


def leftovers(user: str | None = None) -> list[Path]:
    """The private folders of a user that no living process holds: there should be none.

    :param user: one of the test's own, `LOGNAME` of its run, where other tests kill runs meanwhile.
    """
    from greenroom.database.folder import MEMORY_DISK, user_name

    base = MEMORY_DISK / f"greenroom-{user or user_name()}"
    if not base.is_dir():
        return []
    found = []
    for folder in base.iterdir():
        pid = folder.name.partition("-")[0]
        if folder.is_dir() and not (pid.isdigit() and _is_alive(int(pid))):
            found.append(folder)
    if user is not None and not found:
        base.rmdir()
    return found


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
