"""An engine of the lifespan's, on `app.state`."""

import os
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from shop import routes
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=20)
    app.state.sessions = async_sessionmaker(app.state.engine)
    yield
    await app.state.engine.dispose()
    del app.state.sessions


async def get_session(request: Request):
    async with request.app.state.sessions() as session:
        yield session


app = FastAPI(lifespan=lifespan)
app.include_router(routes(get_session))
