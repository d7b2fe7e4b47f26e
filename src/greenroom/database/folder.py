"""A private folder for one process's databases, on a memory disk where there is one.

Each folder holds a lock for as long as its process lives. The operating system drops the lock when
the process dies, however it dies, so whoever comes next can tell a folder that is in use from one
that was left behind, and clears the latter.
"""

from __future__ import annotations

import contextlib
import errno
import getpass
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from greenroom.facts.errors import Code, GreenroomError

#: Where the operating system keeps files in memory (Linux).
MEMORY_DISK = Path("/dev/shm")  # noqa: S108 - our folder in it is private
#: Less free space than this, in bytes, and a place isn't used.
LEAST_SPACE = 8 * 1024 * 1024
#: A folder that has no lock after so many seconds won't get one any more.
LONGEST_BIRTH = 60
_LOCK = "in-use.lock"
_NEW = "new-"


class PrivateFolder:
    """A folder that belongs to this process alone, until `close` removes it."""

    def __init__(self, path: Path, lock: FileLock, place: str) -> None:
        self.path = path
        self.place = place
        self._lock = lock

    def close(self) -> None:
        """Remove the folder and everything in it. Calling it twice is harmless."""
        self._lock.release()
        shutil.rmtree(self.path, ignore_errors=True)
        base = self.path.parent
        sweep(base)
        with contextlib.suppress(OSError):
            base.rmdir()  # It goes with the last one.


def make(directory: str | None) -> PrivateFolder:
    """Make this process's folder, after clearing what dead processes left there.

    :param directory: where to make it; None tries the memory disk, then the temporary folder.
    :raises GreenroomError: if it can be made nowhere, with the reason for each place.
    """
    refused: list[str] = []
    for place, name in _places(directory):
        try:
            return _make_in(place, name if not refused else f"{name} ({'; '.join(refused)})")
        except OSError as error:
            refused.append(f"{place}: {_reason(error)}")
    raise GreenroomError(
        Code.FOLDER,
        f"no folder for the test databases could be made: {'; '.join(refused)}.",
        "Free some space there, or name a writable folder: [tool.greenroom] directory, "
        "GREENROOM_DIRECTORY or --greenroom-directory.",
    )


def sweep(base: Path) -> None:
    """Remove the folders of processes that are no more, however they ended."""
    with contextlib.suppress(OSError):
        for folder in base.iterdir():
            if folder.is_dir() and not _is_being_made(folder):
                _remove_if_dead(folder)


def _remove_if_dead(folder: Path) -> None:
    lock = FileLock(folder / _LOCK)
    with contextlib.suppress(Timeout, OSError):
        lock.acquire(blocking=False)
        shutil.rmtree(folder, ignore_errors=True)
        lock.release()


def _is_being_made(folder: Path) -> bool:
    """Whether it has no lock yet because it is new, and not because nobody needs it."""
    if not folder.name.startswith(_NEW):
        return False
    try:
        return time.time() - folder.stat().st_mtime < LONGEST_BIRTH
    except OSError:
        return True


def _places(directory: str | None) -> Iterator[tuple[Path, str]]:
    if directory is not None:
        yield Path(directory).absolute(), "the configured directory"
        return
    if MEMORY_DISK.is_dir():
        yield MEMORY_DISK, "memory disk"
    yield Path(tempfile.gettempdir()), "temporary folder"


def _make_in(place: Path, name: str) -> PrivateFolder:
    free = shutil.disk_usage(place).free if place.exists() else LEAST_SPACE
    if free < LEAST_SPACE:
        raise OSError(errno.ENOSPC, f"only {free // 1024} KiB are free")
    base = place / f"greenroom-{user_name()}"
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    if hasattr(os, "getuid") and base.stat().st_uid != os.getuid():
        raise PermissionError(errno.EACCES, f"{base} belongs to somebody else")
    sweep(base)
    # It is locked under a name that no sweep takes, and only then gets its own: in between, a sweep
    # would take it for dead. A lock stays with its file when the folder is renamed.
    made = Path(tempfile.mkdtemp(prefix=_NEW, dir=base))
    lock = FileLock(made / _LOCK)
    lock.acquire(blocking=False)
    path = made.rename(base / f"{os.getpid()}-{made.name.removeprefix(_NEW)}")
    return PrivateFolder(path, lock, name)


def user_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _reason(error: OSError) -> str:
    text = (error.strerror or str(error)).rstrip(".")
    return text[:1].lower() + text[1:]
