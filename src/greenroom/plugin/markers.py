"""The markers: each is a function, and a use of it is checked by calling that function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.isolation import ACCEPTED, Isolation
from greenroom.facts.outgoing import BLOCK, Outgoing
from greenroom.facts.sleep import MODES as SLEEPS

T = TypeVar("T")


def isolation(mode: str) -> Isolation:
    """`@pytest.mark.isolation("reset")`: the isolation of one test.

    :param mode: one of the isolations.
    :raises ValueError: if there is no such isolation.
    """
    try:
        return Isolation(mode)
    except ValueError:
        raise ValueError(f"{mode!r} is not one of {', '.join(map(repr, ACCEPTED))}") from None


def outgoing(*hosts: str) -> Outgoing:
    """`@pytest.mark.outgoing("api.example.com")`: the hosts that one test may connect to.

    :param hosts: their names or addresses, or "allow" for all, or "block" for none.
    :raises ValueError: if one is no host.
    """
    if not hosts or not all(isinstance(host, str) for host in hosts):
        raise ValueError(f"it takes hosts, 'allow' or {BLOCK!r}")
    return Outgoing.parse(",".join(hosts))


def sleep(mode: str) -> str:
    """`@pytest.mark.sleep("off")`: what becomes of the real sleeps of one test.

    :param mode: "report", "fail" or "off".
    :raises ValueError: if it's none of them.
    """
    if mode not in SLEEPS:
        raise ValueError(f"{mode!r} is not one of {', '.join(map(repr, SLEEPS))}")
    return mode


#: Each marker: its function, how it's written, and what it says.
_MARKERS: dict[str, tuple[Callable[..., Any], str, str]] = {
    "isolation": (
        isolation,
        f"isolation(mode) with one of {', '.join(map(repr, ACCEPTED))}",
        "isolation(mode): what becomes of the rows that this test leaves behind: "
        + ", ".join(ACCEPTED),
    ),
    "outgoing": (
        outgoing,
        "outgoing(host, ...) with hosts, 'allow' or 'block'",
        "outgoing(host, ...): the hosts that this test may connect to; allow for all, block for none",
    ),
    "sleep": (
        sleep,
        f"sleep(mode) with one of {', '.join(map(repr, SLEEPS))}",
        "sleep(mode): what becomes of this test's real sleeps: " + ", ".join(SLEEPS),
    ),
}
#: What `pytest --markers` says.
LINES = tuple(line for _, _, line in _MARKERS.values())
NAMES = tuple(_MARKERS)


def isolation_of(item: pytest.Item) -> Isolation | None:
    """What the nearest marker says; None if there is none. It has been checked."""
    return _said(item, isolation)


def outgoing_of(item: pytest.Item) -> Outgoing | None:
    """What the nearest marker allows; None if there is none. It has been checked."""
    return _said(item, outgoing)


def sleep_of(item: pytest.Item) -> str | None:
    """What the nearest marker says; None if there is none. It has been checked."""
    return _said(item, sleep)


def _said(item: pytest.Item, marker: Callable[..., T]) -> T | None:
    mark = item.get_closest_marker(marker.__name__)
    return marker(*mark.args, **mark.kwargs) if mark is not None else None


def check(items: list[pytest.Item]) -> None:
    """Check every use of a greenroom marker.

    :raises GreenroomError: with a line for each wrong one.
    """
    wrong: dict[str, None] = {}
    used: dict[str, None] = {}
    for item in items:
        for mark in item.iter_markers():
            if mark.name not in _MARKERS:
                continue
            function, how, _ = _MARKERS[mark.name]
            try:
                function(*mark.args, **mark.kwargs)
            except (TypeError, ValueError) as error:
                written = [repr(value) for value in mark.args]
                written += [f"{name}={value!r}" for name, value in mark.kwargs.items()]
                wrong[f"  {item.nodeid}: {mark.name}({', '.join(written)}): {error}"] = None
                used[f"Write @pytest.mark.{how}."] = None
    if wrong:
        raise GreenroomError(
            Code.MARKER,
            "a marker of greenroom is used wrongly.",
            "\n".join([*wrong, *used]),
        )
