"""An app that does everything right: bearer tokens that expire, rows that belong to users, one shape of errors."""

import datetime as dt
import enum
import uuid
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, Form, HTTPException, UploadFile, WebSocket
from fastapi.security import OAuth2PasswordBearer
from pydantic import BaseModel, Field
from sqlalchemy import ForeignKey, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship

engine = create_async_engine("sqlite+aiosqlite:///./app.db")
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)
KEY = "k" * 40


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    note: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    user: Mapped[User] = relationship()


class Line(Base):
    __tablename__ = "lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    order: Mapped[Order] = relationship()


class Item(Base):
    __tablename__ = "items"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str] = mapped_column(unique=True)


class ItemIn(BaseModel):
    name: str = Field(min_length=2, max_length=40)
    price: float = Field(gt=0)


class OrderIn(BaseModel):
    note: str = Field(max_length=80)


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


async def get_db():
    async with SessionLocal() as session:
        yield session


Db = Annotated[AsyncSession, Depends(get_db)]
scheme = OAuth2PasswordBearer(tokenUrl="login")


def create_access_token(user_id: int) -> str:
    expires = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
    return jwt.encode({"sub": str(user_id), "exp": expires}, KEY, "HS256")


async def get_current_user(db: Db, token: Annotated[str, Depends(scheme)]) -> User:
    try:
        number = int(jwt.decode(token, KEY, ["HS256"])["sub"])
    except (jwt.PyJWTError, ValueError):
        raise HTTPException(401, "Not authenticated") from None
    user = await db.get(User, number)
    if user is None:
        raise HTTPException(401, "Not authenticated")
    return user


Me = Annotated[User, Depends(get_current_user)]
app = FastAPI()


@app.post("/items", status_code=201)
async def create_item(data: ItemIn, db: Db, me: Me) -> uuid.UUID:
    item = Item(name=data.name)
    db.add(item)
    await db.commit()
    return item.id


@app.get("/items/{item_id}")
async def read_item(item_id: uuid.UUID, db: Db) -> str:
    item = await db.get(Item, item_id)
    if item is None:
        raise HTTPException(404, "No such item")
    return item.name


async def own_order(order_id: int, db: Db, me: Me) -> Order:
    order = await db.get(Order, order_id)
    if order is None or order.user_id != me.id:
        raise HTTPException(404, "No such order")
    return order


@app.get("/orders/{order_id}")
async def read_order(order: Annotated[Order, Depends(own_order)]) -> str:
    return order.note


@app.get("/orders")
async def read_orders(db: Db, me: Me) -> list[int]:
    return list(await db.scalars(select(Order.id).where(Order.user_id == me.id)))


@app.get("/users/{user_id}/orders")
async def read_orders_of(user_id: int, db: Db, me: Me) -> list[int]:
    if user_id != me.id:
        raise HTTPException(404, "No such user")
    return list(await db.scalars(select(Order.id).where(Order.user_id == user_id)))


@app.get("/lines/{line_id}")
async def read_line(line_id: int, db: Db, me: Me) -> str:
    line = await db.get(Line, line_id, options=[joinedload(Line.order)])
    if line is None or line.order.user_id != me.id:
        raise HTTPException(404, "No such line")
    return line.text


@app.put("/orders/{order_id}")
async def change_order(data: OrderIn, order: Annotated[Order, Depends(own_order)], db: Db) -> str:
    order.note = data.note
    await db.commit()
    return order.note


@app.delete("/orders/{order_id}", status_code=204)
async def delete_order(order: Annotated[Order, Depends(own_order)], db: Db) -> None:
    await db.delete(order)
    await db.commit()


@app.get("/colors/{color}")
async def read_color(color: Color) -> str:
    return color.value


@app.post("/form")
async def form(name: Annotated[str, Form()]) -> str:
    return name


@app.post("/upload")
async def upload(file: UploadFile) -> int:
    return len(await file.read())


@app.websocket("/socket")
async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
