"""What only a process of its own can show: imports, signals, and what is left on the disk."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness import Project, app_source, leftovers, started, until

#: A suite that says when it is in its first test, and stays there until it is told to go on.
WAITING = """
import asyncio, pathlib

async def test_it(client):
    await client.post("/items/lamp")
    pathlib.Path("running").touch()
    while not pathlib.Path("go on").exists():
        await asyncio.sleep(0.01)
"""
SECONDS = 60
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts suites, and ends those that the test left running."""
    begun: list[subprocess.Popen[str]] = []

    def begin(project: Project, folder: Path, *args: str) -> subprocess.Popen[str]:
        begun.append(_start(project, folder, *args))
        return _in_its_first_test(begun[-1], folder)

    yield begin
    for process in begun:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _start(project: Project, folder: Path, *args: str) -> subprocess.Popen[str]:
    project.write(folder)
    return started(folder, *args)


def _in_its_first_test(process: subprocess.Popen[str], folder: Path) -> subprocess.Popen[str]:
    assert until((folder / "running").exists, process)
    return process


def waiting() -> Project:
    return Project({"main.py": app_source("async_items"), "test_it.py": WAITING})


def folders_of(process: int, base: Path) -> list[Path]:
    return list(base.glob(f"greenroom-*/{process}-*"))


@pytest.mark.parametrize("workers", ["0", "2"])
def test_control_c_leaves_nothing_behind(start: Start, tmp_path: Path, workers: str) -> None:
    """The folder with the databases goes, and the app's own database was never made."""
    directory = tmp_path / "disk"
    args = ("-n", workers, f"--greenroom-directory={directory}")
    process = start(waiting(), tmp_path, *args)
    assert len(list(directory.glob("greenroom-*/*-*"))) >= 1

    os.killpg(process.pid, signal.SIGINT)
    output = process.communicate(timeout=SECONDS)[0]

    assert "KeyboardInterrupt" in output or "Interrupted" in output, output
    assert [path for path in directory.glob("greenroom-*/*") if path.is_dir()] == [], output
    assert not (tmp_path / "app.db").exists()

    (tmp_path / "go on").touch()
    output = start(waiting(), tmp_path, *args).communicate(timeout=SECONDS)[0]
    assert "1 passed" in output, output


def test_what_a_killed_run_leaves_is_cleared_by_the_next(start: Start, tmp_path: Path) -> None:
    """A process that is killed can't tidy up; the operating system has dropped its lock."""
    directory = tmp_path / "disk"
    option = f"--greenroom-directory={directory}"
    process = start(waiting(), tmp_path, option)
    process.kill()
    process.communicate(timeout=SECONDS)
    assert len(folders_of(process.pid, directory)) == 1

    (tmp_path / "go on").touch()
    second = start(waiting(), tmp_path, option)
    output = second.communicate(timeout=SECONDS)[0]

    assert "1 passed" in output, output
    assert [path for path in directory.glob("greenroom-*/*") if path.is_dir()] == []


def test_a_run_leaves_the_folder_of_a_living_one_alone(start: Start, tmp_path: Path) -> None:
    """Two runs at once on one disk."""
    directory = tmp_path / "disk"
    first_folder, second_folder = tmp_path / "first", tmp_path / "second"
    first = start(waiting(), first_folder, f"--greenroom-directory={directory}")
    second_folder.mkdir()
    (second_folder / "go on").touch()

    second = start(waiting(), second_folder, f"--greenroom-directory={directory}")
    second_output = second.communicate(timeout=SECONDS)[0]
    assert "1 passed" in second_output, second_output
    assert len(folders_of(first.pid, directory)) == 1

    (first_folder / "go on").touch()
    first_output = first.communicate(timeout=SECONDS)[0]
    assert "1 passed" in first_output, first_output
    assert folders_of(first.pid, directory) == []


