"""What a class of SQLModel's says of its values in `Field(...)`: the app's answers must satisfy it, too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from greenroom.facts.mapped import Bounds


def within_field(kind: type, name: str, bounds: Bounds) -> Bounds:
    """Bounds, with those of the class's field; where there are both, the database's."""
    info = (getattr(kind, "model_fields", None) or {}).get(name)
    for one in getattr(info, "metadata", ()):
        told: dict[str, Any] = {}
        if bounds.low is None and (low := _of(one, "ge", "gt")) is not None:
            told |= {"low": low, "above": _of(one, "ge") is None}
        if bounds.high is None and (high := _of(one, "le", "lt")) is not None:
            told |= {"high": high, "below": _of(one, "le") is None}
        if (least := _of(one, "min_length")) is not None:
            told["least"] = max(least, bounds.least)
        if bounds.most is None and (most := _of(one, "max_length")) is not None:
            told["most"] = most
        bounds = replace(bounds, **told)
    return bounds


def _of(told: object, *names: str) -> Any:
    return next((value for name in names if (value := getattr(told, name, None)) is not None), None)
