"""What a mapped class says of its rows: read from its mapper and its tables."""

from __future__ import annotations

import dataclasses
import inspect as python
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ARRAY,
    JSON,
    CheckConstraint,
    Column,
    Enum,
    Numeric,
    SmallInteger,
    String,
    Table,
    TypeDecorator,
    inspect,
)
from sqlalchemy.exc import NoInspectionAvailable, SQLAlchemyError
from sqlalchemy.orm import ColumnProperty, Mapper

from greenroom.database import checks
from greenroom.database.fields import within_field
from greenroom.database.models import unique_columns
from greenroom.facts.mapped import Bounds, Mapped, MappedColumn, Parent

_SMALL = 32_767


def describe(kind: Any) -> Mapped | None:
    """Describe a mapped class; None if it isn't one."""
    try:
        mapper = inspect(kind, raiseerr=False) if isinstance(kind, type) else None
    except NoInspectionAvailable:
        return None
    if not isinstance(mapper, Mapper):
        return None
    mapper = _concrete(mapper)
    attributes = _columns(mapper)
    read = _checks(mapper, attributes)
    groups = _groups(mapper, attributes)
    parents = tuple(_parents(mapper, attributes, groups))
    referring = {name for parent in parents for name, _ in parent.columns}
    columns = tuple(
        _described(mapper, name, column, read.bounds.get(name, Bounds()), unique=(name,) in groups)
        for name, column in attributes.items()
        if name not in referring
    )
    in_init, wants, needs = _init(mapper, attributes)
    return Mapped(
        mapper.class_,
        columns,
        parents,
        groups,
        tuple(read.ordered),
        _names(mapper, in_init),
        {one.key: one.name for one in mapper.synonyms},
        in_init,
        wants,
        needs,
        tuple(read.apart),
        frozenset(one.key for one in mapper.relationships if one.uselist),
    )


def _concrete(mapper: Mapper[Any]) -> Mapper[Any]:
    """Of an abstract class of a hierarchy, the first one below it that has rows."""
    if mapper.polymorphic_on is None or mapper.polymorphic_identity is not None:
        return mapper
    below = [one for one in mapper.self_and_descendants if one.polymorphic_identity is not None]
    return below[0] if below else mapper


def _columns(mapper: Mapper[Any]) -> dict[str, Column[Any]]:
    """The attributes that are columns, each with the column of the class's own table, if it has it."""
    found = {}
    for attribute in mapper.column_attrs:
        column = attribute.columns[0]
        if isinstance(column, Column):
            found[attribute.key] = column
    return found


def _tables(mapper: Mapper[Any]) -> list[Table]:
    return [table for table in mapper.tables if isinstance(table, Table)]


def _described(
    mapper: Mapper[Any], name: str, column: Column[Any], bounds: Bounds, *, unique: bool
) -> MappedColumn:
    told = column.type
    kind: Any = None
    if isinstance(told, Enum):
        kind = told.enum_class or str
        members = list(told.enum_class) if told.enum_class else list(told.enums)
        allowed = set(bounds.choices)
        values = dict(zip(members, told.enums, strict=False))
        chosen = [one for one in members if not allowed or values.get(one) in allowed]
        bounds = replace(bounds, choices=tuple(chosen or members))
    elif isinstance(told, ARRAY) or (isinstance(told, JSON) and _is_list(mapper.class_, name)):
        kind = list
    elif isinstance(told, JSON):
        kind = dict
    elif isinstance(told, TypeDecorator) and isinstance(told.impl_instance, JSON):
        kind = None  # What it makes of JSON is its own affair.
    else:
        kind = _python_type(told)
    if isinstance(told, String) and not isinstance(told, Enum) and told.length is not None:
        most = told.length if bounds.most is None else min(told.length, bounds.most)
        bounds = replace(bounds, most=most)
    bounds = within_field(mapper.class_, name, bounds)
    if isinstance(told, SmallInteger) and bounds.high is None:
        bounds = replace(bounds, high=_SMALL)
    number = told if isinstance(told, Numeric) else None
    return MappedColumn(
        name,
        kind,
        type(told).__name__,
        _is_needed(mapper, name, column, unique=unique),
        unique,
        bounds,
        number.precision if number is not None else None,
        number.scale if number is not None else None,
        bool(getattr(told, "timezone", False)),
    )


