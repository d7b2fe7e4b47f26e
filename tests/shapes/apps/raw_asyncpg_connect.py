"""A connection of asyncpg's for each request, by parameters and not by a URL."""

import os
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from asyncpg import UniqueViolationError, connect
from fastapi import FastAPI, HTTPException
from shop import Base  # noqa: F401 - the tables are described by SQLAlchemy, and made from it

where = urlsplit(os.environ["RAW_URL"])


@asynccontextmanager
async def lifespan(app: FastAPI):
    await (await connected()).close()
    yield


app = FastAPI(lifespan=lifespan)


async def connected():
    return await connect(
        host=where.hostname,
        user=where.username,
        password=where.password,
        database=where.path[1:],
        server_settings={"application_name": "shop"},
    )


@app.get("/items")
async def list_items() -> list[str]:
    connection = await connected()
    try:
        assert await connection.fetchval("SHOW application_name") == "shop"
        rows = await connection.fetch("SELECT name FROM items ORDER BY id")
        return [row["name"] for row in rows]
    finally:
        await connection.close()


@app.post("/items/{name}", status_code=201)
async def create_item(name: str) -> int:
    connection = await connected()
    try:
        statement = "INSERT INTO items (name) VALUES ($1) RETURNING id"
        return await connection.fetchval(statement, name)
    except UniqueViolationError:
        raise HTTPException(409) from None
    finally:
        await connection.close()


@app.post("/refused/{name}")
async def refuse_item(name: str) -> None:
    connection = await connected()
    try:
        async with connection.transaction():
            await connection.execute("INSERT INTO items (name) VALUES ($1)", name)
            raise HTTPException(400)
    finally:
        await connection.close()
