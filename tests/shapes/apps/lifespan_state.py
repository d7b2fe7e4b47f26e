"""An engine of the lifespan's, handed on as its state."""

import os
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from shop import routes
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


@asynccontextmanager
async def lifespan(app: FastAPI):
    engine = create_async_engine(os.environ["DATABASE_URL"])
    yield {"sessions": async_sessionmaker(engine)}
    await engine.dispose()


async def get_session(request: Request):
    async with request.state.sessions() as session:
        yield session


app = FastAPI(lifespan=lifespan)
app.include_router(routes(get_session))
