"""A sync engine beside the async one, on the same database."""

import os

from fastapi import Depends, FastAPI
from shop import add_blocking, names, refuse
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import sessionmaker

engine = create_async_engine(os.environ["DATABASE_URL"])
blocking_engine = create_engine(os.environ["BLOCKING_URL"])
Sessions = async_sessionmaker(engine)
BlockingSessions = sessionmaker(blocking_engine)


async def get_session():
    async with Sessions() as session:
        yield session


def get_blocking_session():
    with BlockingSessions() as session:
        yield session


app = FastAPI()


@app.get("/items")
async def list_items(session=Depends(get_session)) -> list[str]:
    return await names(session)


@app.post("/items/{name}", status_code=201)
def create_item(name: str, session=Depends(get_blocking_session)) -> int:
    return add_blocking(session, name)


@app.post("/refused/{name}")
async def refuse_item(name: str, session=Depends(get_session)) -> None:
    await refuse(session, name)
