"""A global that is made when it is first needed, and a function that replaces it."""

import os

from fastapi import FastAPI
from shop import routes
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

_sessions = None


def override_db(url: str) -> None:
    global _sessions
    _sessions = async_sessionmaker(create_async_engine(url))


def sessions():
    if _sessions is None:
        override_db(os.environ["DATABASE_URL"])
    return _sessions


async def get_session():
    async with sessions()() as session:
        yield session


app = FastAPI()
app.include_router(routes(get_session))
