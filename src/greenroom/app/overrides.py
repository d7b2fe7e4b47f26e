"""Dependency overrides for one test, on the app and on every app that is mounted in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, MutableMapping
from typing import Any, TypeAlias

from greenroom.facts.errors import Code, GreenroomError

Dependency: TypeAlias = Callable[..., Any]


class Overrides(MutableMapping[Dependency, Dependency]):
    """What `app.dependency_overrides` is, but sure to be gone after the test.

    `overrides[get_user] = fake_user` holds for the app and for each FastAPI app mounted in it, since
    a mounted app looks only at its own overrides.

    :raises GreenroomError: if the app has no overrides (it isn't FastAPI), or one isn't callable.
    """

    def __init__(self, app: object) -> None:
        self._tables: list[dict[Dependency, Dependency]] = [
            one.dependency_overrides for one in overriding(app)
        ]
        if not self._tables:
            raise GreenroomError(
                Code.OVERRIDE,
                f"a {type(app).__name__} has no dependency_overrides.",
                "The overrides fixture is for FastAPI apps.",
            )
        self._before = [dict(table) for table in self._tables]

    def __getitem__(self, dependency: Dependency) -> Dependency:
        return self._tables[0][dependency]

    def __setitem__(self, dependency: Dependency, replacement: Dependency) -> None:
        __tracebackhide__ = True
        for role, value in (("dependency", dependency), ("replacement", replacement)):
            if not callable(value):
                raise GreenroomError(
                    Code.OVERRIDE,
                    f"{value!r} can't be the {role} of an override: it isn't callable.",
                    "Give the function itself; for a fixed value: overrides[get_user] = lambda: user.",
                )
        for table in self._tables:
            table[dependency] = replacement

    def __delitem__(self, dependency: Dependency) -> None:
        del self._tables[0][dependency]
        for table in self._tables[1:]:
            table.pop(dependency, None)

    def __iter__(self) -> Iterator[Dependency]:
        return iter(self._tables[0])

    def __len__(self) -> int:
        return len(self._tables[0])

    def restore(self) -> None:
        """Put every app's overrides back to what they were, whatever was done to them since."""
        for table, before in zip(self._tables, self._before, strict=True):
            table.clear()
            table.update(before)


def overriding(app: object) -> list[Any]:
    """The apps that have overrides: the app, and those mounted in it, each once."""
    return [
        part for part in parts(app) if isinstance(getattr(part, "dependency_overrides", None), dict)
    ]


def parts(app: object, without: Collection[int] = ()) -> Iterator[object]:
    """The app, the apps mounted in it, their routers and routes, each once.

    :param without: the ids of those that are left out, with what is in them.
    """
    seen: set[int] = set(without)
    waiting = [app]
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        if id(getattr(current, "app", None)) in without:
            continue  # A mount, which shows the routes of its app as its own.
        yield current
        # A mount holds its app as `app`; FastAPI from 0.137 on holds an included router as
        # `original_router` of a route, and before that copies its routes.
        for name in ("app", "router", "original_router"):
            inner = getattr(current, name, None)
            if inner is not None:
                waiting.append(inner)
        waiting.extend(getattr(current, "routes", None) or ())
