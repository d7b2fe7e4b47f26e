"""SQLModel, its models and its sessions."""

import os

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, create_engine, select

engine = create_engine(os.environ["BLOCKING_URL"])


class Item(SQLModel, table=True):
    __tablename__ = "items"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=50)


def get_session():
    with Session(engine) as session:
        yield session


app = FastAPI()


@app.get("/items")
def list_items(session: Session = Depends(get_session)) -> list[str]:
    return list(session.exec(select(Item.name).order_by(Item.id)))


@app.post("/items/{name}", status_code=201)
def create_item(name: str, session: Session = Depends(get_session)) -> int:
    item = Item(name=name)
    session.add(item)
    try:
        session.commit()
    except IntegrityError:
        raise HTTPException(409) from None
    return item.id


@app.post("/refused/{name}")
def refuse_item(name: str, session: Session = Depends(get_session)) -> None:
    session.add(Item(name=name))
    session.flush()
    raise HTTPException(400)
