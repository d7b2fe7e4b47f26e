"""The markers: each is a function, and a use of it is checked by calling that function."""

from __future__ import annotations

import pytest

from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.isolation import ACCEPTED, Isolation

ISOLATION = "isolation(mode): what becomes of the rows that this test leaves behind: " + ", ".join(
    ACCEPTED
)


def isolation(mode: str) -> Isolation:
    """`@pytest.mark.isolation("reset")`: the isolation of one test.

    :param mode: one of the isolations.
    :raises ValueError: if there is no such isolation.
    """
    try:
        return Isolation(mode)
    except ValueError:
        raise ValueError(f"{mode!r} is not one of {', '.join(map(repr, ACCEPTED))}") from None


def isolation_of(item: pytest.Item) -> Isolation | None:
    """What the nearest marker says; None if there is none. It has been checked."""
    mark = item.get_closest_marker("isolation")
    return isolation(*mark.args, **mark.kwargs) if mark is not None else None


def check(items: list[pytest.Item]) -> None:
    """Check every use of a greenroom marker.

    :raises GreenroomError: with a line for each wrong one.
    """
    wrong: dict[str, None] = {}
    for item in items:
        for mark in item.iter_markers("isolation"):
            try:
                isolation(*mark.args, **mark.kwargs)
            except (TypeError, ValueError) as error:
                written = [repr(value) for value in mark.args]
                written += [f"{name}={value!r}" for name, value in mark.kwargs.items()]
                wrong[f"  {item.nodeid}: isolation({', '.join(written)}): {error}"] = None
    if wrong:
        raise GreenroomError(
            Code.MARKER,
            "a marker of greenroom is used wrongly.",
            "\n".join(wrong)
            + f"\nWrite @pytest.mark.isolation(mode) with one of {', '.join(map(repr, ACCEPTED))}.",
        )
