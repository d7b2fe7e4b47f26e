"""A session made by a middleware, on `request.state`, committed or rolled back by it."""

import os

from fastapi import FastAPI, Request
from shop import routes
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

engine = create_async_engine(os.environ["DATABASE_URL"])
Sessions = async_sessionmaker(engine)
app = FastAPI()


@app.middleware("http")
async def session_middleware(request: Request, call_next):
    request.state.db = Sessions()
    try:
        response = await call_next(request)
        if response.status_code >= 400:
            await request.state.db.rollback()
        else:
            await request.state.db.commit()
        return response
    finally:
        await request.state.db.close()


def get_session(request: Request):
    return request.state.db


app.include_router(routes(get_session))
