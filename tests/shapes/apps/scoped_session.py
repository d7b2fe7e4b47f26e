"""Sessions that belong to a task or a thread, removed when the request ends."""

import asyncio
import os

from fastapi import FastAPI
from shop import routes
from sqlalchemy.ext.asyncio import async_scoped_session, async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])
Session = async_scoped_session(async_sessionmaker(engine), scopefunc=asyncio.current_task)


async def get_session():
    try:
        yield Session()
    finally:
        await Session.remove()


app = FastAPI()
app.include_router(routes(get_session))
