"""A session that chooses its engine by what it does, in `get_bind`."""

import os

from fastapi import FastAPI
from shop import routes
from sqlalchemy import Delete, Insert, Update
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

writer = create_async_engine(os.environ["DATABASE_URL"])
reader = create_async_engine(os.environ["DATABASE_URL"], pool_size=5)


class Routing(Session):
    def get_bind(self, mapper=None, clause=None, **more):
        if self._flushing or isinstance(clause, (Insert, Update, Delete)):
            return writer.sync_engine
        return reader.sync_engine


async def get_session():
    async with AsyncSession(sync_session_class=Routing) as session:
        yield session


app = FastAPI()
app.include_router(routes(get_session))
