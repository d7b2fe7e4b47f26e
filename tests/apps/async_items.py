"""An app on a module-level async engine, which writes in every way that apps write."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI
from sqlalchemy import String, create_engine, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

engine = create_async_engine("sqlite+aiosqlite:///./app.db")
SessionLocal = async_sessionmaker(engine)
blocking_engine = create_engine("sqlite:///./app.db")
BlockingSession = sessionmaker(blocking_engine)


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)


async def get_db() -> AsyncIterator[AsyncSession]:
    async with SessionLocal() as session:
        yield session


Db = Annotated[AsyncSession, Depends(get_db)]
app = FastAPI()


@app.get("/items")
async def list_items(db: Db) -> list[str]:
    return list(await db.scalars(select(Item.name).order_by(Item.id)))


@app.post("/items/{name}", status_code=201)
async def create_item(name: str, db: Db) -> int:
    item = Item(name=name)
    db.add(item)
    await db.commit()
    await db.refresh(item)
    return item.id


@app.put("/items/{item_id}/{name}")
async def rename_item(item_id: int, name: str, db: Db) -> None:
    (await db.get_one(Item, item_id)).name = name
    await db.commit()


@app.delete("/items/{item_id}")
async def delete_item(item_id: int, db: Db) -> None:
    await db.delete(await db.get_one(Item, item_id))
    await db.commit()


@app.post("/conflict")
async def commit_fail_and_commit_again(db: Db) -> None:
    db.add(Item(name="before"))
    await db.commit()
    db.add(Item(name="before"))
    try:
        await db.commit()
    except IntegrityError:
        await db.rollback()
    db.add(Item(name="after"))
    await db.commit()


@app.post("/core")
async def write_by_core() -> None:
    async with engine.begin() as connection:
        await connection.execute(insert(Item).values(name="core"))


@app.post("/raw")
async def write_by_raw_sql() -> None:
    async with engine.begin() as connection:
        await connection.exec_driver_sql("INSERT INTO items (name) VALUES ('raw')")


@app.post("/autocommit")
async def write_in_autocommit() -> None:
    async with engine.connect() as connection:
        automatic = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await automatic.execute(text("INSERT INTO items (name) VALUES ('autocommit')"))


async def write_later() -> None:
    async with SessionLocal() as session:
        session.add(Item(name="background"))
        await session.commit()


@app.post("/background")
async def write_in_the_background(tasks: BackgroundTasks) -> None:
    tasks.add_task(write_later)


@app.post("/thread")
def write_in_a_thread() -> None:
    with BlockingSession() as session:
        session.add(Item(name="thread"))
        session.commit()
