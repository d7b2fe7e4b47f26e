"""What a request of an operation can't be without, beside its path and its body."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from greenroom.app.operations import Route
from greenroom.app.shape import all_of

_PLACES = {"params": "query_params", "headers": "header_params", "cookies": "cookie_params"}


@dataclass(frozen=True, slots=True)
class Needed:
    """A query parameter, a header or a cookie.

    :param place: `params`, `headers` or `cookies`, as a client calls them.
    :param kind: the type of its value, with its constraints.
    :param is_whole: whether it's a model whose fields are the parameters.
    """

    place: str
    name: str
    kind: Any
    is_whole: bool


def needed_of(route: Route) -> Iterator[Needed]:
    """What an operation, or what it depends on, declares as required."""
    from pydantic import BaseModel

    dependant = getattr(route.source, "dependant", None)
    for part in all_of(dependant) if dependant is not None else ():
        for place, kind in _PLACES.items():
            for one in getattr(part, kind, ()):
                if not one.field_info.is_required():
                    continue
                whole: Any = one.field_info.annotation
                is_whole = isinstance(whole, type) and issubclass(whole, BaseModel)
                for told in one.field_info.metadata:
                    whole = typing.Annotated[whole, told]
                yield Needed(place, getattr(one, "alias", one.name), whole, is_whole)


def lets_everybody_in(route: Route) -> bool:
    """Whether the security schemes of an operation refuse nobody by themselves: `auto_error=False`."""
    dependant = getattr(route.source, "dependant", None)
    parts = list(all_of(dependant)) if dependant is not None else []
    told = {getattr(one.call, "auto_error", None) for one in parts}
    return False in told and True not in told
