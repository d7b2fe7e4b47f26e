"""5,000 tests in one run: nothing grows, and the last thousand costs what the first did.

Not a test of the suite, since it takes half a minute: `make soak`, which CI runs. Costs are compared
as ratios of CPU time within one run, each beside a fixed piece of work that is done in between: a machine
that becomes slower meanwhile slows both. What grows is compared with as many empty tests without greenroom:
pytest keeps its items and their reports.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.dialects import ASYNCPG
from tests.harness import Project, app_source

COUNT = 5000
#: What the last thousand may cost beside the cheapest one before. The server's CPU is accounted in hundredths of
#: a second, and is a second.
MOST, MOST_OF_THE_SERVER = 1.25, 1.5
#: A machine that others use too becomes slower in ways that the work in between doesn't show.
ATTEMPTS = 3
#: How much memory, in KiB, a test may add to what pytest itself keeps of it: what it has shown of the app's
#: operations, and caches that are full after some thousand tests.
MOST_MEMORY = 1.0

NOTES = """
import ctypes, gc, os, sys, time
from pathlib import Path

class Heap(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "a b c d e f g used h i".split()]

heap = ctypes.CDLL(None).mallinfo2
heap.restype = Heap

done = 0
yardstick = 0.0
def pytest_runtest_teardown(item, nextitem):
    global done, yardstick
    done += 1
    if done % 20 == 0:
        # A fixed piece of work, spread over the thousand: how fast the machine is just now.
        began = time.process_time()
        sum(number * number for number in range(20_000))
        yardstick += time.process_time() - began
    if done % 1000 == 0:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        spent = time.process_time() - yardstick
        size = pages * os.sysconf("SC_PAGE_SIZE")
        gc.collect()
        print(f"\\nsoak {spent:.3f} {yardstick:.4f} {size} {heap().used}", *asked_of_the_server())
        sys._debugmallocstats()  # Python's own heap: it goes to the standard error.
"""
OF_NO_SERVER = NOTES + "def asked_of_the_server(): return 0, 0"
OF_THE_SERVER = (
    NOTES
    + """
import psycopg
from main import engine

def asked_of_the_server():
    # Its connections, and the CPU time that all of its processes have taken, in seconds.
    folder = engine.url.query["host"]
    with psycopg.connect(host=folder, user="postgres", dbname="postgres") as server:
        count = server.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        ).fetchone()[0]
    first = int(Path(folder, "data", "postmaster.pid").read_text().split()[0])
    ticks = 0
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(file.parent.name) == first:
            ticks += sum(map(int, words[11:15]))  # Its own, and that of those who have ended.
        elif int(words[1]) == first:
            ticks += sum(map(int, words[11:13]))
    return count, ticks / os.sysconf("SC_CLK_TCK")
"""
)
TEST = f"""
import pytest
@pytest.mark.parametrize("number", range({COUNT}))
async def test_it(client, queries, outbound, number):
    assert (await client.post(f"/items/n{{number}}")).json() == 1
    assert (await client.get("/items")).json() == [f"n{{number}}"]
"""
EMPTY = f"""
import pytest
@pytest.mark.parametrize("number", range({COUNT}))
async def test_it(number): pass
"""
SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_test_loop_scope = session
asyncio_default_fixture_loop_scope = session
"""


@dataclass(frozen=True)
class Noted:
    """What was noted after each thousand: costs in seconds of CPU, memory in bytes.

    :param memory: what the process has from the system.
    :param heap: what of it is in use by C libraries; `objects`: by Python's objects.
    """

    spent: list[float]
    yardstick: list[float]
    memory: list[float]
    heap: list[float]
    connections: list[float]
    server: list[float]
    objects: list[float]

    @property
    def growth(self) -> float:
        """KiB in use that each test after the first thousand has added."""
        used = [sum(both) for both in zip(self.heap, self.objects, strict=True)]
        return (used[-1] - used[0]) / (COUNT - 1000) / 1024


def main() -> None:
    """Run the project, again if it isn't as promised: what grows, grows in each of the runs."""
    plain = run(
        {"pytest.ini": SETTINGS, "conftest.py": OF_NO_SERVER, "test_it.py": EMPTY}, "no:greenroom"
    )
    print(f"without greenroom a test that does nothing adds {plain.growth:.1f} KiB")
    app = ASYNCPG.app(app_source("async_items"))
    for attempt in range(1, ATTEMPTS + 1):
        noted = run({"main.py": app, "conftest.py": OF_THE_SERVER, "test_it.py": TEST}, "no:sqla")
        wrong = compare(noted, plain)
        if not wrong:
            return
        print(f"run {attempt} of {ATTEMPTS}: {'; '.join(wrong)}")
    raise SystemExit("in none of the runs was it as promised")


def run(files: dict[str, str], plugin: str) -> Noted:
    """Run a project, without a plugin; what was noted after each thousand."""
    with tempfile.TemporaryDirectory() as folder:
        Project(files).write(Path(folder))
        arguments = ["-q", "-s", "-p", plugin, "-p", "no:cacheprovider", "-p", "no:randomly"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    notes = re.findall(r"^soak (.+)$", done.stdout, re.MULTILINE)
    objects = re.findall(r"bytes in allocated blocks += +(\S+)", done.stderr)
    if f"{COUNT} passed" not in done.stdout or {len(notes), len(objects)} != {COUNT // 1000}:
        raise SystemExit(done.stdout[-3000:] + done.stderr[-1000:])
    columns = zip(*(note.split() for note in notes), strict=True)
    spent, yardstick, memory, heap, connections, server = ([*map(float, one)] for one in columns)
    own = [float(number.replace(",", "")) for number in objects]
    return Noted(spent, yardstick, memory, heap, connections, server, own)


def compare(noted: Noted, plain: Noted) -> list[str]:
    """Print what was noted, and what is wrong with it."""
    wrong = []
    measures = _differences(noted.yardstick)
    costs_of = (
        ("the tests' process", noted.spent, MOST),
        ("the server", noted.server, MOST_OF_THE_SERVER),
    )
    for who, spent, most in costs_of:
        each = _differences(spent)
        costs = [cpu / measure for cpu, measure in zip(each, measures, strict=True)]
        print(
            f"CPU of each thousand after the first, of {who}: {[round(cpu, 1) for cpu in each]} s"
        )
        print(f"  beside a fixed piece of work in between: {[round(cost, 1) for cost in costs]}")
        if costs[-1] > most * min(costs):
            wrong.append(
                f"the last thousand costs {who} {costs[-1] / min(costs):.2f} of the cheapest"
            )
    print(f"memory after each, in MiB: {[round(size / 2**20) for size in noted.memory]}")
    print(
        f"a test adds {noted.growth:.1f} KiB; connections: {[round(n) for n in noted.connections]}"
    )
    if noted.growth - plain.growth > MOST_MEMORY:
        wrong.append(
            f"a test adds {noted.growth - plain.growth:.1f} KiB to what pytest keeps of it"
        )
    if noted.connections[-1] > noted.connections[0]:
        wrong.append("connections grow")
    return wrong


def _differences(values: list[float]) -> list[float]:
    return [later - earlier for earlier, later in itertools.pairwise(values)]


if __name__ == "__main__":
    main()
