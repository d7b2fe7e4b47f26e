"""A primary and a replica: what writes goes to one, what reads to the other."""

import os

from fastapi import Depends, FastAPI
from shop import add, names, refuse
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

url = make_url(os.environ["DATABASE_URL"])
replica_url = url.set(host="replica.invalid") if url.host else url
primary = async_sessionmaker(create_async_engine(url))
replica = async_sessionmaker(create_async_engine(replica_url))


async def reading():
    async with replica() as session:
        yield session


async def writing():
    async with primary() as session:
        yield session


app = FastAPI()


@app.get("/items")
async def list_items(session=Depends(reading)) -> list[str]:
    return await names(session)


@app.post("/items/{name}", status_code=201)
async def create_item(name: str, session=Depends(writing)) -> int:
    return await add(session, name)


@app.post("/refused/{name}")
async def refuse_item(name: str, session=Depends(writing)) -> None:
    await refuse(session, name)
