"""Values for columns: unique ones in order, plain ones drawn; of types that have neither, by polyfactory."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from greenroom.data.ranges import START, Range, range_of
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.mapped import Mapped, MappedColumn

_NUMBERS = (int, float, Decimal)
#: What a number is below, if nobody says more of it: what is drawn fits a price and an age.
_MODERATE = 1000
#: Types of which an empty value is one.
_EMPTY = (dict, list)
#: What a choice among several that isn't given avoids.
_UNUSUAL = (
    "admin",
    "root",
    "super",
    "staff",
    "owner",
    "banned",
    "blocked",
    "disabled",
    "inactive",
    "suspended",
    "deleted",
    "archived",
    "cancel",
    "expired",
    "failed",
    "rejected",
)
#: Columns of truth values that are true of an ordinary row.
_TRUE = ("active", "enabled", "verified", "confirmed", "visible", "published", "available", "valid")


class Values:
    """Gives values to the rows of one test: the same ones for the same seed.

    :param seed: what they follow from.
    :param factories: gives polyfactory's factories, which all tests of a run share.
    """

    def __init__(self, seed: str, factories: Callable[[], Factories]) -> None:
        self._random = random.Random(seed)  # noqa: S311 - nothing is to be kept secret
        self._factories = factories
        self._ranges: dict[tuple[type, str], Range | None] = {}
        self._next: dict[tuple[type, str], int] = {}
        self._used: dict[tuple[type, str], set[Any]] = {}
        self._count = START + self._random.randrange(36**5)

    def of(
        self,
        mapped: Mapped,
        column: MappedColumn,
        taken: Callable[[type, str], set[Any]],
        *,
        unique: bool,
    ) -> Any:
        """A value for a column of a new row.

        :param taken: the values that the rows of a class have.
        :param unique: whether no other row may have it.
        :raises GreenroomError: if there is none, or nobody knows one.
        """
        known = self._range(mapped, column)
        if known is not None and not known.size:
            raise _refused(mapped, column, "no value satisfies its constraints")
        if unique:
            if known is None:
                raise _refused(mapped, column, "it must be unique, and its type has no order")
            return self._unique(mapped, column, known, taken)
        if known is not None:
            return self._plain(column, known)
        if column.kind in _EMPTY:
            return column.kind()
        try:
            return self._factories().value(mapped.kind, column, self._random)
        except GreenroomError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the library says of it
            raise _refused(
                mapped, column, f"nobody knows a value of its type ({column.type_name}): {error}"
            ) from None

    def drawn(self, mapped: Mapped, column: MappedColumn) -> Any:
        """Any value of a column, not the most ordinary one; None if its type has no order."""
        known = self._range(mapped, column)
        return known.nth(self._random.randrange(known.size)) if known is not None else None

    def begin(self) -> None:
        """Other rows are made: what there is of narrow ranges is looked up again."""
        self._used.clear()

    def is_wide(self, mapped: Mapped, column: MappedColumn) -> bool:
        """Whether a column has more values than anybody makes rows."""
        known = self._range(mapped, column)
        return known is not None and known.is_wide

    def _range(self, mapped: Mapped, column: MappedColumn) -> Range | None:
        key = (mapped.kind, column.name)
        if key not in self._ranges:
            self._ranges[key] = range_of(column)
        return self._ranges[key]

    def _unique(
        self,
        mapped: Mapped,
        column: MappedColumn,
        known: Range,
        taken: Callable[[type, str], set[Any]],
    ) -> Any:
        key = (mapped.kind, column.name)
        if key not in self._next:
            first = START if known.size > 2 * START else 0
            self._next[key] = self._random.randrange(first, known.size)
        if key not in self._used:
            self._used[key] = set() if known.is_wide else taken(*key)
        for _ in range(len(self._used[key]) + 1):
            value = known.nth(self._next[key])
            self._next[key] = (self._next[key] + 1) % known.size
            if value not in self._used[key]:
                if not known.is_wide:
                    self._used[key].add(value)
                return value
        raise _refused(
            mapped, column, f"it must be unique, and all of its {known.size} values are taken"
        )

    def _plain(self, column: MappedColumn, known: Range) -> Any:
        if column.kind is bool and not column.bounds.choices:
            return column.name.lower().endswith(_TRUE)
        if column.kind is str and not column.bounds.choices:
            # Readable, and different from others all the same.
            self._count += 1
            return known.nth(self._count % known.size)
        if column.bounds.choices:
            return next(filter(_is_ordinary, column.bounds.choices), column.bounds.choices[0])
        size = known.size
        if column.kind in _NUMBERS and not column.bounds.choices:
            size = min(size, _MODERATE * (1 if column.kind is int else 100))
        return known.nth(self._random.randrange(size))


def _is_ordinary(choice: Any) -> bool:
    """Whether a row with it is one like most: nobody's boss, nothing that is over."""
    text = f"{getattr(choice, 'name', '')} {getattr(choice, 'value', choice)}".lower()
    return not any(word in text for word in _UNUSUAL)


class Factories:
    """polyfactory's factory for each mapped class, made when it's needed.

    :raises GreenroomError: if polyfactory isn't installed.
    """

    def __init__(self) -> None:
        try:
            from polyfactory.factories.sqlalchemy_factory import SQLAlchemyFactory
        except ImportError:
            raise GreenroomError(
                Code.EXTRA,
                "make needs polyfactory for a column of that type, and it isn't installed.",
                "pip install greenroom[make]",
            ) from None
        self._base: Any = SQLAlchemyFactory
        self._fields: dict[type, tuple[Any, dict[str, Any]]] = {}
        self._random = random.Random(0)  # noqa: S311 - nothing is to be kept secret

    def value(self, kind: type, column: MappedColumn, own: random.Random) -> Any:
        """Polyfactory's value for a column, which follows from a test's own source."""
        self._random.seed(own.random())
        self._base.__faker__.seed_instance(self._random.randrange(2**32))
        if kind not in self._fields:
            factory = self._base.create_factory(
                model=kind,
                __set_relationships__=False,
                __set_association_proxy__=False,
                __random__=self._random,
                __allow_none_optionals__=False,
            )
            fields = {field.name: field for field in factory.get_model_fields()}
            self._fields[kind] = (factory, fields)
        factory, fields = self._fields[kind]
        return factory.get_field_value(fields[column.name])


def _refused(mapped: Mapped, column: MappedColumn, why: str) -> GreenroomError:
    name = f"{mapped.kind.__name__}.{column.name}"
    return GreenroomError(
        Code.MAKE,
        f"{name} can't be filled in: {why}.",
        f"Pass it: make({mapped.kind.__name__}, {column.name}=...).",
    )
