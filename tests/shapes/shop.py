"""What the shapes have in common: the tables, and the routes on whatever session a shape has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy import String, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)


async def names(session: AsyncSession) -> list[str]:
    return list(await session.scalars(select(Item.name).order_by(Item.id)))


async def add(session: AsyncSession, name: str) -> int:
    item = Item(name=name)
    session.add(item)
    try:
        await session.commit()
    except IntegrityError:
        await session.rollback()
        raise HTTPException(409) from None
    await session.refresh(item)
    return item.id


async def refuse(session: AsyncSession, name: str) -> None:
    session.add(Item(name=name))
    await session.flush()
    raise HTTPException(400)


def routes(get_session: Callable[..., Any]) -> APIRouter:
    """The shop's routes on a dependency that gives an async session."""
    router = APIRouter()

    @router.get("/items")
    async def list_items(session=Depends(get_session)) -> list[str]:
        return await names(session)

    @router.post("/items/{name}", status_code=201)
    async def create_item(name: str, session=Depends(get_session)) -> int:
        return await add(session, name)

    @router.post("/refused/{name}")
    async def refuse_item(name: str, session=Depends(get_session)) -> None:
        await refuse(session, name)

    return router


def names_blocking(session: Session) -> list[str]:
    return list(session.scalars(select(Item.name).order_by(Item.id)))


def add_blocking(session: Session, name: str) -> int:
    item = Item(name=name)
    session.add(item)
    try:
        session.commit()
    except IntegrityError:
        session.rollback()
        raise HTTPException(409) from None
    return item.id


def refuse_blocking(session: Session, name: str) -> None:
    session.add(Item(name=name))
    session.flush()
    raise HTTPException(400)


def blocking_routes(get_session: Callable[..., Any]) -> APIRouter:
    """The shop's routes on a dependency that gives a session which blocks."""
    router = APIRouter()

    @router.get("/items")
    def list_items(session=Depends(get_session)) -> list[str]:
        return names_blocking(session)

    @router.post("/items/{name}", status_code=201)
    def create_item(name: str, session=Depends(get_session)) -> int:
        return add_blocking(session, name)

    @router.post("/refused/{name}")
    def refuse_item(name: str, session=Depends(get_session)) -> None:
        refuse_blocking(session, name)

    return router
