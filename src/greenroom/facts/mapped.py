"""What a mapped class says of its rows, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a CHECK, or a type, says of a value.

    :param low: the least number, date or text; with `above` it's excluded.
    :param high: the greatest; with `below` it's excluded.
    :param least: the least length.
    :param most: the greatest length.
    :param choices: the only values.
    """

    low: Any = None
    above: bool = False
    high: Any = None
    below: bool = False
    least: int = 0
    most: int | None = None
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """An attribute that is a column.

    :param name: the attribute's.
    :param kind: the Python type of its values; None if that isn't known.
    :param type_name: how the database calls its type.
    :param is_needed: whether a row can't be without a value that somebody gives.
    :param unique: whether no two rows may have the same.
    :param precision: the number of a decimal's digits; None if it isn't told.
    :param scale: how many of them stand behind the point.
    :param has_zone: whether a datetime has an offset.
    """

    name: str
    kind: Any
    type_name: str
    is_needed: bool
    unique: bool = False
    bounds: Bounds = field(default_factory=Bounds)
    precision: int | None = None
    scale: int | None = None
    has_zone: bool = False


@dataclass(frozen=True, slots=True)
class Parent:
    """A row of another class that a row refers to.

    :param name: the relationship's attribute; empty if there are only the columns.
    :param kind: its class.
    :param columns: the attributes that refer to it, each with the attribute that it refers to.
    :param is_needed: whether a row can't be without it.
    :param is_own: whether no two rows may have the same.
    """

    name: str
    kind: type
    columns: tuple[tuple[str, str], ...]
    is_needed: bool
    is_own: bool


@dataclass(frozen=True, slots=True)
class Mapped:
    """A mapped class.

    :param kind: the class; of an abstract one of a hierarchy, the first that has rows.
    :param columns: all of them.
    :param parents: the rows that it refers to.
    :param groups: the attributes that must be unique together.
    :param ordered: pairs of attributes whose first must be less than the second; or equal, with True.
    :param apart: pairs of attributes that must differ.
    :param collections: the relationships that hold many.
    :param names: everything that a row may be given.
    :param aliases: other names of attributes.
    :param in_init: what its constructor takes by name; None if it takes any.
    :param init_wants: the mapped among it that have no default: a column that the database fills in is None.
    :param init_needs: what its constructor can't be called without, and isn't a column or a relationship.
    """

    kind: type
    columns: tuple[MappedColumn, ...]
    parents: tuple[Parent, ...]
    groups: tuple[tuple[str, ...], ...]
    ordered: tuple[tuple[str, str, bool], ...]
    names: frozenset[str]
    aliases: Mapping[str, str] = field(default_factory=dict)
    in_init: frozenset[str] | None = None
    init_wants: frozenset[str] = frozenset()
    init_needs: frozenset[str] = frozenset()
    apart: tuple[tuple[str, str], ...] = ()
    collections: frozenset[str] = frozenset()
