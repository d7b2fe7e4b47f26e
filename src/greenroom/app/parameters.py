"""The path parameters of operations: a value that names nothing, and one of the wrong form."""

from __future__ import annotations

import datetime as dt
import enum
import typing
import uuid
from dataclasses import dataclass
from typing import Any

from greenroom.app.operations import Route
from greenroom.app.shape import all_of

#: Values of a type that are likely to name nothing.
_NOTHING = {
    int: ["2147480000", "999983", "97"],
    uuid.UUID: ["6b1d3a2e-0c4f-4a59-9d0e-7f5b1c2d3e4f"],
    str: ["greenroom-no-such", "GR0000"],
}
_FORMED = (int, float, bool, uuid.UUID, dt.date, dt.datetime, dt.time)
_WRONG = "greenroom-wrong"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One path parameter.

    :param kind: the type of its values, as far as it's known.
    :param unknown: a value that names nothing; None if there is none, or nobody knows.
    :param wrong: a value of the wrong form; None if every text is of the right one.
    :param is_converted: whether the path itself lets only values of the right form through.
    :param plain: a valid value.
    """

    name: str
    kind: Any
    unknown: str | None
    wrong: str | None
    is_converted: bool
    plain: str


def parameters_of(route: Route) -> list[Parameter]:
    """The path parameters that an operation, or what it depends on, declares; in the path's order."""
    dependant = getattr(route.source, "dependant", None)
    if dependant is None:
        return []
    convertors = getattr(route.source, "param_convertors", None) or {}
    found: dict[str, Parameter] = {}
    for one in (parameter for part in all_of(dependant) for parameter in part.path_params):
        name = getattr(one, "alias", one.name)
        convertor = type(convertors.get(name)).__name__
        found.setdefault(name, _parameter(name, one.field_info, convertor))
    path = route.operation.path
    return sorted(found.values(), key=lambda one: path.find(f"{{{one.name}}}"))


def _parameter(name: str, info: Any, convertor: str) -> Parameter:
    from pydantic import TypeAdapter, ValidationError

    annotation = info.annotation
    kind = _plain(annotation)
    whole: Any = annotation
    for one in info.metadata:
        whole = typing.Annotated[whole, one]
    adapter: Any = TypeAdapter(whole)

    def takes(text: str) -> bool:
        try:
            adapter.validate_python(text)
        except ValidationError:
            return False
        return True

    closed = _is_closed(kind)
    candidates = [] if closed else _NOTHING.get(kind, _NOTHING[str])
    plain = next((one for one in candidates if takes(one)), None)
    # What takes the rest of the path names anything, a page of a front end perhaps.
    unknown = plain if convertor != "PathConvertor" else None
    wrong = _WRONG if (kind in _FORMED or closed) and not takes(_WRONG) else None
    is_converted = convertor not in {"StringConvertor", "PathConvertor", "NoneType"}
    return Parameter(name, kind, unknown, wrong, is_converted, _valid(kind, plain))


def _valid(kind: Any, plain: str | None) -> str:
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return str(next(iter(kind)).value)
    if typing.get_origin(kind) is typing.Literal:
        return str(typing.get_args(kind)[0])
    if kind is bool:
        return "true"
    if kind in {dt.date, dt.datetime}:
        return "2026-01-31"
    return plain or "1"


def _plain(annotation: Any) -> Any:
    if typing.get_origin(annotation) is typing.Annotated:
        return _plain(typing.get_args(annotation)[0])
    return annotation


def _is_closed(kind: Any) -> bool:
    """Whether the values are a fixed set."""
    if typing.get_origin(kind) is typing.Literal or kind is bool:
        return True
    return isinstance(kind, type) and issubclass(kind, (enum.Enum, bool, dt.date, dt.time))
