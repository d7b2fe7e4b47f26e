"""Rows of mapped classes with everything that they need: their own values, and the rows that they refer to."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from greenroom.data.values import Values
from greenroom.facts.errors import Code, GreenroomError
from greenroom.facts.mapped import Mapped, MappedColumn, Parent

#: How often values of a small group are drawn before it counts as full.
_MOST_DRAWS = 500


class Database(Protocol):
    """What making rows asks of the test's session."""

    def describe(self, kind: Any) -> Mapped | None:
        """What a class says of its rows; None if it isn't mapped."""

    def taken(self, kind: type, name: str) -> set[Any]:
        """The values of an attribute in all rows."""

    def together(
        self, kind: type, names: tuple[str, ...], fixed: dict[str, Any]
    ) -> set[tuple[Any, ...]]:
        """What some attributes are together, in all rows that have these values."""

    def own(self, value: object) -> object:
        """The session's own copy of an object that belongs to another session."""

    def store(self, made: list[object]) -> None:
        """Have the rows written."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a row gets.

    :param columns: those that are filled in, each with whether no other row may have its value.
    :param parents: those that it refers to, each with whether no other row may have it.
    :param narrow: the groups that are unique together only by luck.
    :param compared: those of the columns that must be less or greater than others.
    """

    columns: list[tuple[MappedColumn, bool]]
    parents: list[tuple[Parent, bool]]
    narrow: list[tuple[str, ...]]
    compared: list[MappedColumn]


