"""The process that keeps an embedded PostgreSQL server for as long as somebody uses it.

It is run as a script of its own (`python -I -S keeper.py '{...}'`), so it imports nothing but the
standard library. Whoever uses the server holds the write end of a named pipe; the operating system
closes that end when the user ends, however it ends. At the end of the pipe the server is stopped and
its folder removed: there is nothing to clean up after a run that was killed.

PostgreSQL refuses to run as root. So the keeper of a root user enters a user namespace in which it
is nobody; where the kernel forbids that, it starts the server as the user nobody.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: How long, in seconds, a server may take to start or to stop.
PATIENCE = 60
#: How often, in seconds, it is looked at while it starts.
STEP = 0.002
CLONE_NEWUSER = 0x10000000
#: Permission to read and to enter, for everybody.
_EVERYBODY = 0o005
#: What is given up: durability, which matters only if the machine loses power.
OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_connections": "400",
    "max_wal_size": "128MB",
    "wal_level": "minimal",
    # In the folder, with which it goes, also after a kill.
    "dynamic_shared_memory_type": "mmap",
    "max_wal_senders": "0",
    # A reset leaves nothing to clean, and nothing may hold a lock behind a test's back.
    "autovacuum": "off",
    "log_min_messages": "log",
    "log_checkpoints": "off",
    "unix_socket_permissions": "0700",
}
#: What an app's role, which is no superuser, may create on the servers that one can rent.
TRUSTED = ("vector",)
#: The first PostgreSQL that looks for extensions in several folders.
SEVERAL_FOLDERS = 18


class Keeper:
    """One server, from its start to the end of its last user.

    :param folder: the run's folder; the pipe `users` is there already.
    :param binaries: the folder with `initdb` and `postgres`.
    :param fresh: where a cluster as `initdb` makes it is kept; None keeps none.
    :param kept: where this project's cluster, with its templates, is kept; None keeps none.
    """

    def __init__(self, folder: str, binaries: str, fresh: str | None, kept: str | None) -> None:
        self.folder = Path(folder)
        self.binaries = Path(binaries)
        self.fresh = Path(fresh) if fresh else None
        self.kept = Path(kept) if kept else None
        number = self.binaries.parent.name.removeprefix("pginstall")
        self.version = int(number) if number.isdigit() else 0
        self.data = self.folder / "data"
        self.user: int | None = None
        self.server: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Start, say so, wait for the last user to go, stop."""
        started_by = os.getppid()
        lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        users = os.open(self.folder / "users", os.O_RDONLY | os.O_NONBLOCK)
        try:
            self._leave_root()
            self._prepare()
            self._start()
            print("ready", flush=True)
            self._wait(users, started_by)
        finally:
            self._stop()
            shutil.rmtree(self.folder, ignore_errors=True)

    # -- steps -------------------------------------------------------------------------------------

    def _leave_root(self) -> None:
        if os.geteuid() != 0 and _has_name(os.geteuid()):
            return
        if _enter_namespace() or os.geteuid() != 0:
            return
        nobody = pwd.getpwnam("nobody")
        self.user = nobody.pw_uid
        if not _everybody_may_read(self.binaries):
            copied = self.folder / "postgresql"
            shutil.copytree(self.binaries.parent, copied, symlinks=True)
            self.binaries = copied / "bin"
        os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)

    def _prepare(self) -> None:
        for source in (self.kept, self.fresh):
            if source is not None:
                with _locked(source), contextlib.suppress(OSError):
                    shutil.copytree(source, self.data, symlinks=True)
                    self._hand_over()
                    # A cache that isn't used for long is removed: this is its use.
                    os.utime(source)
                    return
                shutil.rmtree(self.data, ignore_errors=True)
        self._call(
            "initdb",
            *("--pgdata", str(self.data), "--username", "postgres", "--auth", "trust"),
            *("--encoding", "UTF8", "--locale", "C.UTF-8"),
            *("--no-sync", "--no-instructions", "--wal-segsize", "1"),
        )
        if self.fresh is not None:
            self._save(self.fresh)

    def _start(self) -> None:
        settings = {**OPTIONS, **self._trust()}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "server.log").open("wb") as log:
            self.server = subprocess.Popen(
                [self.binaries / "postgres", "-D", self.data, "-k", self.folder, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._as_user(),
            )
        until = time.monotonic() + PATIENCE
        while not self._is_ready():
            if self.server.poll() is not None or time.monotonic() > until:
                raise SystemExit((self.folder / "server.log").read_text(errors="replace")[-2000:])
            time.sleep(STEP)

    def _trust(self) -> dict[str, str]:
        """Have extensions that the app's role may create; an older server asks for a superuser."""
        there = next(self.binaries.parent.glob("share/**/extension/plpgsql.control"), None)
        if there is None or self.version < SEVERAL_FOLDERS:
            return {}
        folder = self.folder / "trusted" / "extension"
        folder.mkdir(parents=True)
        for name in TRUSTED:
            control = there.with_name(f"{name}.control")
            if control.exists():
                own = folder / control.name
                own.write_text(f"{control.read_text()}\ntrusted = true\n")
                for script in there.parent.glob(f"{name}--*.sql"):
                    (folder / script.name).symlink_to(script)
        return {"extension_control_path": f"{folder.parent}:$system"}

    def _is_ready(self) -> bool:
        with contextlib.suppress(OSError):
            return "\nready" in (self.data / "postmaster.pid").read_text()
        return False

    def _wait(self, users: int, started_by: int) -> None:
        """Return when nobody holds the pipe's other end, and nobody is about to."""
        poll = select.poll()
        poll.register(users, select.POLLIN)
        seen = False
        while True:
            for _, event in poll.poll(1000):
                if event & select.POLLIN:
                    seen = bool(os.read(users, 4096)) or seen
                if event & select.POLLHUP and self._nobody_joins(poll):
                    return
            # Linux says nothing of a pipe whose writer went before this end was opened.
            if not seen and os.getppid() != started_by:
                return
            assert self.server is not None
            if self.server.poll() is not None:
                return

    def _nobody_joins(self, poll: select.poll) -> bool:
        """Shut the door, then look once more: who came in meanwhile has seen it open."""
        door = self.folder / "stopping"
        door.touch()
        if any(event & select.POLLHUP for _, event in poll.poll(0)):
            return True
        door.unlink()
        return False

    def _stop(self) -> None:
        if self.server is None:
            return
        if self.server.poll() is None:
            self.server.send_signal(signal.SIGINT)
            try:
                self.server.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait()
                return
            if self.kept is not None and (self.folder / "keep").exists():
                self._save(self.kept)

    # -- means -------------------------------------------------------------------------------------

    def _save(self, place: Path) -> None:
        """Keep the stopped cluster there, whole or not at all; a full disk keeps none."""
        made = place.with_name(f"{place.name}.{os.getpid()}")
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(self.data, made, symlinks=True)
            with _locked(place):
                shutil.rmtree(place, ignore_errors=True)
                made.rename(place)
        except OSError:
            shutil.rmtree(made, ignore_errors=True)

    def _call(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [self.binaries / name, *arguments],
            capture_output=True,
            text=True,
            check=False,
            **self._as_user(),
        )
        if done.returncode:
            raise SystemExit(f"{name}: {done.stderr.strip() or done.stdout.strip()}")

    def _hand_over(self) -> None:
        if self.user is not None:
            for path in (self.data, *self.data.rglob("*")):
                os.chown(path, self.user, -1, follow_symlinks=False)

    def _as_user(self) -> dict[str, Any]:
        alone: dict[str, Any] = {"cwd": self.folder}
        if self.user is not None:
            alone |= {
                "user": self.user,
                "group": pwd.getpwuid(self.user).pw_gid,
                "extra_groups": [],
            }
        return alone


def _enter_namespace() -> bool:
    """Become nobody for the server's eyes, and stay root for the files."""
    user, group = os.geteuid(), os.getegid()
    unshare = getattr(ctypes.CDLL(None), "unshare", None)
    if unshare is None or unshare(CLONE_NEWUSER) != 0:
        return False
    nobody = pwd.getpwnam("nobody")
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny")
    try:
        Path("/proc/self/uid_map").write_text(f"{nobody.pw_uid} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{nobody.pw_gid} {group} 1")
    except OSError as error:
        raise SystemExit(f"the user namespace was made but can't be mapped: {error}") from None
    return True


def _has_name(user: int) -> bool:
    """`initdb` asks for it; a container's user may have none."""
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def _everybody_may_read(path: Path) -> bool:
    return all(folder.stat().st_mode & _EVERYBODY == _EVERYBODY for folder in (path, *path.parents))


@contextlib.contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Nobody replaces a cache while another one copies it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_name(f"{place.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    Keeper(**json.loads(sys.argv[1])).run()
