"""Print what greenroom costs beside the usual recipes: medians of ratios, run interleaved."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import median

from benchmarks import clients, contract, passwords, postgresql, resets, rows
from benchmarks.entry_point import import_cost, run_ratio
from benchmarks.generate import CONFTESTS, FLOOR, GREENROOM, generate
from benchmarks.measure import Cost, run

SIZES = (100, 1000)
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))

LEFT_OUT = """
Left out: recipes that don't isolate this suite at all (`begin()` without a savepoint, rollback of
what was committed); server databases and `-n`, which benchmarks.postgresql has. The
recipes run at their best: a session loop, one in-memory connection, a schema that is built once.
What they get wrong is not part of a time: docs/why.md lists it."""


def main() -> None:
    """Run every kind in turn, round by round, and print the ratios."""
    kinds = (GREENROOM, *CONFTESTS, FLOOR)
    # All kinds of one size stand side by side, so that a machine that drifts drifts for all.
    folders = {(kind, size): generate(kind, size) for size in SIZES for kind in kinds}
    costs: dict[tuple[str, int], list[Cost]] = {key: [] for key in folders}
    for number in range(ROUNDS + 1):
        for (kind, size), folder in folders.items():
            cost = run(kind, folder, size)
            if number > 0:  # The first round warms the caches up.
                costs[kind, size].append(cost)
        print(f"round {number} of {ROUNDS}", file=sys.stderr, flush=True)
    small, large = SIZES
    print(f"greenroom beside the usual recipes, SQLite; medians of {ROUNDS} interleaved rounds")
    print(f"\n{'':24}{'greenroom / recipe':>44}")
    print(f"{'':24}{f'CPU, {small}':>12}{f'CPU, {large}':>12}{f'wall, {large}':>12}", end="")
    print(f"{'CPU a test':>12}{'ms a test':>12}")
    for kind in kinds:
        print(_row(kind, costs, small, large))
    print("\nCPU a test: the difference of the two sizes, so that start-up is out of it.")
    print(f"\nEntry point: {import_cost(3 * ROUNDS):.1f} ms of CPU to import it;", end=" ")
    print(f"a run that doesn't use it: {run_ratio(2 * ROUNDS):.2f} of one without it (CPU).")
    print(LEFT_OUT)
    clients.main()
    passwords.main()
    contract.main()
    rows.main()
    resets.main()
    postgresql.main()
    for file in Path("/dev/shm").glob("greenroom-floor-*"):  # noqa: S108
        file.unlink()


def _row(kind: str, costs: dict[tuple[str, int], list[Cost]], small: int, large: int) -> str:
    def ratio(size: int, figure: str) -> float:
        pairs = zip(costs[GREENROOM, size], costs[kind, size], strict=True)
        ratios = [getattr(ours, figure) / getattr(theirs, figure) for ours, theirs in pairs]
        return float(median(ratios))

    ours = _per_test(costs, GREENROOM, small, large)
    theirs = _per_test(costs, kind, small, large)
    marginal = median(our / their for our, their in zip(ours, theirs, strict=True))
    cells = [ratio(small, "cpu"), ratio(large, "cpu"), ratio(large, "wall"), marginal]
    return f"{kind:24}" + "".join(f"{cell:12.2f}" for cell in cells) + f"{median(theirs):12.2f}"


def _per_test(
    costs: dict[tuple[str, int], list[Cost]], kind: str, small: int, large: int
) -> list[float]:
    """Milliseconds of CPU that one more test costs, round by round."""
    pairs = zip(costs[kind, small], costs[kind, large], strict=True)
    return [1000 * (more.cpu - less.cpu) / (large - small) for less, more in pairs]


main()
