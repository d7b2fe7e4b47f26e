"""A database object of its own, set on the app itself; connected and closed by the lifespan."""

import os
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from shop import routes
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


class Database:
    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = None

    async def connect(self) -> None:
        self.engine = create_async_engine(self.url, pool_pre_ping=True)
        self.sessions = async_sessionmaker(self.engine)

    async def disconnect(self) -> None:
        await self.engine.dispose()
        self.engine = None


class Shop(FastAPI):
    db: Database


@asynccontextmanager
async def lifespan(app: Shop):
    await app.db.connect()
    yield
    await app.db.disconnect()


async def get_session(request: Request):
    async with request.app.db.sessions() as session:
        yield session


app = Shop(lifespan=lifespan)
app.db = Database(os.environ["DATABASE_URL"])
app.include_router(routes(get_session))
