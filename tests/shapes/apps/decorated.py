"""A session made by a decorator around each handler, handed on as its first argument."""

import functools
import inspect
import os

from fastapi import FastAPI
from shop import add, names, refuse
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])
Sessions = async_sessionmaker(engine)


def transactional(function):
    signature = inspect.signature(function)
    first, *others = signature.parameters.values()

    @functools.wraps(function)
    async def handler(*args, **kwargs):
        async with Sessions() as session:
            return await function(session, *args, **kwargs)

    handler.__signature__ = signature.replace(parameters=others)
    return handler


app = FastAPI()


@app.get("/items")
@transactional
async def list_items(session: AsyncSession) -> list[str]:
    return await names(session)


@app.post("/items/{name}", status_code=201)
@transactional
async def create_item(session: AsyncSession, name: str) -> int:
    return await add(session, name)


@app.post("/refused/{name}")
@transactional
async def refuse_item(session: AsyncSession, name: str) -> None:
    await refuse(session, name)
