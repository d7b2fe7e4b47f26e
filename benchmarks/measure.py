"""Time whole processes, one after the other, by the operating system's accounting of each."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.generate import FLOOR, GREENROOM, PEER


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took, in seconds."""

    cpu: float
    wall: float


def run(kind: str, folder: Path, count: int) -> Cost:
    """Run a generated suite once.

    :raises RuntimeError: if not all of its tests passed: then its time says nothing.
    """
    cost, output, code = timed(_arguments(kind, count), folder, {"DATABASE_URL": _url(kind)})
    if code != 0 or (kind != FLOOR and f"{count} passed" not in output):
        raise RuntimeError(f"{kind} with {count} tests failed:\n{output[-3000:]}")
    return cost


def timed(arguments: list[str], folder: Path, more: dict[str, str]) -> tuple[Cost, str, int]:
    """Run this Python once, in a folder: what it took, what it printed, and its exit code."""
    command = [sys.executable, *arguments]
    environ = {**os.environ, **more}
    # Whoever runs this may have switched bytecode off; a user has it on.
    for name in ("PYTEST_ADDOPTS", "PYTHONDONTWRITEBYTECODE"):
        environ.pop(name, None)
    began = time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        output = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - began
    return Cost(usage.ru_utime + usage.ru_stime, wall), output, process.returncode


def _arguments(kind: str, count: int) -> list[str]:
    if kind == FLOOR:
        return ["floor.py", str(count)]
    plugins = ["-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider"]
    if kind != GREENROOM:
        plugins += ["-p", "no:greenroom"]
    if kind != PEER:
        plugins += ["-p", "no:sqla"]
    peer = ["--sqla-async-url=sqlite+aiosqlite://"] if kind == PEER else []
    return ["-m", "pytest", "-q", *plugins, *peer]


def _url(kind: str) -> str:
    # The floor has no engine of its own: a file on the memory disk, as greenroom's is.
    if kind == FLOOR and Path("/dev/shm").is_dir():  # noqa: S108
        return f"sqlite+aiosqlite:////dev/shm/greenroom-floor-{os.getpid()}.db"
    return "sqlite+aiosqlite:///./shop.db"
