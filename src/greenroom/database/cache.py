"""What is kept between runs, where the system keeps such things; losing it costs time and nothing else."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

#: After so many seconds without use, something kept is removed.
LONGEST_REST = 30 * 24 * 3600


def folder() -> Path | None:
    """Greenroom's part of the user's cache; None where it can't be written."""
    if os.environ.get("XDG_CACHE_HOME"):
        base = Path(os.environ["XDG_CACHE_HOME"])
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path.home() / ".cache"
    try:
        made = base / "greenroom"
        made.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return made if os.access(made, os.W_OK) else None


def forget_unused(parent: Path) -> None:
    """Remove the folders in there that nobody has used for long."""
    if not parent.is_dir():
        return
    for kept in parent.iterdir():
        try:
            rested = time.time() - kept.stat().st_mtime
        except OSError:
            continue
        if kept.is_dir() and rested > LONGEST_REST:
            shutil.rmtree(kept, ignore_errors=True)