class Rows:
    """Makes the rows of one call: a parent that several of them need is made once.

    :param values: gives them values.
    :param database: what they are stored in.
    """

    def __init__(self, values: Values, database: Database) -> None:
        self._values = values
        self._database = database
        self._shared: dict[type, object] = {}
        # The classes that are being made, the outermost first.
        self._path: list[type] = []
        self._made: list[object] = []
        self._plans: dict[tuple[type, frozenset[str]], _Plan] = {}
        # What stands together in rows, by class, group, and what of the group is fixed.
        self._known: dict[tuple[Any, ...], set[tuple[Any, ...]]] = {}
        #: What was invented, by class and attribute: for the error, if the database refuses it.
        self.invented: dict[str, None] = {}

    def make(self, kind: type, count: int, given: dict[str, Any]) -> list[Any]:
        """Rows of a class, stored.

        :param given: what they have in common.
        :raises GreenroomError: if the class isn't mapped, or a row can't be made or stored.
        """
        self._values.begin()
        mapped = self._described(kind)
        self._check(mapped, given)
        given = {mapped.aliases.get(name, name): self._owned(given[name]) for name in given}
        for value in given.values():
            if self._database.describe(type(value)) is not None:
                self._shared.setdefault(type(value), value)
        found = [self._row(mapped, dict(given)) for _ in range(count)]
        self._store()
        return found

    def _store(self) -> None:
        made, self._made = self._made, []
        if made:
            self._database.store(made)

    def _described(self, kind: Any) -> Mapped:
        mapped = self._database.describe(kind)
        if mapped is None:
            raise GreenroomError(
                Code.MAKE,
                f"{getattr(kind, '__name__', repr(kind))} isn't a mapped class.",
                "make(User) makes rows of a class of SQLAlchemy's or SQLModel's; "
                "make.payload(UserCreate) the body of a request.",
            )
        return mapped

    def _check(self, mapped: Mapped, given: dict[str, Any]) -> None:
        for name in given:
            if name not in mapped.names:
                near = difflib.get_close_matches(name, sorted(mapped.names), n=1)
                known = ", ".join(sorted(mapped.names))
                hint = f"Did you mean {near[0]}?" if near else f"There are: {known}."
                raise GreenroomError(
                    Code.MAKE, f"{mapped.kind.__name__} has no attribute {name}.", hint
                )
        for parent in mapped.parents:
            columns = [local for local, _ in parent.columns if given.get(local) is not None]
            if columns and given.get(parent.name) is not None:
                raise GreenroomError(
                    Code.MAKE,
                    f"{mapped.kind.__name__} was given {parent.name} and {', '.join(columns)}.",
                    "Give one of them: the other follows from it.",
                )

    def _owned(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._database.own(one) for one in value]
        return self._database.own(value)

    def _row(self, mapped: Mapped, row: dict[str, Any]) -> object:
        self._path.append(mapped.kind)
        try:
            plan = self._plan(mapped, frozenset(row))
            for parent, is_new in plan.parents:
                self._refer(mapped, parent, row, is_new=is_new)
            for column, unique in plan.columns:
                row[column.name] = self._value(mapped, column, unique=unique)
            for group in plan.narrow:
                self._tell_apart(mapped, group, row, plan)
            if mapped.ordered:
                self._put_in_order(mapped, row, plan)
            made = self._constructed(mapped, row)
        finally:
            self._path.pop()
        self._made.append(made)
        return made

    def _constructed(self, mapped: Mapped, row: dict[str, Any]) -> object:
        try:
            return _construct(mapped, row)
        except GreenroomError:
            raise
        except Exception as error:
            own = f"{mapped.kind.__name__}."
            invented = ", ".join(name for name in self.invented if name.startswith(own))
            raise GreenroomError(
                Code.MAKE,
                f"{mapped.kind.__name__} can't be made: {type(error).__name__}: {error}",
                f"Filled in was: {invented or 'nothing'}. Pass what has to be something else.",
            ) from error

    def _value(self, mapped: Mapped, column: MappedColumn, *, unique: bool) -> Any:
        self.invented[f"{mapped.kind.__name__}.{column.name}"] = None
        return self._values.of(mapped, column, self._taken, unique=unique)

    def _taken(self, kind: type, name: str) -> set[Any]:
        self._store()  # Rows of another class may lie in the same table.
        return self._database.taken(kind, name)

    def _plan(self, mapped: Mapped, given: frozenset[str]) -> _Plan:
        """What a row gets beside what it's given. Worked out once for the rows of a call."""
        key = (mapped.kind, given)
        if key not in self._plans:
            self._plans[key] = self._planned(mapped, given)
        return self._plans[key]

    def _planned(self, mapped: Mapped, given: frozenset[str]) -> _Plan:
        columns = {
            one.name: one for one in mapped.columns if one.is_needed and one.name not in given
        }
        parents = _needed(mapped, given)
        unique = {name for name, column in columns.items() if column.unique}
        new = {parent for parent in parents if parent.is_own}
        for pair in mapped.apart:
            # The last of them, if it's made here, is another row than the one that the other has.
            new |= set([one for one in parents if any(x in pair for x, _ in one.columns)][-1:])
            unique |= {name for name in pair[1:] if name in columns}
        narrow = []
        for group in mapped.groups:
            own = [columns[name] for name in group if name in columns]
            wide = [one.name for one in own if self._values.is_wide(mapped, one)]
            free = [one for one in parents if any(local in group for local, _ in one.columns)]
            if len(group) == 1 or unique & set(group):
                continue
            if wide:
                unique.add(wide[0])
            elif free:
                new.add(free[-1])  # Nothing else in what must be unique differs.
            elif own:
                narrow.append(group)
        return _Plan(
            [(column, name in unique) for name, column in columns.items()],
            [(parent, parent in new) for parent in parents],
            narrow,
            [
                column
                for name, column in columns.items()
                if name not in unique and any(name in pair for pair in mapped.ordered)
            ],
        )

    def _put_in_order(self, mapped: Mapped, row: dict[str, Any], plan: _Plan) -> None:
        """Where one value must be less than another, let it be: the one that was invented moves."""
        for _ in mapped.ordered:
            _swap_or_move(mapped, row, self.invented)
        moved = dict(row)
        for _ in range(_MOST_DRAWS):
            if _are_in_order(mapped, row) and all(
                _fits(one, row[one.name]) for one in plan.compared
            ):
                return
            for column in plan.compared:
                drawn = self._values.drawn(mapped, column)
                row[column.name] = row[column.name] if drawn is None else drawn
        row.update(moved)

    def _tell_apart(
        self, mapped: Mapped, group: tuple[str, ...], row: dict[str, Any], plan: _Plan
    ) -> None:
        """Draw again until the values of a group are together new."""
        drawn_anew = {column.name for column, _ in plan.columns}
        fixed = {
            name: self._referred(mapped, name, row) for name in group if name not in drawn_anew
        }
        key = (mapped.kind, group, *map(_hashed, fixed.values()))
        if key not in self._known:
            self._known[key] = self._database.together(mapped.kind, group, fixed)
        for _ in range(_MOST_DRAWS):
            values = tuple(fixed[name] if name in fixed else row.get(name) for name in group)
            if values not in self._known[key]:
                self._known[key].add(values)
                return
            for column, unique in plan.columns:
                if column.name in group:
                    drawn = None if unique else self._values.drawn(mapped, column)
                    row[column.name] = (
                        self._value(mapped, column, unique=unique) if drawn is None else drawn
                    )
        raise GreenroomError(
            Code.MAKE,
            f"{mapped.kind.__name__} can't be filled in: {', '.join(group)} must be unique together, and all "
            "of their values are taken.",
            f"Pass one of them: make({mapped.kind.__name__}, {group[0]}=...).",
        )

    def _referred(self, mapped: Mapped, name: str, row: dict[str, Any]) -> Any:
        """The value of a column that is given, or that follows from a row that is referred to."""
        if row.get(name) is not None:
            return row[name]
        for parent in mapped.parents:
            remote = dict(parent.columns).get(name)
            known = row.get(parent.name) if remote is not None else None
            if known is not None:
                if getattr(known, str(remote)) is None:
                    self._store()  # Its key is part of what must be new.
                return getattr(known, str(remote))
        return None

    def _refer(self, mapped: Mapped, parent: Parent, row: dict[str, Any], *, is_new: bool) -> None:
        """Give a row one that it needs."""
        if parent.kind in self._path:
            chain = " -> ".join(one.__name__ for one in (*self._path, parent.kind))
            name = parent.name or parent.columns[0][0]
            raise GreenroomError(
                Code.MAKE,
                f"{mapped.kind.__name__}.{name} needs a {parent.kind.__name__} that needs one itself: "
                f"{chain}.",
                f"Pass it: make({self._path[0].__name__}, ...) with {name}=..., or let the column be null.",
            )
        known = next(
            (one for kind, one in self._shared.items() if issubclass(kind, parent.kind)), None
        )
        if known is None or is_new:
            known = self._row(self._described(parent.kind), {})
            if not is_new:
                self._shared[parent.kind] = known
        if parent.name:
            row[parent.name] = known
        else:
            self._store()  # Its key is what the row is to hold.
            for local, remote in parent.columns:
                row[local] = getattr(known, remote)


