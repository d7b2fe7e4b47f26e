"""A whole suite on PostgreSQL: greenroom beside the connection-transaction recipe, one server for both.

The recipe is the wrong one that everybody has: a session that the test and the app share, and a
rollback of its one transaction. It is the fastest way there is, since nothing is ever written.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from statistics import median

import psycopg

from benchmarks.generate import GREENROOM, RECIPES, generate
from benchmarks.measure import timed
from benchmarks.resets import embedded_server

RECIPE = "connection_transaction"
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SIZES = (1000, 5000)


def main() -> None:
    """Print the ratios of wall time and of the test process's CPU, round by round; then `-n 2`."""
    print(f"\nA whole suite on PostgreSQL by asyncpg; medians of {ROUNDS} interleaved rounds")
    with embedded_server() as url:
        folder = re.findall(r"host=(\S+)", url)[0]
        with psycopg.connect(url, autocommit=True) as server:
            server.execute("CREATE DATABASE recipe")
        for count in SIZES:
            ours, theirs = generate(GREENROOM, count), generate(RECIPE, count)
            conftest = (RECIPES / f"{RECIPE}.py").read_text()
            conftest = conftest.replace(
                'create_async_engine("sqlite+aiosqlite://", poolclass=StaticPool)',
                'create_async_engine(__import__("os").environ["DATABASE_URL"], poolclass=StaticPool)',
            )
            (theirs / "conftest.py").write_text(
                conftest.replace(
                    "create_all)",
                    "drop_all)\n        await connection.run_sync(Base.metadata.create_all)",
                )
            )
            times: dict[str, list[tuple[float, float]]] = {"ours": [], "theirs": [], "two": []}
            for number in range(ROUNDS + 1 if count == SIZES[0] else 2):
                found = {
                    "ours": _run(ours, count, url, folder),
                    "theirs": _run(theirs, count, url, folder, "-p", "no:greenroom"),
                    "two": _run(ours, count, url, folder, "-n", "2"),
                }
                for name, cost in found.items():
                    if number:
                        times[name].append(cost)
            wall, cpu = (
                median(o[i] / t[i] for o, t in zip(times["ours"], times["theirs"], strict=True))
                for i in (0, 1)
            )
            two = median(t[0] / o[0] for o, t in zip(times["ours"], times["two"], strict=True))
            per_test = 1000 * median(wall for wall, _ in times["ours"]) / count
            print(
                f"{count:6} tests: greenroom / recipe {wall:.2f} wall, {cpu:.2f} CPU; "
                f"-n 2 / one process {two:.2f} wall; {per_test:.2f} ms a test",
                flush=True,
            )


def _run(folder: Path, count: int, url: str, socket: str, *more: str) -> tuple[float, float]:
    arguments = ["-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:sqla"]
    if "-n" not in more:
        arguments += ["-p", "no:xdist"]
    environ = {
        "DATABASE_URL": f"postgresql+asyncpg://postgres@/recipe?host={socket}",
        "GREENROOM_DATABASE": url,
    }
    cost, output, _ = timed([*arguments, "-p", "no:cacheprovider", *more], folder, environ)
    if f"{count} passed" not in output:
        raise RuntimeError(output[-3000:])
    return cost.wall, cost.cpu


if __name__ == "__main__":
    main()
