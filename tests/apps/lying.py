"""An app with three faults that production shows at the first request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

engine = create_async_engine("sqlite+aiosqlite:///./app.db")
SessionLocal = async_sessionmaker(engine, expire_on_commit=False, autoflush=False)


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default="new")
    lines: Mapped[list[Line]] = relationship()


class Line(Base):
    __tablename__ = "lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    text: Mapped[str]


class LineOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    text: str


class OrderOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    state: str
    lines: list[LineOut]


async def get_db() -> AsyncIterator[AsyncSession]:
    async with SessionLocal() as session:
        yield session


Db = Annotated[AsyncSession, Depends(get_db)]
app = FastAPI()


@app.get("/orders/{order_id}", response_model=OrderOut)
async def read_with_a_lazy_load_in_the_response(order_id: int, db: Db) -> Order:
    return await db.get_one(Order, order_id)


@app.post("/orders/{order_id}/pay")
async def pay_and_forget_to_commit(order_id: int, db: Db) -> None:
    (await db.get_one(Order, order_id)).state = "paid"
    await db.flush()


@app.post("/orders/{order_id}/lines/{text}")
async def add_and_forget_to_flush(order_id: int, text: str, db: Db) -> list[str]:
    db.add(Line(order_id=order_id, text=text))
    lines = list(await db.scalars(select(Line.text).where(Line.order_id == order_id)))
    await db.commit()
    return lines
