"""The header's line: what was chosen, and where that came from."""

from __future__ import annotations

from greenroom.facts.left import LeftBehind
from greenroom.facts.summary import RunSummary


def header(summary: RunSummary, seed: int = 0) -> str:
    """One line for pytest's header.

    :param seed: what made values follow from; told unless it's the default.
    """
    parts = [f"app {summary.app} ({summary.app_source})"]
    for database in dict.fromkeys(summary.databases):
        count = summary.databases.count(database)
        times = f" ({count} databases)" if count > 1 else ""
        parts.append(f"{database.product}{times}, {database.place}")
    parts.append(summary.isolation)
    if summary.databases and summary.schema:
        parts.append(summary.schema)
    if summary.env_file:
        parts.append(summary.env_file)
    parts += summary.notes
    if seed:
        parts.append(f"seed {seed}")
    parts.append(f"active: {summary.active_because}")
    return "greenroom: " + " · ".join(parts)


def left_behind(left: LeftBehind) -> list[str]:
    """The lines that name the tests which left something behind."""
    lines = [
        f"GR021 {test} left a transaction open; it was rolled back."
        for test in left.open_transaction
    ]
    lines += [
        f"GR025 {test} left work running on the event loop; it goes on." for test in left.running
    ]
    lines += [f"GR036 {test} left {what} changed; it was put back." for test, what in left.changed]
    lines += [
        f"GR037 {test} left a connection checked out of its pool; it stays there."
        for test in left.not_returned
    ]
    return list(dict.fromkeys(lines))
