"""What the suite proves: the whole of it beside nothing of it, on the same thousand tests."""

from __future__ import annotations

import os
from statistics import median

from benchmarks.generate import GREENROOM, generate
from benchmarks.measure import timed

COUNT = 1000
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
PLUGINS = ["-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:sqla"]
#: Every rule, a budget, and every report.
ON = """
[tool.greenroom.contract]
mode = "fail"
[tool.greenroom.contract.rules]
undocumented = "report"
[tool.greenroom.contract.budgets]
"GET /items" = 10
"""


def main() -> None:
    """Print the ratio of CPU time, interleaved."""
    folder = generate(GREENROOM, COUNT)
    (folder / "pyproject.toml").write_text(ON, encoding="utf-8")
    kinds = {
        "off": ["--greenroom-contract=off"],
        "by default": ["--greenroom-contract=report"],
        "everything": ["--greenroom-report=terminal,html,json"],
    }
    costs: dict[str, list[float]] = {kind: [] for kind in kinds}
    for number in range(ROUNDS + 1):
        for kind, flags in kinds.items():
            cost, output, code = timed(["-m", "pytest", "-q", *PLUGINS, *flags], folder, {})
            if code or f"{COUNT} passed" not in output:
                raise RuntimeError(output[-3000:])
            if number:
                costs[kind].append(cost.cpu)
    print(f"\nWhat the suite proves, {COUNT} tests, CPU; medians of {ROUNDS} interleaved rounds")
    for kind in ("by default", "everything"):
        ratio = median(on / off for on, off in zip(costs[kind], costs["off"], strict=True))
        print(f"{kind:12} {ratio:6.2f} of off")


if __name__ == "__main__":
    main()
