"""An app that calls another service in every way: four libraries, async, blocking, in a thread, afterwards."""

import asyncio
import threading

import aiohttp
import requests
from fastapi import BackgroundTasks, FastAPI, HTTPException

try:
    import httpx2
except ImportError:
    httpx2 = None
import httpx

HTTPX = httpx2 or httpx
URL = "https://api.example.com/rates"
app = FastAPI()
done = []


async def ask(library: str) -> tuple[int, object]:
    if library == "aiohttp":
        async with (
            aiohttp.ClientSession() as session,
            session.post(URL, json={"by": library}, params={"day": "1"}) as response,
        ):
            return response.status, await response.json()
    kind = {"httpx": httpx, "httpx2": HTTPX}[library]
    async with kind.AsyncClient() as client:
        response = await client.post(URL, json={"by": library}, params={"day": "1"})
        return response.status_code, response.json()


def ask_blocking(library: str) -> tuple[int, object]:
    kind = {"httpx": httpx, "httpx2": HTTPX, "requests": requests}[library]
    response = kind.post(URL, json={"by": library}, params={"day": "1"})
    return response.status_code, response.json()


@app.get("/async/{library}")
async def asynchronous(library: str):
    return await ask(library)


@app.get("/blocking/{library}")
def blocking(library: str):
    return ask_blocking(library)


@app.get("/thread/{library}")
async def in_a_thread(library: str):
    return await asyncio.to_thread(ask_blocking, library)


@app.get("/own-thread/{library}")
def in_its_own_thread(library: str):
    thread = threading.Thread(target=lambda: done.append(ask_blocking(library)))
    thread.start()
    thread.join()
    return done.pop() if done else None


@app.get("/later/{library}")
async def later(library: str, tasks: BackgroundTasks):
    async def work():
        if library == "requests":
            done.append(ask_blocking(library))
        else:
            done.append(await ask(library))

    tasks.add_task(work)


@app.get("/swallowed/{library}")
async def swallowed(library: str):
    try:
        return await ask(library) if library != "requests" else ask_blocking(library)
    except Exception:  # noqa: BLE001
        return "nothing happened"


@app.get("/handled/{library}")
async def handled(library: str):
    errors = (
        httpx.HTTPError,
        HTTPX.HTTPError,
        requests.RequestException,
        aiohttp.ClientError,
        TimeoutError,
    )
    try:
        return await ask(library) if library != "requests" else ask_blocking(library)
    except errors as error:
        raise HTTPException(503, type(error).__name__) from error