def _is_list(kind: type, name: str) -> bool:
    """Whether the class says of a column of JSON that it's a list."""
    annotation = next(
        (
            vars(one).get("__annotations__", {}).get(name)
            for one in kind.__mro__
            if name in vars(one).get("__annotations__", {})
        ),
        None,
    )
    return re.search(r"\b(list|List|Sequence)\b", str(annotation)) is not None


def _python_type(told: Any) -> Any:
    """None if it isn't known; SQLAlchemy 2.1 says object then, 2.0 raises."""
    try:
        kind = told.python_type
    except NotImplementedError:
        kind = object
    if kind is object:
        inner = getattr(told, "impl", None)
        return _python_type(inner) if inner is not None and inner is not told else None
    return kind


def _is_needed(  # noqa: PLR0911 - a reason each
    mapper: Mapper[Any], name: str, column: Column[Any], *, unique: bool
) -> bool:
    """Whether a row can't be without a value of somebody's."""
    if column.nullable or column.computed is not None or column.identity is not None:
        return False
    if column is mapper.polymorphic_on or column is mapper.version_id_col:
        return False
    if any(column is table.autoincrement_column for table in _tables(mapper)):
        return False
    if _same_as_a_bases(mapper, name):
        return False
    if column.server_default is not None or column.server_onupdate is not None:
        return False
    if column.default is not None:
        # The same for all rows won't do where they must differ.
        return bool(column.default.is_scalar and unique)
    return not _class_has_default(mapper.class_, name)


def _same_as_a_bases(mapper: Mapper[Any], name: str) -> bool:
    """Whether it's the key of a joined table, which the base's row gives."""
    attribute = mapper.attrs.get(name)
    own: list[Any] = list(attribute.columns) if isinstance(attribute, ColumnProperty) else []
    if len(own) < 2 or mapper.inherits is None:  # noqa: PLR2004 - one of its own, one of a base's
        return False
    return any(
        column is column.table.autoincrement_column
        for column in own
        if isinstance(getattr(column, "table", None), Table)
    )


def _class_has_default(kind: Any, name: str) -> bool:
    """Whether its constructor sets it by itself: of a dataclass, or of SQLModel."""
    field = getattr(kind, "model_fields", {}).get(name)
    if field is not None:
        return not field.is_required() and field.get_default(call_default_factory=False) is not None
    if dataclasses.is_dataclass(kind):
        one = {field.name: field for field in dataclasses.fields(kind)}.get(name)
        if one is not None and one.init:
            missing = dataclasses.MISSING
            made = one.default_factory is not missing
            return made or (one.default is not missing and isinstance(one.default, _PLAIN))
    return False


_PLAIN = (str, int, float, bool, bytes, tuple)


def _checks(mapper: Mapper[Any], attributes: dict[str, Column[Any]]) -> checks.Read:
    """What the tables' CHECKs say, by attribute."""
    texts = []
    for table in _tables(mapper):
        of_columns = [one for column in table.columns for one in column.constraints]
        for constraint in [*table.constraints, *of_columns]:
            if isinstance(constraint, CheckConstraint):
                try:
                    text = str(constraint.sqltext.compile(compile_kwargs={"literal_binds": True}))
                except (SQLAlchemyError, NotImplementedError):
                    continue
                texts.append(text)
    read = checks.read(texts)
    named = {column.name: name for name, column in attributes.items()}
    return checks.Read(
        {named[name]: bounds for name, bounds in read.bounds.items() if name in named},
        [
            (named[first], named[second], equal)
            for first, second, equal in read.ordered
            if first in named and second in named
        ],
        [
            (named[first], named[second])
            for first, second in read.apart
            if first in named and second in named
        ],
    )


def _groups(mapper: Mapper[Any], attributes: dict[str, Column[Any]]) -> tuple[tuple[str, ...], ...]:
    """What must be unique, the key among it; attributes that are unknown make a group say nothing."""
    groups = {
        tuple(sorted(group))
        for base in mapper.iterate_to_root()
        for group in unique_columns(base.class_)
    }
    key = tuple(sorted(mapper.get_property_by_column(one).key for one in mapper.primary_key))
    groups.add(key)
    return tuple(sorted(group for group in groups if all(name in attributes for name in group)))


