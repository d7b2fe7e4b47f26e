"""A small items API: one file, a module-level async engine, and `get_db`."""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Path
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Numeric, String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DATABASE_URL = os.getenv("DATABASE_URL", "sqlite+aiosqlite:///./items.db")

engine = create_async_engine(DATABASE_URL)
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))


class ItemIn(BaseModel):
    name: str = Field(min_length=1, max_length=100)
    price: Decimal = Field(ge=0, max_digits=10, decimal_places=2)


class ItemOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    price: Decimal


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield
    await engine.dispose()


app = FastAPI(title="Items", lifespan=lifespan)


async def get_db() -> AsyncIterator[AsyncSession]:
    async with SessionLocal() as session:
        yield session


def get_discount() -> Decimal:
    """The discount of today, as a fraction of the price."""
    return Decimal(0)


Db = Annotated[AsyncSession, Depends(get_db)]
Discount = Annotated[Decimal, Depends(get_discount)]


async def get_item(item_id: Annotated[int, Path(ge=1, le=2**31 - 1)], db: Db) -> Item:
    item = await db.get(Item, item_id)
    if item is None:
        raise HTTPException(404, "There is no such item.")
    return item


Found = Annotated[Item, Depends(get_item)]


@app.post("/items/", status_code=201, response_model=ItemOut)
async def create_item(data: ItemIn, db: Db) -> Item:
    item = Item(**data.model_dump())
    db.add(item)
    await commit_unique(db)
    return item


@app.get("/items/", response_model=list[ItemOut])
async def list_items(db: Db) -> Sequence[Item]:
    return (await db.scalars(select(Item).order_by(Item.id))).all()


@app.get("/items/{item_id}", response_model=ItemOut)
async def read_item(item: Found, discount: Discount) -> ItemOut:
    price = round(item.price * (1 - discount), 2)
    return ItemOut(id=item.id, name=item.name, price=price)


@app.put("/items/{item_id}", response_model=ItemOut)
async def update_item(item: Found, data: ItemIn, db: Db) -> Item:
    item.name, item.price = data.name, data.price
    await commit_unique(db)
    return item


@app.delete("/items/{item_id}", status_code=204)
async def delete_item(item: Found, db: Db) -> None:
    await db.delete(item)
    await db.commit()


async def commit_unique(db: AsyncSession) -> None:
    try:
        await db.commit()
    except IntegrityError:
        await db.rollback()
        raise HTTPException(409, "An item of that name exists.") from None
