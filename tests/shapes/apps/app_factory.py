"""A factory that is called many times in one run, each app with an engine of its own."""

import os
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from shop import routes
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine


async def get_session(request: Request):
    async with request.app.state.sessions() as session:
        yield session


def create_app() -> FastAPI:
    engine = create_async_engine(os.environ["DATABASE_URL"])

    @asynccontextmanager
    async def lifespan(app: FastAPI):
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)
    app.state.sessions = async_sessionmaker(engine)
    app.include_router(routes(get_session))
    return app
