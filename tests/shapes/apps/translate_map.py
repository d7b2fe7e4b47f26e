"""Tables in a schema whose real name is put in when the engine is made."""

import os

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(
    os.environ["DATABASE_URL"], execution_options={"schema_translate_map": {"tenant": None}}
)
SessionLocal = async_sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    __table_args__ = {"schema": "tenant"}

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)


async def get_session():
    async with SessionLocal() as session:
        yield session


app = FastAPI()


@app.get("/items")
async def list_items(session: AsyncSession = Depends(get_session)) -> list[str]:
    return list(await session.scalars(select(Item.name).order_by(Item.id)))


@app.post("/items/{name}", status_code=201)
async def create_item(name: str, session: AsyncSession = Depends(get_session)) -> int:
    item = Item(name=name)
    session.add(item)
    try:
        await session.commit()
    except IntegrityError:
        raise HTTPException(409) from None
    await session.refresh(item)
    return item.id


@app.post("/refused/{name}")
async def refuse_item(name: str, session: AsyncSession = Depends(get_session)) -> None:
    session.add(Item(name=name))
    await session.flush()
    raise HTTPException(400)
