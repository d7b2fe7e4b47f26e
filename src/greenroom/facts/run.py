"""Which run, and which of its processes, this is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RunIdentity:
    """What tells this process's databases from those of others.

    :param run: the same in all workers of a run, and in no other run.
    :param worker: the worker's name; `main` where there is only one process.
    :param project: the project's folder.
    """

    run: str
    worker: str
    project: Path