def _parents(
    mapper: Mapper[Any],
    attributes: dict[str, Column[Any]],
    groups: tuple[tuple[str, ...], ...],
) -> Iterator[Parent]:
    covered: set[Column[Any]] = set()
    for relation in mapper.relationships:
        if relation.direction.name != "MANYTOONE" or relation.viewonly:
            continue
        pairs = []
        for local, remote in relation.local_remote_pairs or ():
            covered.add(local)  # type: ignore[arg-type]
            pairs.append((_key(mapper, local), _key(relation.mapper, remote)))
        yield _parent(mapper, relation.key, relation.mapper.class_, pairs, attributes, groups)
    own = set(_tables(mapper))
    named = {column: name for name, column in attributes.items()}
    for constraint in sorted(
        (one for table in _tables(mapper) for one in table.foreign_key_constraints),
        key=lambda one: [column.name for column in one.columns],
    ):
        own_side: list[Column[Any]] = list(constraint.columns)
        if all(column in covered for column in own_side) or not all(
            one in named for one in own_side
        ):
            continue
        try:
            targets = [element.column for element in constraint.elements]
        except SQLAlchemyError:
            continue
        if targets[0].table in own and mapper.inherits is not None:
            continue  # The row of a base.
        owner = _mapped_by(mapper, targets[0])
        if owner is not None:
            covered.update(own_side)
            pairs = [
                (named[column], _key(owner, target))
                for column, target in zip(own_side, targets, strict=True)
            ]
            yield _parent(mapper, "", owner.class_, pairs, attributes, groups)


def _parent(  # noqa: PLR0917 - they come from two places
    mapper: Mapper[Any],
    name: str,
    kind: type,
    pairs: list[tuple[str, str]],
    attributes: dict[str, Column[Any]],
    groups: tuple[tuple[str, ...], ...],
) -> Parent:
    columns = [attributes[local] for local, _ in pairs if local in attributes]
    is_needed = any(
        not one.nullable and one.default is None and one.server_default is None for one in columns
    )
    return Parent(
        name,
        kind,
        tuple(pairs),
        is_needed,
        tuple(sorted(local for local, _ in pairs)) in groups,
    )


def _key(mapper: Mapper[Any], column: Any) -> str:
    try:
        return mapper.get_property_by_column(column).key
    except SQLAlchemyError:
        return str(column.key)


def _mapped_by(mapper: Mapper[Any], column: Column[Any]) -> Mapper[Any] | None:
    """The class whose rows a foreign key refers to."""
    for one in mapper.registry.mappers:
        if one.local_table is column.table and (
            one.inherits is None or one.local_table is not one.inherits.local_table
        ):
            return one
    return None


def _names(mapper: Mapper[Any], in_init: frozenset[str] | None) -> frozenset[str]:
    """Everything that a row may be given by name: columns, relationships, composites, hybrids, synonyms."""
    settable = {
        name
        for name, value in mapper.all_orm_descriptors.items()
        if getattr(value, "fset", True) is not None
    }
    properties = {
        name
        for one in mapper.class_.__mro__
        for name, value in vars(one).items()
        if isinstance(value, property) and value.fset is not None and not name.startswith("_")
    }
    return frozenset({*mapper.attrs.keys(), *settable, *properties, *(in_init or ())})


def _init(
    mapper: Mapper[Any], attributes: dict[str, Column[Any]]
) -> tuple[frozenset[str] | None, frozenset[str], frozenset[str]]:
    """What the constructor takes by name, None if it takes any; and what it needs: mapped, and not."""
    try:
        parameters = list(python.signature(mapper.class_).parameters.values())
    except (TypeError, ValueError):
        return None, frozenset(), frozenset()
    by_name = [
        one for one in parameters if one.kind in {one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY}
    ]
    mapped = {*attributes, *mapper.relationships.keys()}
    needed = {one.name for one in by_name if one.default is one.empty}
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters)
    return (
        None if takes_any else frozenset(one.name for one in by_name),
        frozenset(needed & mapped),
        frozenset(needed - mapped),
    )
