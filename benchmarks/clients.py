"""The client's own cost: requests by greenroom's client beside httpx2's on its `ASGITransport`."""

from __future__ import annotations

import asyncio
import os
import time
from statistics import median
from typing import Any

import httpx2
from fastapi import FastAPI, Request

from greenroom.client import transports
from greenroom.client.quick import Prototypes
from greenroom.observe.ledger import Ledger
from greenroom.observe.ledger import Request as Asked
from greenroom.runtime.limit import Limit

REQUESTS = 300
ROUNDS = 3 * int(os.environ.get("BENCH_ROUNDS", "5"))

app = FastAPI()


@app.get("/items")
async def items() -> dict[str, int]:
    return {"n": 1}


@app.post("/items")
async def add(item: dict[str, int]) -> dict[str, int]:
    return item


@app.post("/login")
async def log_in(request: Request) -> dict[str, int]:
    return {"n": len(await request.body())}


@app.post("/read")
async def read(request: Request) -> dict[str, int]:
    return {"n": len(await request.body())}


class Door:
    """Nobody listens; a request has its limit, as in a suite."""

    callers: Any = None

    def __init__(self) -> None:
        self.limit = Limit(30, lambda file: True)
        self.app: Any = None
        self.ledger = Ledger()

    async def before_request(self) -> None:
        pass

    async def after_request(self) -> None:
        pass

    def websocket(self, app: Any, scope: Any) -> Any:
        raise NotImplementedError

    def asked(self) -> Asked:
        return self.ledger.asked()


#: The kinds of requests, each with how it is sent.
KINDS: dict[str, dict[str, Any]] = {
    "GET": {"method": "GET", "url": "/items"},
    "GET with a token": {
        "method": "GET",
        "url": "/items",
        "headers": {"Authorization": "Bearer x"},
    },
    "GET with parameters": {"method": "GET", "url": "/items", "params": {"page": 1}},
    "POST of JSON": {"method": "POST", "url": "/items", "json": {"n": 1}},
    "POST of bytes": {"method": "POST", "url": "/items", "content": b'{"n": 1}'},
    "POST of a form": {"method": "POST", "url": "/login", "data": {"name": "a", "word": "b"}},
    "POST of a file": {"method": "POST", "url": "/read", "files": {"file": ("a.txt", b"text")}},
    "GET with a cookie": {"method": "GET", "url": "/items", "headers": {"Cookie": "a=b"}},
    "GET that follows": {"method": "GET", "url": "/items", "follow_redirects": True},
}


def main() -> None:
    """Print requests a second of both, and their ratio, kind by kind; CPU time, interleaved."""
    print(f"\nA request to a trivial FastAPI operation; medians of {ROUNDS} interleaved rounds")
    print(f"{'':24}{'greenroom, us':>16}{'httpx2, us':>12}{'throughput':>12}")
    for kind, request in KINDS.items():
        ours, theirs = asyncio.run(_both(request))
        ratio = median(t / o for o, t in zip(ours, theirs, strict=True))
        print(f"{kind:24}{median(ours):16.0f}{median(theirs):12.0f}{ratio:11.1f}x")


async def _both(request: dict[str, Any]) -> tuple[list[float], list[float]]:
    ours = transports.async_client(httpx2, app, Door(), Prototypes())
    theirs = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=transports.BASE_URL)
    costs: tuple[list[float], list[float]] = ([], [])
    for number in range(ROUNDS + 1):
        for client, known in zip((ours, theirs), costs, strict=True):
            started = time.process_time()
            for _ in range(REQUESTS):
                await client.request(**request)
            if number:
                known.append(1e6 * (time.process_time() - started) / REQUESTS)
    return costs


if __name__ == "__main__":
    main()
