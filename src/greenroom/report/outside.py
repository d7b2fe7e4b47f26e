"""The lines of what tests met outside of the app."""

from __future__ import annotations

from collections.abc import Iterable

from greenroom.facts.sleep import Sleep

#: How many places are told.
MOST = 10


def sleeps(slept: Iterable[Sleep]) -> list[str]:
    """The places that really sleep, the longest in sum first."""
    places: dict[tuple[str, str], list[Sleep]] = {}
    for one in slept:
        places.setdefault((one.where, one.what), []).append(one)
    ordered = sorted(places.items(), key=lambda item: (-sum(one.seconds for one in item[1]), item))
    lines = []
    for (where, what), found in ordered[:MOST]:
        total = sum(one.seconds for one in found)
        tests = sorted({one.test for one in found})
        others = f" and {len(tests) - 1} more" if len(tests) > 1 else ""
        lines.append(f"{where} slept {total:g} s in all ({what}): {tests[0]}{others}")
    if len(ordered) > MOST:
        lines.append(f"and {len(ordered) - MOST} more places")
    return lines


def refused(hosts: Iterable[str]) -> list[str]:
    """The hosts that no line of the project's asked for."""
    return [
        f"GR045 a library wanted to connect to {host} by itself, which was refused."
        for host in sorted(set(hosts))
    ]
