"""Two apps in one project, on two databases, of which one is under test and asks the other's."""

import os

from fastapi import Depends, FastAPI
from shop import routes
from sqlalchemy import MetaData, String, Table, Column, Integer, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

url = os.environ["DATABASE_URL"]
engine = create_async_engine(url)
other_engine = create_async_engine(url.replace("/shop", "/other"))
Sessions = async_sessionmaker(engine)
others = Table(
    "others", MetaData(), Column("id", Integer, primary_key=True), Column("name", String(20))
)


async def get_session():
    async with Sessions() as session:
        yield session


def tenant() -> str:
    return "acme"


async def get_other():
    async with AsyncSession(other_engine) as session:
        yield session


other = FastAPI()


@other.post("/others/{name}")
async def add(name: str, session=Depends(get_other), tenant=Depends(tenant)) -> list[str]:
    await session.execute(others.insert().values(name=f"{tenant}/{name}"))
    await session.commit()
    return list(await session.scalars(select(others.c.name)))


app = FastAPI()
app.include_router(routes(get_session))


@app.get("/tenant")
async def read_tenant(tenant=Depends(tenant)) -> str:
    return tenant
