"""What every table can be asked."""

import operator
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from sqlalchemy import ColumnElement, Select, func, insert, select, update
from sqlalchemy import delete as delete_from
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.clock import now
from app.models.base import Base, SoftDelete

Model = TypeVar("Model", bound=Base)
Filters = Mapping[str, Any]

OPERATORS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "": operator.eq,
    "gte": operator.ge,
    "lte": operator.le,
    "in": lambda column, values: column.in_(values),
    "ilike": lambda column, part: column.icontains(part, autoescape=True),
}


def constraint_of(error: IntegrityError) -> str | None:
    """The name of the constraint that was violated: asyncpg knows it."""
    return getattr(getattr(error.orig, "__cause__", None), "constraint_name", None)


@dataclass(frozen=True)
class Page(Generic[Model]):
    items: Sequence[Model]
    total: int
    page: int
    size: int


class Repository(Generic[Model]):
    """Rows of one mapped class; it flushes, and whoever has the session commits.

    A filter is a column's name (`name="lamp"`), or that and an operator (`price__gte=10`, `name__ilike="la"`).
    Rows that are softly deleted are hidden from everything but `get(..., deleted=True)` and `restore`.
    """

    model: ClassVar[type[Any]]

    def __init__(self, session: AsyncSession) -> None:
        self.session = session

    async def get(
        self, key: uuid.UUID, *, deleted: bool = False, lock: bool = False
    ) -> Model | None:
        """A row, if it's there; whoever locks it is alone with it until he commits."""
        where = self.model.id == key
        if lock:
            locked = self._rows().where(where).with_for_update(of=self.model)
            return await self.session.scalar(locked)
        if deleted:
            return await self.session.scalar(
                select(self.model).where(where, self.model.deleted_at.is_not(None))
            )
        return await self.session.scalar(self._rows().where(where))

    async def find(
        self,
        filters: Filters | None = None,
        *,
        order_by: str = "created_at",
        page: int = 1,
        size: int = 20,
    ) -> Page[Model]:
        """The rows that the filters let through; `order_by="-price"` begins with the dearest."""
        rows = self._rows(filters)
        total = await self.session.scalar(select(func.count()).select_from(rows.subquery()))
        column = self._column(order_by.removeprefix("-"))
        order = column.desc() if order_by.startswith("-") else column.asc()
        chosen = rows.order_by(order, self.model.id).offset((page - 1) * size).limit(size)
        return Page((await self.session.scalars(chosen)).all(), total or 0, page, size)

    async def add(self, **values: Any) -> Model:
        row: Model = self.model(**values)
        self.session.add(row)
        await self.session.flush()
        return row

    async def change(self, row: Model, **values: Any) -> None:
        for name, value in values.items():
            setattr(row, name, value)
        await self.session.flush()

    async def delete(self, row: Model) -> None:
        if isinstance(row, SoftDelete):
            row.deleted_at = now()
        else:
            await self.session.delete(row)
        await self.session.flush()

    async def restore(self, row: Model) -> None:
        if not isinstance(row, SoftDelete):
            raise TypeError(f"A deleted {self.model.__name__} is gone.")
        row.deleted_at = None
        await self.session.flush()

    async def add_many(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[Model]:
        """New rows, in the order given."""
        if not rows:
            return []
        statement = insert(self.model).returning(self.model, sort_by_parameter_order=True)
        return (await self.session.scalars(statement, rows)).all()

    async def change_many(self, filters: Filters, **values: Any) -> int:
        """How many rows were changed."""
        statement = update(self.model).where(*self._conditions(filters)).values(**values)
        return await self._count(statement)

    async def delete_many(self, filters: Filters) -> int:
        """How many rows were deleted."""
        if issubclass(self.model, SoftDelete):
            return await self.change_many(filters, deleted_at=now())
        return await self._count(delete_from(self.model).where(*self._conditions(filters)))

    async def _count(self, statement: Any) -> int:
        return (await self.session.execute(statement)).rowcount

    def _rows(self, filters: Filters | None = None) -> Select[tuple[Model]]:
        return select(self.model).where(*self._conditions(filters or {}))

    def _conditions(self, filters: Filters) -> list[ColumnElement[bool]]:
        conditions = [self._condition(name, value) for name, value in filters.items()]
        if issubclass(self.model, SoftDelete):
            conditions.append(self.model.deleted_at.is_(None))
        return conditions

    def _condition(self, name: str, value: Any) -> ColumnElement[bool]:
        column, _, word = name.partition("__")
        if word not in OPERATORS:
            raise ValueError(f"{name}: there is no operator {word!r}")
        return OPERATORS[word](self._column(column), value)

    def _column(self, name: str) -> Any:
        if name not in self.model.__mapper__.columns:
            raise ValueError(f"{self.model.__name__} has no column {name!r}")
        return getattr(self.model, name)
