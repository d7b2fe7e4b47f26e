"""The floor: the same requests as bare ASGI calls, without pytest, client, fixtures or assertions.

The rows of one round are deleted before the next, by the cheapest statement.
"""

from __future__ import annotations

import asyncio
import json
import sys

from main import Base, Item, SessionLocal, app, engine
from sqlalchemy import delete, func, select


async def request(method: str, path: str, body: bytes = b"") -> bytes:
    answer = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        answer.append(message.get("body", b""))

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"host", b"test"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 1),
        "server": ("test", 80),
    }
    await app(scope, receive, send)
    return b"".join(answer)


async def main(count: int) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
    for number in range(count):
        created = json.loads(await request("POST", "/items", b'{"name":"n%d"}' % number))
        await request("GET", f"/items/{created['id']}")
        if number % 2:
            await request("GET", "/items")
        async with SessionLocal() as session:
            await session.scalar(select(func.count()).select_from(Item))
            await session.execute(delete(Item))
            await session.commit()
    await engine.dispose()


asyncio.run(main(int(sys.argv[1])))