def test_the_entry_point_imports_none_of_the_heavy_libraries(tmp_path: Path) -> None:
    """It is imported in every pytest run of every project in the environment."""
    code = (
        "import sys, pytest, pytest_asyncio\n"
        "before = set(sys.modules)\n"
        "import greenroom.plugin.door\n"
        "heavy = {'sqlalchemy', 'fastapi', 'starlette', 'httpx2', 'httpx', 'anyio', 'pydantic',\n"
        "         'dotenv', 'filelock', 'aiosqlite'}\n"
        "print(sorted(heavy & (set(sys.modules) - before)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]"


def test_a_project_that_does_not_use_it_imports_nothing_of_it_but_its_door(
    pytester: pytest.Pytester,
) -> None:
    """Not even the parts that would find an app."""
    test = """
import sys

def test_it():
    heavy = {"sqlalchemy", "fastapi", "httpx2", "httpx", "dotenv", "filelock", "jsonschema_rs"}
    assert heavy & set(sys.modules) == set()
    assert "greenroom.plugin.hooks" not in sys.modules
    assert "greenroom.plugin.fixtures" not in sys.modules
"""
    # queryspy's own plugin imports SQLAlchemy; pytest-randomly's asks factory_boy, which does.
    others = ("-p", "no:queryspy", "-p", "no:randomly")
    result = Project({"test_it.py": test}).run_subprocess(pytester, *others)
    result.passed(1)
    assert result.header() == ""


def test_a_full_memory_disk_is_named(tmp_path: Path) -> None:
    """A disk of one mebibyte, in a mount namespace of this test's own."""
    if not _can_mount():
        pytest.skip("this machine lets nobody mount a disk in a namespace of its own")
    app = app_source("async_items")
    test = """
async def test_it(client):
    for number in range(50):
        await client.post(f"/items/{number}-" + "x" * 60_000)
"""
    Project({"main.py": app, "test_it.py": test}).write(tmp_path)
    (tmp_path / "disk").mkdir()
    output = _on_small_disk(tmp_path, "1m")
    assert "GR016 no folder for the test databases could be made" in output, output
    assert "KiB are free" in output
    assert "GREENROOM_DIRECTORY" in output


def test_a_disk_that_runs_full_in_the_middle_is_named(tmp_path: Path) -> None:
    """What the app's statement gets is SQLite's own error; what the reset gets is greenroom's."""
    if not _can_mount():
        pytest.skip("this machine lets nobody mount a disk in a namespace of its own")
    app = app_source("async_items").replace(
        "app = FastAPI()",
        """
from contextlib import asynccontextmanager

@asynccontextmanager
async def lifespan(app):
    async with SessionLocal() as session:
        session.add_all([Item(name=f"{number}" + "x" * 60_000) for number in range(50)])
        await session.commit()
    yield

app = FastAPI(lifespan=lifespan)
""",
    )
    test = """
import pytest
from main import blocking_engine
from sqlalchemy.exc import OperationalError

def test_a_fills_the_disk(client):
    with blocking_engine.connect() as connection:
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql("DELETE FROM items")
        connection.exec_driver_sql("VACUUM")
    with open("disk/filler", "wb", buffering=0) as filler:
        try:
            while filler.write(b"x" * 4096):
                pass
        except OSError:
            pass
    with pytest.raises(OperationalError, match="full"):
        client.post("/items/" + "x" * 60_000)

def test_b_cannot_be_reset(): pass
"""
    Project({"main.py": app, "test_it.py": test}).write(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.greenroom]")
    (tmp_path / "disk").mkdir()
    output = _on_small_disk(tmp_path, "24m")
    assert "1 passed, 1 error" in output, output
    assert "GR023 the test database" in output, output
    assert "can't be written: database or disk is full" in output, output
    assert "greenroom/database" not in output, output


def _on_small_disk(folder: Path, size: str) -> str:
    command = (
        f"mount -t tmpfs -o size={size} tmpfs disk && "
        f"{sys.executable} -m pytest -p no:sqla -p no:randomly -p no:cacheprovider "
        "--greenroom-directory=disk"
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def _can_mount() -> bool:
    try:
        done = subprocess.run(
            ["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"],
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        return False
    return done.returncode == 0


def test_a_place_that_is_read_only_is_passed_over_and_named(tmp_path: Path) -> None:
    """The memory disk can't be written, so the temporary folder is used, and the header says so."""
    if not _can_mount():
        pytest.skip("this machine lets nobody mount a disk in a namespace of its own")
    test = "async def test_it(client): pass"
    Project({"main.py": app_source("async_items"), "test_it.py": test}).write(tmp_path)
    command = (
        "mount -t tmpfs -o ro tmpfs /dev/shm && "
        f"{sys.executable} -m pytest -p no:sqla -p no:cacheprovider"
    )
    user = f"read-only-{os.getpid()}"
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command],
        cwd=tmp_path,
        env={**os.environ, "LOGNAME": user},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "1 passed" in done.stdout, done.stdout
    assert "temporary folder (/dev/shm: read-only file system)" in done.stdout
    assert leftovers(user) == []
