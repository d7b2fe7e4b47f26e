"""An app with two mounted in it, each with dependencies and a session of its own."""

import os

from fastapi import Depends, FastAPI
from shop import names, routes
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])
Sessions = async_sessionmaker(engine)


async def get_session():
    async with Sessions() as session:
        yield session


def current_user() -> str:
    return "nobody"


async def get_admin_session():
    own = create_async_engine(os.environ["DATABASE_URL"])
    async with AsyncSession(own) as session:
        yield session
    await own.dispose()


admin = FastAPI()


@admin.get("/items")
async def admin_items(session=Depends(get_admin_session), user=Depends(current_user)) -> list[str]:
    return [user, *await names(session)]


api = FastAPI()
api.include_router(routes(get_session))
app = FastAPI()
app.mount("/admin", admin)
app.mount("/", api)
