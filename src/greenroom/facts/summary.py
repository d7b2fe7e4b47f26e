"""What a run has chosen, for its header."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DatabaseSummary:
    """One test database as the header shows it."""

    product: str
    place: str


@dataclass(frozen=True, slots=True)
class RunSummary:
    """Everything that the header of a run says."""

    app: str
    app_source: str
    active_because: str
    isolation: str
    databases: tuple[DatabaseSummary, ...]
    schema: str
    env_file: str | None = None
    notes: tuple[str, ...] = ()
