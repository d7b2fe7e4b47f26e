"""A scheduler, a background task and a script that make engines of their own."""

import asyncio
import os
import threading
from contextlib import asynccontextmanager

from fastapi import BackgroundTasks, FastAPI
from shop import add, add_blocking, names, refuse
from sqlalchemy import create_engine
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

jobs: asyncio.Queue


async def scheduler() -> None:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    while (name := await jobs.get()) is not None:
        async with AsyncSession(engine) as session:
            await add(session, name)
        jobs.task_done()
    await engine.dispose()


@asynccontextmanager
async def lifespan(app: FastAPI):
    global jobs
    jobs = asyncio.Queue()
    running = asyncio.create_task(scheduler())
    yield
    await jobs.put(None)
    await running


app = FastAPI(lifespan=lifespan)


@asynccontextmanager
async def a_session():
    engine = create_async_engine(os.environ["DATABASE_URL"])
    try:
        async with AsyncSession(engine) as session:
            yield session
    finally:
        await engine.dispose()


@app.get("/items")
async def list_items() -> list[str]:
    async with a_session() as session:
        return await names(session)


@app.post("/items/{name}", status_code=201)
async def create_item(name: str) -> int:
    async with a_session() as session:
        return await add(session, name)


@app.post("/refused/{name}")
async def refuse_item(name: str) -> None:
    async with a_session() as session:
        await refuse(session, name)


@app.post("/scheduled/{name}")
async def schedule(name: str) -> None:
    await jobs.put(name)
    await jobs.join()


def script(name: str) -> None:
    engine = create_engine(os.environ["BLOCKING_URL"])
    with Session(engine) as session:
        add_blocking(session, name)
    engine.dispose()


@app.post("/later/{name}")
async def later(name: str, tasks: BackgroundTasks) -> None:
    tasks.add_task(script, name)


@app.post("/thread/{name}")
def thread(name: str) -> None:
    work = threading.Thread(target=script, args=[name])
    work.start()
    work.join()
