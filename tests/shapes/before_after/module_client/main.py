"""Tickets with a login: a token is a user's name, as far as these tests care."""

import os
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import ForeignKey, String, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///./tickets.db"))


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)
    password: Mapped[str] = mapped_column(String(50))


class Ticket(Base):
    __tablename__ = "tickets"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(100))
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


def init_db(session: Session) -> None:
    if session.scalar(select(User).where(User.name == "admin")) is None:
        session.add(User(name="admin", password="changethis"))
        session.commit()


@asynccontextmanager
async def lifespan(app: FastAPI):
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        init_db(session)
    yield


def get_db():
    with Session(engine) as session:
        yield session


Db = Annotated[Session, Depends(get_db)]


def current_user(db: Db, authorization: Annotated[str, Header()] = "") -> User:
    user = db.scalar(select(User).where(User.name == authorization.removeprefix("Bearer ")))
    if user is None:
        raise HTTPException(401)
    return user


Me = Annotated[User, Depends(current_user)]
app = FastAPI(lifespan=lifespan)


@app.post("/login")
def login(name: str, password: str, db: Db) -> dict:
    user = db.scalar(select(User).where(User.name == name, User.password == password))
    if user is None:
        raise HTTPException(400)
    return {"access_token": user.name}


@app.post("/tickets", status_code=201)
def create(title: str, me: Me, db: Db) -> int:
    ticket = Ticket(title=title, owner_id=me.id)
    db.add(ticket)
    db.commit()
    return ticket.id


@app.get("/tickets")
def own(me: Me, db: Db) -> list[str]:
    return list(db.scalars(select(Ticket.title).where(Ticket.owner_id == me.id)))


@app.get("/users")
def users(me: Me, db: Db) -> list[str]:
    return list(db.scalars(select(User.name).order_by(User.name)))
