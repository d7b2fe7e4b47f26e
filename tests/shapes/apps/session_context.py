"""A helper that opens a session wherever one is needed, with the current one in a ContextVar."""

import os
from contextlib import asynccontextmanager
from contextvars import ContextVar

from fastapi import FastAPI
from shop import add, names, refuse
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])
Sessions = async_sessionmaker(engine)
current = ContextVar("current", default=None)


@asynccontextmanager
async def session_context():
    if current.get() is not None:
        yield current.get()
        return
    async with Sessions() as session:
        token = current.set(session)
        try:
            yield session
        finally:
            current.reset(token)


async def count() -> int:
    async with session_context() as session:
        return len(await names(session))


app = FastAPI()


@app.get("/items")
async def list_items() -> list[str]:
    async with session_context() as session:
        found = await names(session)
        assert await count() == len(found)
        return found


@app.post("/items/{name}", status_code=201)
async def create_item(name: str) -> int:
    async with session_context() as session:
        return await add(session, name)


@app.post("/refused/{name}")
async def refuse_item(name: str) -> None:
    async with session_context() as session:
        await refuse(session, name)
