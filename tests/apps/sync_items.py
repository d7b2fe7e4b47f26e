"""An app on a module-level sync engine, which writes in every way that apps write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI
from sqlalchemy import String, create_engine, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

engine = create_engine("sqlite:///./app.db", connect_args={"check_same_thread": False})
SessionLocal = sessionmaker(engine, autoflush=False)


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)


def get_db() -> Iterator[Session]:
    with SessionLocal() as session:
        yield session


Db = Annotated[Session, Depends(get_db)]
app = FastAPI()


@app.get("/items")
def list_items(db: Db) -> list[str]:
    return list(db.scalars(select(Item.name).order_by(Item.id)))


@app.post("/items/{name}", status_code=201)
def create_item(name: str, db: Db) -> int:
    item = Item(name=name)
    db.add(item)
    db.commit()
    return item.id


@app.put("/items/{item_id}/{name}")
def rename_item(item_id: int, name: str, db: Db) -> None:
    db.get_one(Item, item_id).name = name
    db.commit()


@app.delete("/items/{item_id}")
def delete_item(item_id: int, db: Db) -> None:
    db.delete(db.get_one(Item, item_id))
    db.commit()


@app.post("/conflict")
def commit_fail_and_commit_again(db: Db) -> None:
    db.add(Item(name="before"))
    db.commit()
    db.add(Item(name="before"))
    try:
        db.commit()
    except IntegrityError:
        db.rollback()
    db.add(Item(name="after"))
    db.commit()


@app.post("/core")
def write_by_core() -> None:
    with engine.begin() as connection:
        connection.execute(insert(Item).values(name="core"))


@app.post("/raw")
def write_by_raw_sql() -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO items (name) VALUES ('raw')")


@app.post("/autocommit")
def write_in_autocommit() -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("INSERT INTO items (name) VALUES ('autocommit')"))


def write_later() -> None:
    with SessionLocal() as session:
        session.add(Item(name="background"))
        session.commit()


@app.post("/background")
def write_in_the_background(tasks: BackgroundTasks) -> None:
    tasks.add_task(write_later)


@app.post("/thread")
def write_in_a_thread() -> None:
    write_later()
    with SessionLocal() as session:
        session.execute(text("UPDATE items SET name = 'thread'"))
        session.commit()
