"""The objects of a class that live now, wherever the app keeps them."""

from __future__ import annotations

import gc
from typing import Any


def live_objects(base: type) -> list[Any]:
    """All objects of the class and of those derived from it."""
    kinds = {base}
    waiting = [base]
    while waiting:
        below: list[type] = waiting.pop().__subclasses__()
        waiting += [kind for kind in below if kind not in kinds]
        kinds.update(below)
    frozen = gc.get_freeze_count()
    gc.unfreeze()  # What was made at import is put aside there, and not looked at.
    try:
        # Asked by its type alone: `isinstance` and `issubclass` may be the project's own code, and slow.
        return [one for one in gc.get_objects() if type(one) in kinds]
    finally:
        if frozen:
            gc.freeze()
