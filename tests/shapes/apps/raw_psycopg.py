"""psycopg's own connections, async and sync, on libpq's words."""

import os
from contextlib import asynccontextmanager

import psycopg
from fastapi import FastAPI, HTTPException
from shop import Base  # noqa: F401 - the tables are described by SQLAlchemy, and made from it

URL = os.environ["RAW_URL"]


@asynccontextmanager
async def lifespan(app: FastAPI):
    with psycopg.connect(URL, connect_timeout=3) as connection:
        connection.execute("SELECT 1")
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/items")
async def list_items() -> list[str]:
    async with await psycopg.AsyncConnection.connect(URL, application_name="shop") as connection:
        rows = await connection.execute("SELECT name FROM items ORDER BY id")
        return [name for (name,) in await rows.fetchall()]


@app.post("/items/{name}", status_code=201)
def create_item(name: str) -> int:
    try:
        with psycopg.connect(URL, autocommit=True) as connection:
            rows = connection.execute("INSERT INTO items (name) VALUES (%s) RETURNING id", [name])
            return rows.fetchone()[0]
    except psycopg.errors.UniqueViolation:
        raise HTTPException(409) from None


@app.post("/refused/{name}")
def refuse_item(name: str) -> None:
    with psycopg.connect(URL) as connection:
        connection.execute("INSERT INTO items (name) VALUES (%s)", [name])
        raise HTTPException(400)
