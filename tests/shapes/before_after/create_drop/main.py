"""Users, on an engine that a function gives, from settings."""

import os
from functools import lru_cache

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from sqlalchemy import String, create_engine, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(100), unique=True)


@lru_cache
def get_engine():
    return create_engine(os.environ.get("DATABASE_URL", "sqlite:///./users.db"))


def get_db():
    with Session(get_engine()) as session:
        yield session


router = APIRouter(prefix="/users")


@router.post("", status_code=201)
def register(email: str, db: Session = Depends(get_db)) -> int:
    user = User(email=email)
    db.add(user)
    try:
        db.commit()
    except IntegrityError:
        raise HTTPException(409, "this address is taken") from None
    return user.id


@router.get("/{user_id}")
def read(user_id: int, db: Session = Depends(get_db)) -> str:
    email = db.scalar(select(User.email).where(User.id == user_id))
    if email is None:
        raise HTTPException(404)
    return email


def create_app() -> FastAPI:
    app = FastAPI()
    app.include_router(router)
    return app


app = create_app()
