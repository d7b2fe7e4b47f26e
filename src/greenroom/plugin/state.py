"""Where the run's state lies: on pytest's config, under a typed key."""

from __future__ import annotations

import pytest

from greenroom.runtime.room import Room

ROOM = pytest.StashKey[Room]()


def seed_of(config: pytest.Config) -> int:
    """What made values follow from: what was said, or pytest-randomly's, or 0. Workers have one seed."""
    said = config.stash[ROOM].settings.seed.value
    if said is not None:
        return said
    randomly = config.getoption("randomly_seed", None)
    given = getattr(config, "workerinput", {}).get("randomly_seed", randomly)
    return given if isinstance(given, int) and config.pluginmanager.hasplugin("randomly") else 0


def is_controller(config: pytest.Config) -> bool:
    """Whether this process only hands tests out to xdist's workers."""
    distributes = config.getoption("dist", "no") != "no"
    return distributes and not hasattr(config, "workerinput")
