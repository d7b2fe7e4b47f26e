"""Which class a path parameter names a row of, by the names that people give to both."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

#: The endings of a parameter that names a row by its key.
_KEYS = ("_id", "_uuid", "_pk")


def snake(name: str) -> str:
    """`OrderItem` as `order_item`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def singular(word: str) -> str:
    """`categories` as `category`: what a path's segment says of one."""
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def segment_before(path: str, parameter: str) -> str:
    """What stands before a parameter in a path template; empty if nothing does."""
    parts = [part for part in path.split("/") if part]
    place = next((i for i, part in enumerate(parts) if part == f"{{{parameter}}}"), 0)
    return parts[place - 1] if place and not parts[place - 1].startswith("{") else ""


def rows_of(segment: str, classes: Iterable[type]) -> type | None:
    """The class whose rows a path's segment is about: `order-items`; None if unknown."""
    return _named(classes).get(_word(segment))


def row_of(
    path: str, parameter: str, classes: Iterable[type], attributes: Mapping[type, Iterable[str]]
) -> tuple[type, str] | None:
    """The class, and the attribute that the parameter is; an empty attribute is the key. None if unknown.

    :param attributes: those of each class.
    """
    by_name = _named(classes)
    for ending in _KEYS:
        if parameter.endswith(ending) and parameter[: -len(ending)] in by_name:
            return by_name[parameter[: -len(ending)]], ""
    found = by_name.get(_word(segment_before(path, parameter)))
    if found is None:
        for name, kind in by_name.items():
            if parameter.startswith(f"{name}_") and parameter[len(name) + 1 :] in attributes[kind]:
                return kind, parameter[len(name) + 1 :]
        return None
    if parameter in {"id", "pk", "uuid"} or parameter.endswith(_KEYS):
        return found, "" if parameter not in attributes[found] or parameter == "id" else parameter
    own = parameter.removeprefix(f"{snake(found.__name__)}_")
    return next(((found, name) for name in (parameter, own) if name in attributes[found]), None)


def _named(classes: Iterable[type]) -> dict[str, type]:
    """Classes by what people call a row of them."""
    by_name: dict[str, type] = {}
    for kind in classes:
        by_name.setdefault(snake(kind.__name__), kind)
        table = getattr(kind, "__tablename__", None)
        if isinstance(table, str):
            by_name.setdefault(singular(table), kind)
    return by_name


def _word(segment: str) -> str:
    return singular(segment.replace("-", "_"))
