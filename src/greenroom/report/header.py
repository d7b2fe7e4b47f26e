"""The header's line: what was chosen, and where that came from."""

from __future__ import annotations

from greenroom.facts.summary import RunSummary


def header(summary: RunSummary) -> str:
    """One line for pytest's header."""
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
    parts.append(f"active: {summary.active_because}")
    return "greenroom: " + " · ".join(parts)


def left_behind(
    open_transaction: list[str],
    running: list[str],
    changed: list[tuple[str, str]],
    not_returned: list[str],
) -> list[str]:
    """The lines that name the tests which left something behind.

    :param changed: each test with what it has changed.
    """
    lines = [
        f"GR021 {test} left a transaction open; it was rolled back." for test in open_transaction
    ]
    lines += [f"GR025 {test} left work running on the event loop; it goes on." for test in running]
    lines += [f"GR036 {test} left {what} changed; it was put back." for test, what in changed]
    lines += [
        f"GR037 {test} left a connection checked out of its pool; it stays there."
        for test in not_returned
    ]
    return list(dict.fromkeys(lines))
