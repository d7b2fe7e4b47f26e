"""Operations that require no credential and look as if that had been forgotten."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from greenroom.app.operations import Route
from greenroom.data.naming import singular

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_READING = "GET"


def _is_changing(route: Route) -> bool:
    return route.operation.method in _CHANGING


def beside(
    route: Route,
    routes: Sequence[Route],
    is_protected: Callable[[Route], bool],
    user: type | None,
) -> Route | None:
    """An operation on the same collection that requires a credential, where this one does without.

    To one that changes something, each of them says it; to one that reads, only one that reads the collection or
    a row of it: what all may see is still changed by some. Of users there is none: whoever signs up has no
    credential yet.

    :param user: the class of users.
    """
    place = _place(route)
    method = route.operation.method
    if not (_is_changing(route) or method == _READING) or not place or is_protected(route):
        return None
    names = {user.__name__.lower(), "user"} if user is not None else {"user"}
    if singular(place[-1]).lower() in names:
        return None
    return next(
        (
            one
            for one in routes
            if _place(one) == place
            and is_protected(one)
            and (_is_changing(route) or (one.operation.method == _READING and _is_of_rows(one)))
        ),
        None,
    )


def _is_of_rows(route: Route) -> bool:
    """Whether a path is a collection's, or that of a row in it."""
    return not route.operation.path.partition("}")[2].strip("/")


def _place(route: Route) -> list[str]:
    """The segments of a path before its first parameter: the collection that it's about."""
    static = route.operation.path.partition("{")[0]
    return [segment for segment in static.split("/") if segment]
