"""The app of the generated suites: five tables, a module-level async engine, `get_db`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///./shop.db"))
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    """The declarative base."""


class Owner(Base):
    """A table that the suite doesn't write to."""

    __tablename__ = "owners"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Shop(Base):
    """A table that the suite doesn't write to."""

    __tablename__ = "shops"
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("owners.id"))


class Item(Base):
    """What the suite creates and reads."""

    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class Order(Base):
    """A table that the suite doesn't write to."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    shop_id: Mapped[int] = mapped_column(ForeignKey("shops.id"))


class Line(Base):
    """A table that the suite doesn't write to."""

    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("items.id"))


class ItemIn(BaseModel):
    """The body of a creation."""

    name: str


class ItemOut(BaseModel):
    """An item as it is answered."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    name: str


async def get_db() -> AsyncIterator[AsyncSession]:
    """A session for one request."""
    async with SessionLocal() as session:
        yield session


Db = Annotated[AsyncSession, Depends(get_db)]
app = FastAPI()


@app.post("/items", status_code=201, response_model=ItemOut)
async def create(data: ItemIn, db: Db) -> Item:
    """Create an item."""
    item = Item(name=data.name)
    db.add(item)
    await db.commit()
    return item


@app.get("/items/{item_id}", response_model=ItemOut)
async def read(item_id: int, db: Db) -> Item:
    """Read an item."""
    item = await db.get(Item, item_id)
    if item is None:
        raise HTTPException(404)
    return item


@app.get("/items", response_model=list[ItemOut])
async def listed(db: Db) -> list[Item]:
    """List all items."""
    return list(await db.scalars(select(Item)))
