"""A stranger's first contact: a fresh environment, an empty folder, `pip install`, `pytest`.

Run by `make fresh`, with nothing but the standard library. It installs from the checkout that it lies in.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
APP = """
from fastapi import Depends, FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("sqlite+aiosqlite:///./shop.db")
SessionLocal = async_sessionmaker(engine)
app = FastAPI()


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


async def get_db():
    async with SessionLocal() as session:
        yield session


@app.post("/items/{name}")
async def create(name: str, db: AsyncSession = Depends(get_db)) -> int:
    item = Item(name=name)
    db.add(item)
    await db.flush()
    number = item.id
    await db.commit()
    return number


@app.get("/items")
async def listed(db: AsyncSession = Depends(get_db)) -> list[str]:
    return list(await db.scalars(select(Item.name)))
"""
SUITE = """
from main import Item
from sqlalchemy import select


async def test_created(client, db_session):
    assert (await client.post("/items/lamp")).json() == 1
    assert (await db_session.scalars(select(Item.name))).all() == ["lamp"]


async def test_clean(client):
    assert (await client.get("/items")).json() == []
    assert (await client.post("/items/chair")).json() == 1


def test_blocking(client):
    assert client.get("/items").json() == []
    assert client.post("/items/table").json() == 1
"""
DIRECT = """
from main import SessionLocal
from sqlalchemy import text


async def test_direct():
    async with SessionLocal() as session:
        assert await session.scalar(text("SELECT count(*) FROM items")) == 0
        await session.execute(text("INSERT INTO items (name) VALUES ('direct')"))
        await session.commit()
"""


def main() -> None:
    """Try it, and raise if anything isn't as it must be."""
    with tempfile.TemporaryDirectory(prefix="greenroom-fresh-") as name:
        folder = Path(name)
        venv.create(folder / "environment", with_pip=True)
        python = folder / "environment" / "bin" / "python"
        run(folder, python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", ROOT)

        using = folder / "using"
        using.mkdir()
        (using / "main.py").write_text(APP, encoding="utf-8")
        (using / "test_items.py").write_text(SUITE, encoding="utf-8")
        (using / "test_direct.py").write_text(DIRECT, encoding="utf-8")
        output = run(using, python, "-m", "pytest")
        expect("4 passed" in output and "greenroom: app main:app" in output, output)
        alone = run(using, python, "-m", "pytest", "test_direct.py::test_direct", "-W", "error")
        expect("1 passed" in alone and "greenroom: app main:app" in alone, alone)
        expect(not list(using.glob("*.db")), "the app's own database was made")

        other = folder / "other"
        other.mkdir()
        (other / "test_other.py").write_text("def test_it(): pass\n", encoding="utf-8")
        left_alone = run(other, python, "-m", "pytest")
        expect("1 passed" in left_alone and "greenroom: " not in left_alone, left_alone)
        tutorial(folder / "tutorial")
        print(output)
        print("fresh environment: as promised")


def tutorial(folder: Path) -> None:
    """Type it in, word by word, in an environment that has nothing but pip."""
    sys.path.insert(0, str(ROOT))
    from tests.docs.tutorial import type_in

    venv.create(folder / "environment", with_pip=True)
    scripts = folder / "environment" / ("Scripts" if os.name == "nt" else "bin")
    (folder / "shop").mkdir()
    given = type_in(
        folder / "shop", scripts, f"pip install --quiet --disable-pip-version-check {ROOT}"
    )
    expect(len(given) > 5, "the tutorial has no commands")


def run(folder: Path, *command: str | Path) -> str:
    """Run a command in a folder, and give back what it printed."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environ,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    expect(done.returncode == 0, done.stdout)
    return done.stdout


def expect(holds: bool, otherwise: str) -> None:
    """Stop with the text if something doesn't hold."""
    if not holds:
        sys.exit(otherwise)


main()
