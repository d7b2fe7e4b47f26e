"""What a mapped class says of its rows."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, Index, Table, UniqueConstraint, inspect
from sqlalchemy.exc import NoInspectionAvailable
from sqlalchemy.orm.mapper import _all_registries


def unique_columns(kind: type) -> list[tuple[str, ...]]:
    """What must be unique among the rows of a mapped class, but for its key: the attributes' names.

    Of a class that isn't mapped there is nothing.
    """
    try:
        mapper: Any = inspect(kind, raiseerr=True)
        table = mapper.local_table
    except (NoInspectionAvailable, AttributeError):
        return []
    if not isinstance(table, Table):
        return []
    names = {
        column: attribute.key for attribute in mapper.column_attrs for column in attribute.columns
    }
    groups: list[tuple[Any, ...]] = [(column,) for column in table.columns if column.unique]
    groups += [
        tuple(constraint.columns)
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint)
    ]
    groups += [
        tuple(index.columns)
        for index in table.indexes
        if index.unique and len(index.columns) and not _is_of_one_truth(index)
    ]
    named = [tuple(names.get(column, column.name) for column in group) for group in groups]
    return sorted(set(named))


def _is_of_one_truth(index: Index) -> bool:
    """Whether an index is of some rows only, and says of a truth value that one of them has it."""
    is_partial = any(
        index.dialect_options[dialect].get("where") is not None
        for dialect in ("postgresql", "sqlite")
    )
    return is_partial and any(isinstance(one.type, Boolean) for one in index.columns)


def mapped_classes() -> list[type]:
    """The mapped classes that are there under their names; an earlier run may have left others."""
    found: dict[str, type] = {}
    for registry in list(_all_registries()):
        for mapper in registry.mappers:
            kind = mapper.class_
            if getattr(sys.modules.get(kind.__module__), kind.__name__, None) is kind:
                found.setdefault(f"{kind.__module__}.{kind.__qualname__}", kind)
    return [found[name] for name in sorted(found)]


def mapped_class(names: Sequence[str]) -> type | None:
    """The first mapped class of one of these names."""
    found = {kind.__name__: kind for kind in mapped_classes()}
    return next((found[name] for name in names if name in found), None)
