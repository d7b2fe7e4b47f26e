"""Plain SQL by sqlite3, one module-level path and a connection for each request."""

import sqlite3
from contextlib import asynccontextmanager, closing

from fastapi import FastAPI, HTTPException

PATH = "shop.db"


@asynccontextmanager
async def lifespan(app: FastAPI):
    with closing(sqlite3.connect(PATH)) as connection, connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY, name TEXT UNIQUE)"
        )
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/items")
def list_items() -> list[str]:
    with closing(sqlite3.connect(PATH)) as connection:
        return [name for (name,) in connection.execute("SELECT name FROM items ORDER BY id")]


@app.post("/items/{name}", status_code=201)
def create_item(name: str) -> int:
    with closing(sqlite3.connect(PATH)) as connection, connection:
        try:
            return connection.execute("INSERT INTO items (name) VALUES (?)", [name]).lastrowid
        except sqlite3.IntegrityError:
            raise HTTPException(409) from None


@app.post("/refused/{name}")
def refuse_item(name: str) -> None:
    with closing(sqlite3.connect(PATH)) as connection, connection:
        connection.execute("INSERT INTO items (name) VALUES (?)", [name])
        raise HTTPException(400)
