from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from app.api import auth, items
from app.core.config import get_settings
from app.core.errors import add_error_handlers
from app.core.middleware import Failures, RequestId, Timing
from app.core.resources import open_resources


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with open_resources(get_settings()) as resources:
        app.state.resources = resources
        yield


def create_app() -> FastAPI:
    app = FastAPI(title="catalog", lifespan=lifespan)
    app.add_middleware(Failures)
    app.add_middleware(Timing)
    app.add_middleware(RequestId)
    add_error_handlers(app)
    app.include_router(auth.router)
    app.include_router(items.router)
    return app


app = create_app()
