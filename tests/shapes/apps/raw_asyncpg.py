"""Plain SQL on a pool of asyncpg's, without SQLAlchemy."""

import os
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, HTTPException, Request

TABLE = "CREATE TABLE IF NOT EXISTS items (id SERIAL PRIMARY KEY, name TEXT UNIQUE)"


@asynccontextmanager
async def lifespan(app: FastAPI):
    dsn = os.environ["RAW_URL"]
    async with asyncpg.create_pool(dsn, min_size=1, max_size=5, ssl="prefer") as pool:
        await pool.execute(TABLE)
        yield {"pool": pool}


app = FastAPI(lifespan=lifespan)


@app.get("/items")
async def list_items(request: Request) -> list[str]:
    rows = await request.state.pool.fetch("SELECT name FROM items ORDER BY id")
    return [row["name"] for row in rows]


@app.post("/items/{name}", status_code=201)
async def create_item(name: str, request: Request) -> int:
    statement = "INSERT INTO items (name) VALUES ($1) RETURNING id"
    try:
        return await request.state.pool.fetchval(statement, name)
    except asyncpg.UniqueViolationError:
        raise HTTPException(409) from None


@app.post("/refused/{name}")
async def refuse_item(name: str, request: Request) -> None:
    async with request.state.pool.acquire() as connection, connection.transaction():
        await connection.execute("INSERT INTO items (name) VALUES ($1)", name)
        raise HTTPException(400)
