"""Notes, on an async engine at module level."""

from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import String, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("sqlite+aiosqlite:///./notes.db")
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(200))


async def get_session():
    async with SessionLocal() as session:
        yield session


Db = Annotated[AsyncSession, Depends(get_session)]
app = FastAPI()


@app.get("/notes")
async def list_notes(db: Db) -> list[str]:
    return list(await db.scalars(select(Note.text).order_by(Note.id)))


@app.post("/notes", status_code=201)
async def create_note(text: str, db: Db) -> dict:
    note = Note(text=text)
    db.add(note)
    await db.commit()
    return {"id": note.id, "text": note.text}


@app.delete("/notes/{note_id}", status_code=204)
async def delete_note(note_id: int, db: Db) -> None:
    note = await db.get(Note, note_id)
    if note is None:
        raise HTTPException(404)
    await db.delete(note)
    await db.commit()
