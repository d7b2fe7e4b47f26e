"""How runs and workers end: by themselves, by Ctrl-C or by a kill, nothing of theirs is left."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from greenroom.database import made
from tests.dialects import KINDS_OF_SERVER, SERVERS, SQLITE, Dialect
from tests.harness import OTHERS, Project, gone, started, until
from tests.plugin.test_faults import EMBEDDED, WHERE, folder_in, project
from tests.plugin.test_migrations import SYNC_ENV
from tests.plugin.test_migrations import project as migrated

SECONDS = 60

DIES = (
    WHERE
    + """
import os, pytest
@pytest.mark.parametrize("number", range(6))
async def test_it(client, number):
    assert (await client.post("/items/lamp")).json() == 1
    with open(f"where-{os.getpid()}", "w") as file:
        file.write("socket " + engine.url.query["host"])
    # Once: with some distributions xdist runs it again.
    if number == 3 and not os.path.exists("died"):
        open("died", "w").close()
        os.kill(os.getpid(), 9)
"""
)


@pytest.mark.parametrize("distribution", ["load", "loadscope", "worksteal"])
def test_a_worker_that_is_killed_takes_nothing_with_it(
    pytester: pytest.Pytester, distribution: str
) -> None:
    """The others go on with the same server, and it is gone after the run."""
    run = project(EMBEDDED, DIES).run_subprocess(pytester, "-n", "2", "--dist", distribution)
    outcomes = run.ran.parseoutcomes()
    assert outcomes["passed"] >= 5, run.out
    assert outcomes["failed"] == 1
    for note in run.folder.glob("where-*"):
        assert gone(folder_in(note.read_text()))


LEAVES = """
import os, pytest, signal
@pytest.mark.parametrize("number", range(40))
async def test_it(client, number):
    assert (await client.post("/items/lamp")).json() == 1
    if number == 3 and not os.path.exists("died"):
        open("died", "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("dialect", SERVERS[2:4])
@pytest.mark.parametrize("restarts", ["0", "2"])
def test_a_worker_that_is_killed_leaves_nothing_on_a_named_server(
    pytester: pytest.Pytester, served: Dialect, restarts: str
) -> None:
    """The others end later, and drop what was its; also where none takes its place."""
    arguments = ("-n", "2", "-p", "no:randomly", "--max-worker-restart", restarts)
    run = project(served, LEAVES).run_subprocess(pytester, *arguments)
    outcomes = run.ran.parseoutcomes()
    assert outcomes["failed"] == 1, run.out
    assert restarts == "0" or outcomes["passed"] == 39, run.out
    assert served.server is not None
    left = [one for one in made.find(served.server) if one.project == str(pytester.path)]
    assert {one.kind for one in left} <= {"template"}, left


WAITS = (
    WHERE
    + """
from pathlib import Path
import asyncio
async def test_it(client):
    assert (await client.post("/items/lamp")).json() == 1
    Path("written").write_text("socket " + engine.url.query["host"])
    Path("written").rename("where")
    while not Path("go on").exists():
        await asyncio.sleep(0.01)
"""
)


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_the_server_goes_with_the_run(tmp_path: Path, how: signal.Signals, workers: str) -> None:
    """Ctrl-C, a kill, a kill -9: no next run is needed for it."""
    project(EMBEDDED, WAITS).write(tmp_path)
    with started(tmp_path, "-n", workers) as process:
        try:
            assert until((tmp_path / "where").exists, process)
            folder = folder_in((tmp_path / "where").read_text())
            os.killpg(process.pid, how)
            process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    assert gone(folder)


FILLS = """
def fill(execute):
    execute("INSERT INTO items (id, name) SELECT n + 1, repeat('x', 30) || n FROM generate_series(1, 6000000) n")
"""
CALLABLE = """
from sqlalchemy import text
from filling import fill
from main import Base
def build(connection):
    Base.metadata.create_all(connection)
    fill(lambda statement: connection.execute(text(statement)))
"""
MIGRATION = '''
"""too many rows"""
revision = "77aa00"
down_revision = "3f9c1a"
from alembic import op
from filling import fill
def upgrade():
    fill(op.execute)
'''


@pytest.mark.parametrize("schema", ["tables:build", "alembic"])
def test_a_disk_that_is_full_when_the_template_is_built_is_named(
    tmp_path: Path, schema: str
) -> None:
    """A disk of its own, and what makes the tables writes too much; nothing half-made is used after."""
    can = subprocess.run(
        ["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"],
        capture_output=True,
        check=False,
    )
    if can.returncode:
        pytest.skip("this machine lets nobody mount a disk in a namespace of its own")
    own = project(EMBEDDED, "async def test_it(client): pass")
    files = {**own.files, "tables.py": CALLABLE}
    if schema == "alembic":
        later = {"migrations/versions/77aa00_more.py": MIGRATION}
        files = dict(migrated(EMBEDDED, SYNC_ENV, **later).files)
    Project({**files, "filling.py": FILLS}).write(tmp_path)
    # The folder of a test is too far down for a socket: the disk is bound to a short path.
    command = (
        "mount -t tmpfs -o size=320m tmpfs /mnt && "
        f"{sys.executable} -m pytest {' '.join(OTHERS)} --greenroom-directory=/mnt -p no:cacheprovider; "
        "echo left: $(ls /mnt)"
    )
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", command],
        cwd=tmp_path,
        env={**os.environ, "GREENROOM_SCHEMA": schema},
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    assert output.count("GR023") == 1, output
    assert "No space left" in output, output
    assert "greenroom/database" not in output, output
    left = re.search(r"^left:(.*)$", output, re.MULTILINE)
    assert left is not None
    assert "greenroom-" not in left[1], output


WAITS_ON_A_SERVER = """
from pathlib import Path
import asyncio
from main import engine
async def test_it(client):
    assert (await client.post("/items/lamp")).json() == 1
    if not Path("go on").exists():
        Path("written").write_text(engine.url.database)
        Path("written").rename("where")
    while not Path("go on").exists():
        await asyncio.sleep(0.01)
"""


@pytest.mark.parametrize("dialect", SERVERS[2:5])
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_named_server_keeps_nothing_of_a_run_that_ends(
    tmp_path: Path, served: Dialect, how: signal.Signals
) -> None:
    """After Ctrl-C at once, after a kill -9 with the next run: templates stay, and nothing else."""
    project(served, WAITS_ON_A_SERVER).write(tmp_path)
    environ = {**os.environ, **served.environ}
    with started(tmp_path, "-n", "2", environ=environ) as process:
        try:
            assert until((tmp_path / "where").exists, process)
            os.killpg(process.pid, how)
            process.communicate(timeout=SECONDS)
        finally:
            process.kill()
    if how == signal.SIGKILL:
        (tmp_path / "go on").touch()
        output = started(tmp_path, "-n", "2", environ=environ).communicate(timeout=SECONDS)[0]
        assert "1 passed" in output, output
    assert served.server is not None
    left = [one for one in made.find(served.server) if one.project == str(tmp_path)]
    assert {one.kind for one in left} <= {"template"}, left
    assert not [one for one in left if one.in_use]


@pytest.mark.parametrize("dialect", [pytest.param(SQLITE, id="sqlite"), *KINDS_OF_SERVER])
def test_two_runs_at_once_do_not_meet(pytester: pytest.Pytester, served: Dialect) -> None:
    """Of one project, on one server."""
    test = """
import pytest
@pytest.mark.parametrize("number", range(20))
async def test_it(client, number):
    assert (await client.post("/items/lamp")).json() == 1
    assert (await client.get("/items")).json() == ["lamp"]
"""
    project(served, test).write(pytester.path)
    command = [sys.executable, "-m", "pytest", *OTHERS, "-p", "no:cacheprovider"]
    environ = {**os.environ, **served.environ}
    runs = [
        subprocess.Popen(command, cwd=pytester.path, env=environ, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for run in runs:
        output = run.communicate(timeout=SECONDS)[0]
        assert "20 passed" in output, output
