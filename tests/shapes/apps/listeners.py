"""Session events that write, and listeners on the engine that set each connection up."""

import os

from fastapi import FastAPI
from shop import Base, Item, routes
from sqlalchemy import Integer, String, event, insert, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import Mapped, mapped_column

engine = create_async_engine(os.environ["DATABASE_URL"])
SessionLocal = async_sessionmaker(engine)


class Audit(Base):
    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(String(50))
    connections: Mapped[int] = mapped_column(Integer)


set_up = []
begun = []


@event.listens_for(engine.sync_engine, "connect")
def on_connect(connection, record) -> None:
    cursor = connection.cursor()
    if engine.dialect.name == "sqlite":
        cursor.execute("PRAGMA foreign_keys=ON")
    else:
        cursor.execute("SET application_name TO 'shop'")
        # A rollback takes back what was set in its transaction.
        connection.commit()
    cursor.close()
    set_up.append(record)


@event.listens_for(engine.sync_engine, "begin")
def on_begin(connection) -> None:
    begun.append(connection)


@event.listens_for(Item, "after_insert")
def on_insert(mapper, connection, item) -> None:
    statement = insert(Audit).values(what=item.name, connections=len(set_up))
    connection.execute(statement)


async def get_session():
    async with SessionLocal() as session:
        yield session


app = FastAPI()
app.include_router(routes(get_session))


@app.get("/audit")
async def audit() -> dict:
    async with SessionLocal() as session:
        what = list(await session.scalars(select(Audit.what)))
        setting = (
            "PRAGMA foreign_keys" if engine.dialect.name == "sqlite" else "SHOW application_name"
        )
        is_set = (await (await session.connection()).exec_driver_sql(setting)).scalar_one()
        return {"what": what, "setting": str(is_set), "begun": bool(begun)}