def _needed(mapped: Mapped, given: frozenset[str]) -> list[Parent]:
    """The parents that are made: of one whose columns all follow from others', there is one already."""
    covered = set(given)
    for one in mapped.parents:
        if one.name in given:
            covered |= {local for local, _ in one.columns}
    found = []
    for one in sorted(mapped.parents, key=lambda parent: -len(parent.columns)):
        local = {name for name, _ in one.columns}
        if not one.is_needed or one.name in given or local & given or local <= covered:
            continue
        covered |= local
        found.append(one)
    return found


def _hashed(value: Any) -> Any:
    return value if isinstance(value, Hashable) else repr(value)


def _are_in_order(mapped: Mapped, row: dict[str, Any]) -> bool:
    return all(_is_in_order(row, *pair) for pair in mapped.ordered)


def _is_in_order(row: dict[str, Any], first: str, second: str, may_be_equal: bool) -> bool:  # noqa: FBT001 - as the pair has it
    low, high = row.get(first), row.get(second)
    return low is None or high is None or low < high or (may_be_equal and bool(low == high))


def _fits(column: MappedColumn, value: Any) -> bool:
    """Whether a number is within what is said of its column."""
    bounds = column.bounds
    if not isinstance(value, (int, float, Decimal)):
        return True
    if bounds.low is not None and (value < bounds.low or (bounds.above and value == bounds.low)):
        return False
    return bounds.high is None or value < bounds.high or (value == bounds.high and not bounds.below)


def _swap_or_move(mapped: Mapped, row: dict[str, Any], invented: dict[str, None]) -> None:
    """Once through all pairs: two that were invented change places, one of them alone goes a step beyond."""
    for first, second, may_be_equal in mapped.ordered:
        if _is_in_order(row, first, second, may_be_equal):
            continue
        low, high = row[first], row[second]
        kind = mapped.kind.__name__
        is_first, is_second = (f"{kind}.{name}" in invented for name in (first, second))
        if is_first and is_second and low > high:
            row[first], row[second] = high, low
        elif is_second:
            row[second] = _moved(low, 1)
        elif is_first:
            row[first] = _moved(high, -1)


def _moved(value: Any, by: int) -> Any:
    """A value that is a step greater, or less."""
    if isinstance(value, dt.time):
        day = dt.datetime.combine(dt.date(2000, 1, 1), value)
        return (day + dt.timedelta(seconds=by)).time()
    if isinstance(value, dt.date):
        return value + dt.timedelta(days=by)
    if isinstance(value, dt.timedelta):
        return value + dt.timedelta(seconds=by)
    kind = type(value)
    return value + kind(by) if kind in {Decimal, float} else value + by


def _construct(mapped: Mapped, row: dict[str, Any]) -> object:
    """Call the constructor with what it takes, and set the rest."""
    kind: Callable[..., object] = mapped.kind
    missing = mapped.init_needs - row.keys()
    if missing:
        names = ", ".join(sorted(missing))
        raise GreenroomError(
            Code.MAKE,
            f"the constructor of {mapped.kind.__name__} needs {names}, of which greenroom knows nothing.",
            f"Pass it: make({mapped.kind.__name__}, {min(missing)}=...).",
        )
    # What sets others (a hybrid, a composite, a property) comes last: it knows better than what was invented.
    plain = {column.name for column in mapped.columns} | {one.name for one in mapped.parents}
    row = dict(sorted(row.items(), key=lambda item: item[0] not in plain))
    # A constructor wants everything that it hasn't a default for; None is what SQLAlchemy fills in.
    wanted: dict[str, Any] = {
        name: [] if name in mapped.collections else None for name in mapped.init_wants - row.keys()
    }
    if mapped.in_init is None:
        return kind(**wanted, **row)
    told = {name: value for name, value in row.items() if name in mapped.in_init}
    made = kind(**wanted, **told)
    for name, value in row.items():
        if name not in mapped.in_init:
            setattr(made, name, value)
    return made
