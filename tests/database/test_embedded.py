"""The embedded server: started once for a run, gone with its last user, however that one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import psycopg
import pytest

from greenroom.database import cache as kept
from greenroom.database.postgresql import embedded
from greenroom.facts.errors import GreenroomError
from tests.harness import gone, hear_ctrl_c, until

MEMORY = "/dev/shm"  # noqa: S108 - a memory disk, where there is one
JOIN = """
import sys, time
from pathlib import Path
from greenroom.database.postgresql import embedded
server = embedded.join(sys.argv[1], Path("project"), None)
print(server.folder, flush=True)
time.sleep(60)
"""


def answers(folder: Path) -> bool:
    with psycopg.connect(host=str(folder), user="postgres", dbname="postgres") as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def user(run: str) -> tuple[subprocess.Popen[str], Path]:
    """Another process that uses the run's server."""
    process = subprocess.Popen(
        [sys.executable, "-c", JOIN, run], stdout=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_it_writes_nothing_that_would_outlive_it() -> None:
    """Durability is off, and it lies on the memory disk where there is one."""
    server = embedded.join(uuid.uuid4().hex, Path("p"), None)
    with psycopg.connect(host=str(server.folder), user="postgres", dbname="postgres") as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {setting}".encode()).fetchone() == ("off",), setting
    if os.access(MEMORY, os.W_OK):
        assert Path(MEMORY) in server.folder.parents
    server.leave()


def test_all_of_a_run_share_one_and_it_goes_with_the_last() -> None:
    """No process and no file is left."""
    run = uuid.uuid4().hex
    first, second = embedded.join(run, Path("p"), None), embedded.join(run, Path("p"), None)
    assert first.folder == second.folder
    first.leave()
    assert answers(second.folder)
    pid = int((second.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    second.leave()
    assert gone(second.folder)
    assert embedded._of_process(pid, "stat")[:1] in {"", "Z"}


def test_two_runs_have_two() -> None:
    """Their sockets don't collide."""
    servers = [embedded.join(uuid.uuid4().hex, Path("p"), None) for _ in range(2)]
    assert all(answers(server.folder) for server in servers)
    assert servers[0].folder != servers[1].folder
    for server in servers:
        server.leave()
        assert gone(server.folder)


def test_processes_that_start_together_start_one() -> None:
    """Whoever is first; and it outlives the one that started it."""
    run = uuid.uuid4().hex
    starts = [user(run) for _ in range(3)]
    folders = {folder for _, folder in starts}
    assert len(folders) == 1
    folder = folders.pop()
    for process, _ in starts[:2]:
        process.kill()
        process.communicate()
    assert answers(folder)
    starts[2][0].kill()
    starts[2][0].communicate()
    assert gone(folder)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_goes_with_its_user_however_that_ends(how: signal.Signals) -> None:
    """Also where no code of the user's runs any more."""
    process, folder = user(uuid.uuid4().hex)
    assert answers(folder)
    process.send_signal(how)
    process.communicate()
    assert gone(folder)


def test_a_server_that_lost_its_keeper_is_ended_by_the_next_run() -> None:
    """Whoever kills keepers with -9."""
    process, folder = user(uuid.uuid4().hex)
    pid = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    keeper = int(embedded._of_process(pid, "ppid"))
    os.kill(keeper, signal.SIGKILL)
    process.kill()
    process.communicate()
    assert until(lambda: not embedded._has_keeper(folder))
    embedded.sweep(folder.parent)
    assert not folder.exists()
    assert embedded._of_process(pid, "stat")[:1] in {"", "Z"}


def test_the_cluster_is_kept_where_somebody_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what was in it; another project begins with a fresh one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def databases(project: str, *statements: bytes) -> list[str]:
        server = embedded.join(uuid.uuid4().hex, Path(project), None)
        with psycopg.connect(
            host=str(server.folder), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            for statement in statements:
                connection.execute(statement)
            found = connection.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall()
        if statements:
            server.keep_templates()
        server.leave()
        assert gone(server.folder)
        return [name for (name,) in found]

    assert "mine" in databases("one", b"CREATE DATABASE mine")
    assert "mine" in databases("one")
    assert "mine" not in databases("two")
    names = {cluster.name for cluster in embedded.kept_clusters()}
    assert len(names) == 2
    assert "fresh" in names


def test_a_cluster_that_nobody_uses_for_long_is_removed(tmp_path: Path) -> None:
    """And one of yesterday isn't."""
    for name, age in (("old", kept.LONGEST_REST + 1), ("new", 3600)):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    kept.forget_unused(tmp_path)
    assert [folder.name for folder in tmp_path.iterdir()] == ["new"]


def test_a_server_that_cannot_start_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what it said; and nothing is left of it."""
    (tmp_path / "bin").mkdir()
    broken = tmp_path / "bin" / "initdb"
    broken.write_text("#!/bin/sh\necho 'no such locale' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(embedded, "_binaries", lambda: (tmp_path / "bin", "broken"))
    run = uuid.uuid4().hex
    with pytest.raises(GreenroomError, match=r"GR026 .*no such locale"):
        embedded.join(run, Path("p"), None)
    assert not list(Path("/dev/shm").glob(f"*{embedded._short(run)}"))  # noqa: S108


def test_a_place_that_is_too_far_down_is_refused(tmp_path: Path) -> None:
    """A socket's path has a limit."""
    deep = tmp_path / ("d" * 90)
    with pytest.raises(GreenroomError, match=r"GR016 .*a path of fewer than"):
        embedded.join(uuid.uuid4().hex, Path("p"), str(deep))


def everybody_may_run_python() -> bool:
    """Not where it lies in the folder of a user."""
    program = Path(sys.executable).resolve()
    return all(place.stat().st_mode & 0o005 == 0o005 for place in (program, *program.parents))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.skipif(not everybody_may_run_python(), reason="this Python is one user's alone")
@pytest.mark.parametrize("home", ["", "/nonexistent"])
def test_somebody_without_rights_can_start_one(home: str) -> None:
    """And somebody without a name, as in a container."""
    for number in (65534, 54321):
        done = subprocess.run(
            [sys.executable, "-c", JOIN.replace("time.sleep(60)", ""), uuid.uuid4().hex],
            user=number,
            group=number,
            extra_groups=[],
            cwd="/",
            env={"PYTHONPATH": os.pathsep.join(sys.path), "HOME": home},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        folder = Path(done.stdout.strip())
        assert gone(folder)
