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


def refused(found: Iterable[tuple[str, str]]) -> list[str]:
    """What was refused, and fails no test.

    :param found: who asked, and for what.
    """
    return [
        f"GR045 {who} wanted to connect to {place}, which was refused."
        for who, place in sorted({(str(who), str(place)) for who, place in found})
    ]
