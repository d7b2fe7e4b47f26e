"""What the entry point costs a project that doesn't use greenroom."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

_IMPORT = """
import time, pytest, pytest_asyncio
began = time.process_time()
import greenroom.plugin.door
imported = time.process_time()
print(imported - began)
"""
_RUN = """
import sys, time, pytest
began = time.process_time()
code = pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:sqla", *sys.argv[1:]])
print(time.process_time() - began, file=sys.stderr)
sys.exit(code)
"""


def import_cost(rounds: int) -> float:
    """Milliseconds of CPU to import the entry point, in a fresh process: the median."""
    return median(1000 * float(_python(_IMPORT).stdout) for _ in range(rounds))


def run_ratio(rounds: int) -> float:
    """CPU of a run of one test in a project without an app, over the same with `-p no:greenroom`."""
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_it.py").write_text("def test_it(): pass\n", encoding="utf-8")
        for _ in range(rounds):
            installed = float(_python(_RUN, cwd=folder).stderr.split()[-1])
            without = float(_python(_RUN, "-p", "no:greenroom", cwd=folder).stderr.split()[-1])
            ratios.append(installed / without)
    return median(ratios)


def _python(code: str, *args: str, cwd: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *args], cwd=cwd, capture_output=True, text=True, check=True
    )
