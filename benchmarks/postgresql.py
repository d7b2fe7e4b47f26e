"""A whole suite on PostgreSQL: greenroom beside the usual recipes, one server for all of them.

The fastest recipe is the wrong one that everybody has: a session that the test and the app share, and a rollback
of its one transaction. It is the fastest way there is, since nothing is ever written. What writing costs is told
by a bound: the same suite with real commits, and nothing undone but the one table that it writes to.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from statistics import median

import psycopg

from benchmarks.generate import GREENROOM, generate
from benchmarks.measure import Cost, timed
from benchmarks.resets import embedded_server

FASTEST = "connection_transaction"
#: Those whose one connection is held for a whole test; the others take theirs from a pool.
ONE_CONNECTION = (FASTEST, "create_savepoint")
OTHERS = (*ONE_CONNECTION, "delete_per_test", "drop_create")
#: `delete_per_test` that empties one table, as if it were told which one.
BOUND = "bound"
#: The same suite under greenroom's isolation `rollback`.
SAVEPOINTS = "rollback"
TWO = "-n 2"
OURS = (GREENROOM, SAVEPOINTS, TWO)
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SMALL, LARGE = 1000, 5000
_SQLITE = 'create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)'
_LISTENERS = re.compile(r"    @event\.listens_for.*?\n\n(?=    async with)", re.DOTALL)


def main() -> None:
    """Print the ratios of wall time and of the test process's CPU; then `-n 2`."""
    print(f"\nA whole suite on PostgreSQL by asyncpg; medians of {ROUNDS} interleaved rounds")
    with embedded_server() as url:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute("CREATE DATABASE recipe")
        _compare(url, SMALL, [GREENROOM, SAVEPOINTS, *OTHERS, BOUND, TWO], ROUNDS)
        _compare(url, LARGE, [GREENROOM, FASTEST, TWO], 1)


def _compare(url: str, count: int, kinds: list[str], rounds: int) -> None:
    folders = {kind: _generated(kind, count) for kind in kinds}
    costs: dict[str, list[Cost]] = {kind: [] for kind in kinds}
    for number in range(rounds + 1):
        for kind, folder in folders.items():
            cost = _run(kind, folder, count, url)
            if number > 0:  # The first round warms the caches up.
                costs[kind].append(cost)
    print(f"{count} tests{'greenroom / it: wall':>36}{'CPU':>8}{'ms a test':>12}")
    for kind, its in costs.items():
        pairs = list(zip(costs[GREENROOM], its, strict=True))
        wall = median(ours.wall / cost.wall for ours, cost in pairs)
        # Of a run with workers, only the controller's CPU is accounted.
        cpu = "" if kind == TWO else f"{median(ours.cpu / cost.cpu for ours, cost in pairs):.2f}"
        each = 1000 * median(cost.wall for cost in its) / count
        print(f"  {kind:24}{wall:20.2f}{cpu:>8}{each:12.2f}", flush=True)


def _generated(kind: str, count: int) -> Path:
    if kind in OURS:
        return generate(GREENROOM, count, kind)
    folder = generate("delete_per_test" if kind == BOUND else kind, count, kind)
    pool = ", poolclass=StaticPool" if kind in ONE_CONNECTION else ""
    conftest = (folder / "conftest.py").read_text(encoding="utf-8")
    # What SQLite needs for savepoints, PostgreSQL doesn't.
    conftest = _LISTENERS.sub("", conftest).replace(
        _SQLITE, f'create_async_engine(__import__("os").environ["DATABASE_URL"]{pool})'
    )
    if kind == BOUND:
        conftest = conftest.replace(
            "reversed(Base.metadata.sorted_tables)", '[Base.metadata.tables["items"]]'
        )
    if kind != "drop_create":
        # All of them have the same database in turn.
        conftest = conftest.replace(
            "create_all)",
            "drop_all)\n        await connection.run_sync(Base.metadata.create_all)",
        )
    (folder / "conftest.py").write_text(conftest, encoding="utf-8")
    return folder


def _run(kind: str, folder: Path, count: int, url: str) -> Cost:
    arguments = ["-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:sqla"]
    arguments += ["-n", "2"] if kind == TWO else ["-p", "no:xdist"]
    if kind not in OURS:
        arguments += ["-p", "no:greenroom"]
    socket = re.findall(r"host=(\S+)", url)[0]
    environ = {
        "DATABASE_URL": f"postgresql+asyncpg://postgres@/recipe?host={socket}",
        "GREENROOM_DATABASE": url,
        "GREENROOM_ISOLATION": "rollback" if kind == SAVEPOINTS else "reset",
    }
    cost, output, _ = timed([*arguments, "-p", "no:cacheprovider"], folder, environ)
    if f"{count} passed" not in output:
        raise RuntimeError(f"{kind} with {count} tests failed:\n{output[-3000:]}")
    return cost


if __name__ == "__main__":
    main()
