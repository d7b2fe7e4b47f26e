"""An app whose answers aren't what it declares: each operation has one fault, or none."""

import datetime as dt
import enum
import uuid
from decimal import Decimal
from typing import Any

from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, StreamingResponse
from pydantic import BaseModel, Field


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Owner(BaseModel):
    name: str


class Item(BaseModel):
    id: int
    name: str = Field(min_length=1, max_length=10)
    price: float = Field(ge=0)
    colour: Colour
    made: dt.date
    seen: dt.datetime
    key: uuid.UUID
    owner: Owner | None = None
    tags: list[str] = []


class Node(BaseModel):
    name: str
    children: list["Node"] = []


GOOD: dict[str, Any] = {
    "id": 1,
    "name": "lamp",
    "price": 1.5,
    "colour": "red",
    "made": "2026-11-20",
    "seen": "2026-11-20T10:00:00Z",
    "key": "8d1c3f0a-0f5e-4a55-9c0e-0a4b6a1d2c3e",
    "owner": {"name": "ann"},
    "tags": [],
}

app = FastAPI()

DECLARED: dict[int | str, dict[str, Any]] = {200: {"model": Item}}


def answers(path: str, **changes: Any) -> None:
    """An operation that declares an Item, and answers something near it."""

    @app.get(path, response_model=None, responses=DECLARED, name=path)
    async def operation() -> JSONResponse:
        body = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}
        return JSONResponse(body)


answers("/good")
answers("/good-null", owner=None)
answers("/wrong-type", id="1")
answers("/missing", price=...)
answers("/null", name=None)
answers("/extra", note="x")
answers("/nested-extra", owner={"name": "ann", "email": "a@b.c"})
answers("/leaked-hash", hashed_password="$2b$...")
answers("/enum", colour="green")
answers("/date", made="20.11.2026")
answers("/date-time", seen="yesterday")
answers("/uuid", key="1")
answers("/too-long", name="a very long name")
answers("/too-small", price=-1)
answers("/in-a-list", tags=["a", 1])
answers("/nested", owner={"name": 1})


@app.get("/html-404", response_model=Item, responses={404: {"model": Owner}})
async def html_404() -> HTMLResponse:
    return HTMLResponse("<h1>Not found</h1>", 404)


@app.get("/server-error", response_model=Item)
async def server_error() -> JSONResponse:
    return JSONResponse({"detail": "sorry"}, int("500"))


@app.get("/raises", response_model=Item)
async def raises() -> Item:
    raise KeyError("colour")


@app.get("/content-type", response_model=Item)
async def content_type() -> PlainTextResponse:
    return PlainTextResponse("lamp")


@app.get("/no-json", response_model=Item)
async def no_json() -> Response:
    return Response(b"{'id': 1}", media_type="application/json")


@app.get("/no-utf-8", response_model=Item)
async def no_utf_8() -> Response:
    return Response(b'{"id": "\xff"}', media_type="application/json")


@app.get("/undeclared", response_model=Item)
async def undeclared() -> JSONResponse:
    answer = JSONResponse(GOOD)
    vars(answer)["status_code"] = 203
    return answer


@app.get("/not-a-list", response_model=None, responses={200: {"model": list[Item]}})
async def not_a_list() -> JSONResponse:
    return JSONResponse(GOOD)


@app.get("/bare-token")
async def bare_token() -> dict[str, Any]:
    return {"user": {"name": "ann", "apiKey": "k-1"}}


@app.get("/left-out", response_model=Item, response_model_exclude={"price"})
async def left_out() -> JSONResponse:
    return JSONResponse(GOOD)


# -- what is as it should be: FastAPI's own behaviour ----------------------------------------------------


class Lax(BaseModel):
    count: int
    price: Decimal
    at: dt.datetime
    day: dt.time
    span: dt.timedelta
    many: dict[str, int] = {}
    anything: Any = None


@app.get("/fine/lax", response_model=Lax)
async def lax() -> dict[str, Any]:
    return {
        "count": "1",
        "price": "1.50",
        "at": dt.datetime(2026, 1, 1),  # noqa: DTZ001 - as it's written by many
        "day": dt.time(10),
        "span": dt.timedelta(days=1, seconds=3.5),
        "many": {"a": 1},
        "anything": {"password_rules": ["long"], "x": 1},
    }


@app.get("/fine/unset", response_model=Lax, response_model_exclude_unset=True)
async def unset() -> Lax:
    return Lax.model_construct(count=1)


@app.get("/fine/dict")
async def bare() -> dict[str, Any]:
    return {"a": 1, "b": None}


@app.get("/fine/nothing", status_code=204)
async def nothing() -> None: ...


@app.get("/fine/tree", response_model=Node)
async def tree() -> Node:
    return Node(name="a", children=[Node(name="b", children=[Node(name="c")])])


@app.post("/fine/login")
async def login(password: str) -> dict[str, str]:
    return {"access_token": "a", "token_type": "bearer"}


@app.post("/fine/items")
async def create(item: Owner) -> Owner:
    if item.name == "taken":
        raise HTTPException(409, "taken")
    return item


@app.get("/fine/stream")
async def stream() -> StreamingResponse:
    return StreamingResponse(iter([b"a", b"b"]), media_type="text/csv")


@app.get("/fine/big", response_model=None)
async def big() -> Response:
    return Response(b'{"a":"' + b"x" * 50_000_000 + b'"}', media_type="application/json")
