"""5,000 tests in one run: nothing grows, and the last thousand costs what the first did.

Not a test of the suite, since it takes half a minute: `make soak`, which CI runs. Costs are compared
as ratios of CPU time within one run, each beside a fixed piece of work that is done in between: a machine
that becomes slower meanwhile slows both.
"""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.dialects import ASYNCPG
from tests.harness import Project, app_source

COUNT = 5000
#: What the last thousand may cost beside the cheapest one before.
MOST = 1.25
#: A machine that others use too becomes slower in ways that the work in between doesn't show.
ATTEMPTS = 3
#: How much memory, in MiB, four thousand tests may add: reports of the tests are kept by pytest.
MOST_MEMORY = 40

CONFTEST = """
import os, time
from pathlib import Path
import psycopg, pytest
from main import engine

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
        url = engine.url
        with psycopg.connect(host=url.query["host"], user="postgres", dbname="postgres") as server:
            count = server.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
            ).fetchone()[0]
        spent = time.process_time() - yardstick
        size = pages * os.sysconf("SC_PAGE_SIZE") >> 20
        print(f"\\nsoak {spent:.3f} {yardstick:.4f} {size} {count}")
"""
TEST = f"""
import pytest
@pytest.mark.parametrize("number", range({COUNT}))
async def test_it(client, number):
    assert (await client.post(f"/items/n{{number}}")).json() == 1
    assert (await client.get("/items")).json() == [f"n{{number}}"]
"""


def main() -> None:
    """Run the project, again if it isn't as promised: what grows, grows in each of the runs."""
    for attempt in range(1, ATTEMPTS + 1):
        wrong = run()
        if not wrong:
            return
        print(f"run {attempt} of {ATTEMPTS}: {'; '.join(wrong)}")
    raise SystemExit("in none of the runs was it as promised")


def run() -> list[str]:
    """Run the project, and compare what was noted after each thousand; what is wrong with it."""
    with tempfile.TemporaryDirectory() as folder:
        app = ASYNCPG.app(app_source("async_items"))
        Project({"main.py": app, "conftest.py": CONFTEST, "test_it.py": TEST}).write(Path(folder))
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:sqla", "-p", "no:cacheprovider"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    notes = re.findall(r"soak (\S+) (\S+) (\d+) (\d+)", done.stdout)
    if f"{COUNT} passed" not in done.stdout or len(notes) != COUNT // 1000:
        raise SystemExit(done.stdout[-3000:] + done.stderr[-1000:])
    spent, measures = (_differences([float(note[place]) for note in notes]) for place in (0, 1))
    costs = [cpu / measure for cpu, measure in zip(spent, measures, strict=True)]
    memory = [int(note[2]) for note in notes]
    connections = [int(note[3]) for note in notes]
    print(f"CPU of each thousand after the first, in seconds: {[round(cpu, 1) for cpu in spent]}")
    print(f"beside a fixed piece of work in between: {[round(cost, 1) for cost in costs]}")
    print(f"memory after each, in MiB: {memory}; connections: {connections}")
    wrong = []
    if costs[-1] > MOST * min(costs):
        wrong.append(f"the last thousand costs {costs[-1] / min(costs):.2f} of the cheapest")
    if memory[-1] - memory[0] > MOST_MEMORY:
        wrong.append(f"memory grows by {memory[-1] - memory[0]} MiB")
    if connections[-1] > connections[0]:
        wrong.append("connections grow")
    return wrong


def _differences(values: list[float]) -> list[float]:
    return [later - earlier for earlier, later in itertools.pairwise(values)]


if __name__ == "__main__":
    main()
