"""Where the run's state lies: on pytest's config, under a typed key."""

from __future__ import annotations

import pytest

from greenroom.runtime.room import Room

ROOM = pytest.StashKey[Room]()


def is_controller(config: pytest.Config) -> bool:
    """Whether this process only hands tests out to xdist's workers."""
    distributes = config.getoption("dist", "no") != "no"
    return distributes and not hasattr(config, "workerinput")
