"""No pool: each session has a connection of its own."""

import os

from fastapi import FastAPI
from shop import routes
from sqlalchemy import NullPool
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"], poolclass=NullPool)
SessionLocal = async_sessionmaker(engine)


async def get_session():
    async with SessionLocal() as session:
        yield session


app = FastAPI()
app.include_router(routes(get_session))
