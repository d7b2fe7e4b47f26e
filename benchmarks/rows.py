"""Building a row of a mapped class by `make`, beside plain polyfactory: CPU, interleaved, nothing is stored."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from statistics import median
from typing import Any

from polyfactory.factories.sqlalchemy_factory import SQLAlchemyFactory
from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from greenroom.data.rows import Rows
from greenroom.data.values import Factories, Values
from greenroom.database.describe import describe
from greenroom.facts.mapped import Mapped as MappedClass

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
COUNT = 2000


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "products"
    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(12), unique=True)
    number: Mapped[int] = mapped_column(unique=True)
    barcode: Mapped[uuid.UUID] = mapped_column(unique=True)
    shelf: Mapped[str]
    row: Mapped[int]
    price: Mapped[float]
    is_active: Mapped[bool]
    __table_args__ = (UniqueConstraint("shelf", "row"),)


class _Nowhere:
    """What `make` asks a session; it stores nothing."""

    def __init__(self) -> None:
        self._known = describe(Product)

    def describe(self, kind: Any) -> MappedClass | None:
        return self._known if kind is Product else None

    def taken(self, kind: type, name: str) -> set[Any]:
        return set()

    def own(self, value: object) -> object:
        return value

    def together(
        self, kind: type, names: tuple[str, ...], fixed: dict[str, Any]
    ) -> set[tuple[Any, ...]]:
        return set()

    def store(self, made: list[object]) -> None:
        pass


class _Plain(SQLAlchemyFactory[Product]):
    __set_relationships__ = False


def main() -> None:
    """Print the ratio."""
    rows = Rows(Values("0", Factories), _Nowhere())
    ratios = []
    for number in range(ROUNDS + 1):
        ours = _cpu(lambda: rows.make(Product, COUNT, {}))
        theirs = _cpu(lambda: _Plain.batch(COUNT))
        if number:
            ratios.append(ours / theirs)
    print(
        f"\nBuilding a row of eight columns, three unique and a composite unique: {median(ratios):.2f} of "
        f"plain polyfactory (CPU); median of {len(ratios)}"
    )


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
