"""One connection for all, as a database in memory needs it."""

import os
from contextlib import asynccontextmanager

from fastapi import FastAPI
from shop import Base, routes
from sqlalchemy import StaticPool
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

url = os.environ["DATABASE_URL"]
url = "sqlite+aiosqlite://" if url.startswith("sqlite") else url
engine = create_async_engine(url, poolclass=StaticPool)
SessionLocal = async_sessionmaker(engine)


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield


async def get_session():
    async with SessionLocal() as session:
        yield session


app = FastAPI(lifespan=lifespan)
app.include_router(routes(get_session))
