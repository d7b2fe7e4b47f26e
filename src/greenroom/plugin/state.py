"""Where the run's state lies: on pytest's config, under a typed key."""

from __future__ import annotations

import pytest

from greenroom.runtime.room import Room

ROOM = pytest.StashKey[Room]()
