"""What is likely to be wrong with a test's overrides."""

from __future__ import annotations

import difflib
from typing import Any

from greenroom.app.dependencies import dependants
from greenroom.app.overrides import overriding


def unused_overrides(app: object) -> list[str]:
    """A line for each override that no operation of its app can meet, with the nearest that can be."""
    apps = overriding(app)
    known = [(one, _dependencies(one, apps)) for one in apps]
    lines = []
    for one, dependencies in known:
        for key in one.dependency_overrides:
            if key in dependencies:
                continue
            elsewhere = [other for other, theirs in known if key in theirs]
            if elsewhere:
                if any(key in other.dependency_overrides for other in elsewhere):
                    continue  # Set on several apps, as the `overrides` fixture does it.
                advice = (
                    "it is a dependency of an app that is mounted, which has overrides of its own: "
                    "the overrides fixture sets it there too"
                )
            else:
                near = _nearest(key, dependencies)
                advice = "no operation depends on that object"
                if near is not None:
                    advice += f"; did you mean {_name(near)}?"
            lines.append(f"the override of {_name(key)} was never used: {advice}")
    return lines


def _dependencies(app: object, apps: list[Any]) -> list[Any]:
    """Everything that an operation of the app depends on, but for the apps that are mounted in it."""
    others = {id(other) for other in apps if other is not app}
    return [dependant.call for dependant in dependants(app, without=others)]


def _nearest(key: Any, dependencies: list[Any]) -> Any | None:
    """The dependency that is called the same, or nearly so."""
    by_name = {getattr(one, "__name__", ""): one for one in reversed(dependencies)}
    near = difflib.get_close_matches(getattr(key, "__name__", ""), by_name, 1, 0.7)
    return by_name[near[0]] if near else None


def _name(function: Any) -> str:
    module = getattr(function, "__module__", "")
    return f"{module}.{getattr(function, '__qualname__', function)}"
