"""Plain SQL by aiosqlite, a connection for each request."""

import sqlite3
from contextlib import asynccontextmanager

import aiosqlite
from fastapi import Depends, FastAPI, HTTPException

TABLE = "CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"


async def connected():
    async with aiosqlite.connect("shop.db") as connection:
        yield connection


@asynccontextmanager
async def lifespan(app: FastAPI):
    async with aiosqlite.connect("shop.db") as connection:
        await connection.execute(TABLE)
        await connection.commit()
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/items")
async def list_items(connection=Depends(connected)) -> list[str]:
    async with connection.execute("SELECT name FROM items ORDER BY id") as rows:
        return [name async for (name,) in rows]


@app.post("/items/{name}", status_code=201)
async def create_item(name: str, connection=Depends(connected)) -> int:
    try:
        cursor = await connection.execute("INSERT INTO items (name) VALUES (?)", [name])
    except sqlite3.IntegrityError:
        raise HTTPException(409) from None
    await connection.commit()
    return cursor.lastrowid


@app.post("/refused/{name}")
async def refuse_item(name: str, connection=Depends(connected)) -> None:
    await connection.execute("INSERT INTO items (name) VALUES (?)", [name])
    raise HTTPException(400)
