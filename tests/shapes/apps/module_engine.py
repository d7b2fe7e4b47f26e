"""An engine at module level, from the environment."""

import os

from fastapi import FastAPI
from shop import routes
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


async def get_session():
    async with SessionLocal() as session:
        yield session


app = FastAPI()
app.include_router(routes(get_session))
