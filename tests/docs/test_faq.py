"""Each error text of `docs/faq.md` is what the usual recipe really prints, and greenroom's run is green."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psycopg
import pytest
from sqlalchemy import make_url

from tests.docs.blocks import ROOT
from tests.harness import Project, Result

PAGE = ROOT / "docs" / "faq.md"

MODELS = """
class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    price: Mapped[int] = mapped_column(default=1)
"""

ASYNC_APP = f"""
import os
from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import NullPool, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine(os.environ.get("DATABASE_URL", "sqlite+aiosqlite:///shop.db"))
SessionLocal = async_sessionmaker(engine, expire_on_commit=False)

{MODELS}

async def get_db():
    async with SessionLocal() as session:
        yield session


app = FastAPI()


@app.post("/items", status_code=201)
async def create(name: str, db: AsyncSession = Depends(get_db)):
    item = Item(name=name)
    db.add(item)
    try:
        await db.commit()
    except IntegrityError:
        await db.rollback()
        raise HTTPException(409)
    return item.id


@app.post("/careless", status_code=201)
async def create_without_rollback(name: str, db: AsyncSession = Depends(get_db)):
    db.add(Item(name=name))
    try:
        await db.commit()
    except IntegrityError:
        raise HTTPException(409)


@app.post("/whole", status_code=201)
async def create_in_a_block(name: str, db: AsyncSession = Depends(get_db)):
    async with db.begin():
        db.add(Item(name=name))


@app.get("/items")
async def items(db: AsyncSession = Depends(get_db)) -> list[str]:
    return list(await db.scalars(select(Item.name).order_by(Item.id)))
"""

BLOCKING_APP = f"""
import os
from contextlib import asynccontextmanager
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

URL = os.environ.get("DATABASE_URL", "sqlite:///shop.db")
engine = create_engine(URL, pool_timeout=0.2, connect_args={{"timeout": 0.2}})
SessionLocal = sessionmaker(engine)

{MODELS}

@asynccontextmanager
async def lifespan(app):
    Base.metadata.create_all(engine)
    yield


def get_db():
    with SessionLocal() as session:
        yield session


app = FastAPI(lifespan=lifespan)


@app.post("/items", status_code=201)
def create(name: str, db: Session = Depends(get_db)):
    item = Item(name=name)
    db.add(item)
    db.commit()
    return item.id


@app.get("/items")
def items(db: Session = Depends(get_db)) -> list[str]:
    return list(db.scalars(select(Item.name).order_by(Item.id)))
"""

RAW_APP = """
import os
from contextlib import asynccontextmanager
import asyncpg
from fastapi import Depends, FastAPI


@asynccontextmanager
async def lifespan(app):
    async with asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=0) as app.state.pool:
        yield


async def get_connection():
    async with app.state.pool.acquire() as connection:
        yield connection


app = FastAPI(lifespan=lifespan)


@app.get("/sum")
async def add(number: int, connection=Depends(get_connection)) -> int:
    return await connection.fetchval("SELECT $1::int + 1 FROM pg_sleep(0.01)", number)
"""

#: The well-known conftest for an async app: %s is the body of `db_session`.
ASYNC_CONFTEST = """
import pytest_asyncio
from httpx2 import ASGITransport, AsyncClient
from main import Base, app, engine, get_db
from sqlalchemy.ext.asyncio import AsyncSession


@pytest_asyncio.fixture%(engine)s
async def tables():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield


@pytest_asyncio.fixture
async def db_session(tables):%(session)s


@pytest_asyncio.fixture
async def client(db_session):
    app.dependency_overrides[get_db] = lambda: db_session
    transport = ASGITransport(app=app)
    async with AsyncClient(transport=transport, base_url="http://test") as client:
        yield client
    app.dependency_overrides.clear()
"""


def conftest(session: str, engine: str = "") -> str:
    """The well-known conftest, with that body of its fixture `db_session`."""
    return ASYNC_CONFTEST % {"session": session, "engine": engine}


PLAIN_SESSION = """
    async with AsyncSession(engine, expire_on_commit=False) as session:
        yield session
        await session.rollback()
"""

BEGUN = """
    async with AsyncSession(engine, expire_on_commit=False) as session:
        async with session.begin():
            yield session
            await session.rollback()
"""

TRANSACTION = """
    session = AsyncSession(engine, expire_on_commit=False)
    transaction = await session.begin()
    yield session
    await transaction.rollback()
    await session.close()
"""

SAVEPOINT = """
    async with engine.connect() as connection:
        transaction = await connection.begin()
        session = AsyncSession(
            connection, join_transaction_mode="create_savepoint", expire_on_commit=False
        )
        yield session
        await session.close()
        await transaction.rollback()
"""

DELETES = """
    async with AsyncSession(engine, expire_on_commit=False) as session:
        yield session
    async with engine.begin() as connection:
        for table in reversed(Base.metadata.sorted_tables):
            await connection.execute(table.delete())
"""

READ = """
async def test_one(client):
    assert (await client.get("/items")).json() == []


async def test_two(client):
    assert (await client.get("/items")).json() == []
"""

CREATE = """
async def test_one(client):
    assert (await client.post("/items", params={"name": "lamp"})).status_code == 201


async def test_two(client):
    assert (await client.post("/items", params={"name": "lamp"})).status_code == 201
"""

CREATE_AND_READ = """
async def test_an_item(client):
    assert (await client.post("/items", params={"name": "lamp"})).status_code == 201
    assert (await client.get("/items")).json() == ["lamp"]
"""

ONE_SESSION = "    app.dependency_overrides[get_db] = lambda: db_session\n"

ONE_LOOP = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = session
asyncio_default_test_loop_scope = session
"""
FUNCTION_LOOPS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
"""


EVENT_LOOP = """
import pytest
from httpx2 import ASGITransport, AsyncClient
from main import app


@pytest.fixture
def client(event_loop):
    transport = ASGITransport(app=app)
    client = AsyncClient(transport=transport, base_url="http://test")
    yield client
    event_loop.run_until_complete(client.aclose())
"""

OWN_CLIENT = EVENT_LOOP.replace("def client(event_loop)", "async def client()").replace(
    "event_loop.run_until_complete(client.aclose())", "await client.aclose()"
)


@dataclass(frozen=True)
class Case:
    """What makes an error by the usual recipe, and what mends the recipe.

    :param heading: of its entry on the page. What stands in backticks is what is printed; an ellipsis
        stands for any text.
    :param fix: texts of the recipe's files, and what stands there when it's mended.
    :param ini: the recipe's settings of pytest.
    :param own: what is left of the conftest with greenroom.
    :param url: the driver of the app's URL; nothing for SQLite.
    :param full: the server has few connections left.
    """

    heading: str
    app: str
    conftest: str
    test: str
    fix: tuple[tuple[str, str], ...]
    ini: str = ONE_LOOP
    own: str = ""
    url: str = ""
    full: bool = False

    def files(self) -> dict[str, str]:
        """The project by the recipe."""
        return {
            "main.py": self.app,
            "conftest.py": self.conftest,
            "test_it.py": self.test,
            "pytest.ini": self.ini,
        }


CASES = [
    Case(
        "`got Future … attached to a different loop`",
        ASYNC_APP,
        conftest(PLAIN_SESSION, '(scope="session", loop_scope="session")'),
        READ,
        ini=FUNCTION_LOOPS,
        url="postgresql+asyncpg",
        fix=((FUNCTION_LOOPS, ONE_LOOP),),
    ),
    Case(
        "`Event loop is closed`",
        ASYNC_APP.replace('///shop.db")', '///shop.db"), pool_pre_ping=True'),
        conftest(PLAIN_SESSION),
        READ,
        ini=FUNCTION_LOOPS,
        url="postgresql+asyncpg",
        fix=(("pool_pre_ping=True", "poolclass=NullPool"),),
    ),
    Case(
        "`cannot perform operation: another operation is in progress`",
        RAW_APP,
        """
import os
import asyncpg
import pytest_asyncio
from httpx2 import ASGITransport, AsyncClient
from main import app, get_connection


@pytest_asyncio.fixture
async def connection():
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


@pytest_asyncio.fixture
async def client(connection):
    app.dependency_overrides[get_connection] = lambda: connection
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://test") as client:
        yield client
    app.dependency_overrides.clear()
""",
        """
import asyncio


async def test_two_at_once(client):
    sums = [client.get("/sum", params={"number": number}) for number in range(2)]
    assert [answer.json() for answer in await asyncio.gather(*sums)] == [1, 2]
""",
        url="postgresql",
        fix=(
            ("    app.dependency_overrides[get_connection] = lambda: connection\n", ""),
            (
                "async with AsyncClient(",
                "async with app.router.lifespan_context(app), AsyncClient(",
            ),
        ),
    ),
    Case(
        "`Can't operate on closed transaction inside context manager`",
        ASYNC_APP,
        conftest(BEGUN),
        """
async def test_two_items(client):
    assert (await client.post("/items", params={"name": "lamp"})).status_code == 201
    assert (await client.get("/items")).json() == ["lamp"]
""",
        fix=((BEGUN, SAVEPOINT),),
    ),
    Case(
        "`This transaction is closed`",
        ASYNC_APP,
        conftest(TRANSACTION),
        CREATE_AND_READ,
        fix=((TRANSACTION, SAVEPOINT),),
    ),
    Case(
        "`This Session's transaction has been rolled back due to a previous exception during flush`",
        ASYNC_APP,
        conftest(PLAIN_SESSION),
        """
async def test_the_second_is_refused(client):
    assert (await client.post("/careless", params={"name": "lamp"})).status_code == 201
    assert (await client.post("/careless", params={"name": "lamp"})).status_code == 409
    assert (await client.get("/items")).json() == ["lamp"]
""",
        fix=((ONE_SESSION, ""),),
    ),
    Case(
        "`A transaction is already begun on this Session`",
        ASYNC_APP,
        conftest(PLAIN_SESSION),
        """
from main import Item
from sqlalchemy import select


async def test_an_item_more(client, db_session):
    assert list(await db_session.scalars(select(Item))) == []
    assert (await client.post("/whole", params={"name": "lamp"})).status_code == 201
""",
        fix=((ONE_SESSION, ""),),
    ),
    Case(
        "`ScopeMismatch: You tried to access the function scoped fixture`",
        ASYNC_APP,
        """
import pytest_asyncio
from main import Base, Item, engine
from sqlalchemy.ext.asyncio import AsyncSession


@pytest_asyncio.fixture
async def db_session():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(engine, expire_on_commit=False) as session:
        yield session
""",
        """
import pytest
from main import Item


@pytest.fixture(scope="module")
async def lamp(db_session):
    item = Item(name="lamp")
    db_session.add(item)
    await db_session.commit()
    return item.id


async def test_the_lamp(lamp, db_session):
    assert (await db_session.get(Item, lamp)).name == "lamp"


async def test_the_lamp_is_there_again(lamp, db_session):
    assert (await db_session.get(Item, lamp)).name == "lamp"
""",
        fix=(('(scope="module")', ""),),
    ),
    Case(
        "`fixture 'event_loop' not found`",
        ASYNC_APP,
        EVENT_LOOP,
        """
async def test_nothing(client):
    assert (await client.get("/elsewhere")).status_code == 404
""",
        fix=((EVENT_LOOP, OWN_CLIENT),),
    ),
    Case(
        "`database is locked`",
        BLOCKING_APP,
        """
import pytest
from fastapi.testclient import TestClient
from main import SessionLocal, app


@pytest.fixture
def client():
    with TestClient(app) as client:
        yield client


@pytest.fixture
def db_session(client):
    with SessionLocal() as session:
        yield session
""",
        """
from main import Item


def test_a_second_item(client, db_session):
    db_session.add(Item(name="lamp"))
    db_session.flush()
    assert client.post("/items", params={"name": "chair"}).status_code == 201
    assert client.get("/items").json() == ["lamp", "chair"]
""",
        fix=(("flush()", "commit()"),),
    ),
    Case(
        "`no such table`",
        BLOCKING_APP,
        """
import pytest
from fastapi.testclient import TestClient
from main import app


@pytest.fixture
def client():
    return TestClient(app)
""",
        """
def test_nothing(client):
    assert client.get("/items").json() == []
""",
        fix=(
            (
                "    return TestClient(app)",
                "    with TestClient(app) as client:\n        yield client",
            ),
        ),
    ),
    Case(
        "`SQLite objects created in a thread can only be used in that same thread`",
        BLOCKING_APP,
        """
import pytest
from fastapi.testclient import TestClient
from main import Base, app, get_db
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool


@pytest.fixture
def db_session():
    engine = create_engine("sqlite://", poolclass=StaticPool)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        yield session


@pytest.fixture
def client(db_session):
    app.dependency_overrides[get_db] = lambda: db_session
    yield TestClient(app)
    app.dependency_overrides.clear()
""",
        """
from main import Item


def test_the_lamp(client, db_session):
    db_session.add(Item(name="lamp"))
    db_session.commit()
    assert client.get("/items").json() == ["lamp"]
""",
        fix=(
            (
                "poolclass=StaticPool",
                'poolclass=StaticPool, connect_args={"check_same_thread": False}',
            ),
        ),
    ),
    Case(
        "`MissingGreenlet: greenlet_spawn has not been called`",
        ASYNC_APP,
        conftest(PLAIN_SESSION.replace(", expire_on_commit=False", "")),
        """
from main import Item


async def test_the_price_is_set(client, db_session):
    item = Item(name="lamp")
    db_session.add(item)
    await db_session.commit()
    assert item.price == 1
""",
        fix=(("AsyncSession(engine)", "AsyncSession(engine, expire_on_commit=False)"),),
    ),
    Case(
        "`DetachedInstanceError: Instance … is not bound to a Session`",
        BLOCKING_APP,
        """
import pytest
from main import Base, Item, SessionLocal, engine


@pytest.fixture
def lamp():
    Base.metadata.create_all(engine)
    with SessionLocal() as session:
        item = Item(name="lamp")
        session.add(item)
        session.commit()
    return item
""",
        """
def test_the_lamp(lamp):
    assert lamp.name == "lamp"
""",
        own="""
import pytest
from main import Item


@pytest.fixture
def lamp(make):
    return make(Item, name="lamp")
""",
        fix=(("commit()\n    return item\n", "commit()\n        yield item\n"),),
    ),
    Case(
        "`duplicate key value violates unique constraint`",
        ASYNC_APP.replace("except IntegrityError:", "except ZeroDivisionError:"),
        conftest(PLAIN_SESSION),
        CREATE,
        url="postgresql+asyncpg",
        fix=((PLAIN_SESSION, SAVEPOINT),),
    ),
    Case(
        "`sorry, too many clients already`",
        ASYNC_APP,
        """
import pytest_asyncio
from main import Base, engine
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine


@pytest_asyncio.fixture
async def db_session():
    own = create_async_engine(engine.url)
    async with own.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with AsyncSession(own) as session:
        yield session
""",
        """
import pytest
from main import Item
from sqlalchemy import select


@pytest.mark.parametrize("number", range(15))
async def test_nothing(db_session, number):
    assert list(await db_session.scalars(select(Item))) == []
""",
        url="postgresql+asyncpg",
        full=True,
        fix=(("        yield session\n", "        yield session\n    await own.dispose()\n"),),
    ),
    Case(
        "`QueuePool limit of size 5 overflow 10 reached, connection timed out`",
        BLOCKING_APP,
        """
import pytest
from fastapi.testclient import TestClient
from main import SessionLocal, app, get_db


@pytest.fixture(scope="session")
def make_session():
    sessions = []

    def make():
        sessions.append(SessionLocal())
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


@pytest.fixture
def client(make_session):
    app.dependency_overrides[get_db] = make_session
    with TestClient(app) as client:
        yield client
    app.dependency_overrides.clear()
""",
        """
def test_twenty_requests(client):
    for _ in range(20):
        assert client.get("/items").json() == []
""",
        fix=(("    app.dependency_overrides[get_db] = make_session\n", ""),),
    ),
    Case(
        "`async def functions are not natively supported`",
        ASYNC_APP,
        conftest(PLAIN_SESSION),
        READ,
        ini="[pytest]\n",
        fix=(("[pytest]\n", ONE_LOOP),),
    ),
    Case(
        "`requested an async fixture …, with no plugin or hook that handled it`",
        ASYNC_APP,
        conftest(PLAIN_SESSION),
        """
import pytest
from main import Item


@pytest.fixture
async def lamp(db_session):
    db_session.add(Item(name="lamp"))
    await db_session.commit()


async def test_the_lamp(client, lamp):
    assert (await client.get("/items")).json() == ["lamp"]
""",
        ini="[pytest]\n",
        fix=(("[pytest]\n", ONE_LOOP),),
    ),
    Case(
        "`coroutine … was never awaited`",
        ASYNC_APP,
        conftest(PLAIN_SESSION),
        """
def test_an_item(client):
    client.post("/items", params={"name": "lamp"})
    assert client.get("/items").json() == ["lamp"]
""",
        fix=(
            ("def test", "async def test"),
            ("    client.post", "    await client.post"),
            ('client.get("/items")', '(await client.get("/items"))'),
        ),
    ),
    Case(
        "`got Future … attached to a different loop` with TestClient",
        ASYNC_APP,
        """
import pytest
import pytest_asyncio
from fastapi.testclient import TestClient
from main import Base, SessionLocal, app, engine


@pytest_asyncio.fixture
async def db_session():
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    async with SessionLocal() as session:
        yield session


@pytest.fixture
def client(db_session):
    return TestClient(app)
""",
        """
def test_nothing(client):
    assert client.get("/items").json() == []
""",
        url="postgresql+asyncpg",
        fix=(('///shop.db")', '///shop.db"), poolclass=NullPool'),),
    ),
    Case(
        "`assert 2 == 1`: passes alone, fails with the others",
        ASYNC_APP,
        conftest(PLAIN_SESSION),
        """
async def test_a_lamp(client):
    await client.post("/items", params={"name": "lamp"})
    assert len((await client.get("/items")).json()) == 1


async def test_a_chair(client):
    await client.post("/items", params={"name": "chair"})
    assert len((await client.get("/items")).json()) == 1
""",
        fix=((PLAIN_SESSION, DELETES),),
    ),
]

#: greenroom's own errors, and the project that gets each. It says itself that it uses greenroom, but for one.
OWN_ERRORS = {
    "`GR001 no app was found`": {
        "test_it.py": "async def test_it(client): pass",
    },
    "`GR002 the app … raised … while it was imported`": {
        "main.py": "import os\nfrom fastapi import FastAPI\napp = FastAPI(title=os.environ['SHOP'])",
        "test_it.py": "async def test_it(client): pass",
    },
    "`GR004 two apps could be meant`": {
        "main.py": "from fastapi import FastAPI\napp = FastAPI()",
        "app.py": "from fastapi import FastAPI\napp = FastAPI()",
        "test_it.py": "async def test_it(client): pass",
    },
    "`GR008 the fixture … was requested, but greenroom isn't active`": {
        "main.py": "from fastapi import FastAPI\napp = FastAPI()",
        "test_it.py": "def test_it(request): request.getfixturevalue('outbound')",
        "pyproject.toml": "",
    },
    "`GR015 the app has a database engine, but no mapped table is known`": {
        "main.py": """
from fastapi import FastAPI
from sqlalchemy import create_engine
engine = create_engine("sqlite:///shop.db")
app = FastAPI()
""",
        "test_it.py": "def test_it(client): client.get('/')",
    },
    "`GR021 … left a transaction open`": {
        "main.py": ASYNC_APP,
        "test_it.py": """
from main import Item, SessionLocal

async def test_it(client):
    global session
    session = SessionLocal()
    session.add(Item(name="lamp"))
    await session.flush()
""",
    },
    "`GR027 the app is on … and there is no server for its tests`": {
        "main.py": """
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

engine = create_async_engine("mysql+asyncmy://db.invalid/shop")

class Base(DeclarativeBase): pass

class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)

app = FastAPI()
""",
        "test_it.py": "async def test_it(client): pass",
    },
    "`GR045 … wanted to connect to …, which isn't this machine`": {
        "main.py": """
import httpx
from fastapi import FastAPI
app = FastAPI()
@app.post("/")
def pay(): httpx.post("http://pay.example.com/")
""",
        "test_it.py": "def test_it(client): client.post('/')",
    },
}


def printed(heading: str) -> list[str]:
    """What a heading promises to be in the output."""
    text = " … ".join(re.findall(r"`(.*?)`", heading))
    return [part.strip() for part in text.split("…")]


@pytest.fixture
def database(postgresql_url: str) -> Iterator[str]:
    """A database of the server for the recipe, without the driver: `://user@/name?host=folder`."""
    name = f"faq_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgresql_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        yield f"://postgres@/{name}?host={make_url(postgresql_url).query['host']}"
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def full(postgresql_url: str) -> Iterator[None]:
    """The server takes ten connections more."""
    taken: list[psycopg.Connection] = []
    with suppress(psycopg.OperationalError):
        while True:
            taken.append(psycopg.connect(postgresql_url))
    for _ in range(10):
        taken.pop().close()
    yield
    for connection in taken:
        connection.close()


def name(case: Case) -> str:
    """Of a case, in the names of tests."""
    return case.heading.replace("…", "...")


def recipe(
    case: Case, files: dict[str, str], pytester: pytest.Pytester, request: pytest.FixtureRequest
) -> Result:
    """The run of a project by the recipe, without greenroom."""
    project = Project(files)
    if case.url:
        url = f"{case.url}{request.getfixturevalue('database')}"
        project = project.with_environ(DATABASE_URL=url)
    if case.full:
        request.getfixturevalue("full")
    return project.run(pytester, "-p", "no:greenroom", "-p", "no:randomly")


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_usual_recipe_gives_the_error(
    case: Case, pytester: pytest.Pytester, request: pytest.FixtureRequest
) -> None:
    """What the heading says stands in the output, word for word."""
    result = recipe(case, case.files(), pytester, request)
    assert result.code == pytest.ExitCode.TESTS_FAILED, result.out
    result.says(*printed(case.heading))


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_mended_recipe_is_green(
    case: Case, pytester: pytest.Pytester, request: pytest.FixtureRequest
) -> None:
    """By the change that the page names, and nothing else."""
    files = case.files()
    for old, new in case.fix:
        assert any(old in text for text in files.values()), old
        files = {name: text.replace(old, new) for name, text in files.items()}
    result = recipe(case, files, pytester, request)
    assert result.code == 0, result.out


@pytest.mark.parametrize("case", CASES, ids=name)
def test_the_same_test_is_green_on_greenroom(
    case: Case, pytester: pytest.Pytester, request: pytest.FixtureRequest
) -> None:
    """Without the recipe's conftest and settings."""
    files = {"main.py": case.app, "test_it.py": case.test, "pyproject.toml": "[tool.greenroom]\n"}
    project = Project(files | ({"conftest.py": case.own} if case.own else {}))
    if case.url:
        project = project.with_environ(
            DATABASE_URL=f"{case.url}://shop@db.invalid/shop",
            GREENROOM_DATABASE=request.getfixturevalue("postgresql_url"),
        )
    result = project.run(pytester)
    assert result.code == 0, result.out


@pytest.mark.parametrize("heading", OWN_ERRORS)
def test_an_error_of_greenrooms_is_what_the_page_says(
    heading: str, pytester: pytest.Pytester
) -> None:
    """Its text, as far as the heading goes."""
    result = Project({"pyproject.toml": "[tool.greenroom]\n", **OWN_ERRORS[heading]}).run(pytester)
    result.says(*printed(heading))
    result.silent_about("INTERNALERROR")


def test_each_entry_of_the_page_is_run() -> None:
    """No heading is there that nothing has printed, and none is missing."""
    headings = re.findall(r"^### (.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted([*(case.heading for case in CASES), *OWN_ERRORS])


def test_the_mended_fixture_and_settings_are_those_that_the_page_shows() -> None:
    """They are what the mended recipes are run with."""
    page = PAGE.read_text(encoding="utf-8")
    assert f"async def db_session(engine):{SAVEPOINT}```" in page
    for line in ONE_LOOP.strip().splitlines()[1:]:
        assert re.sub(r"= (.+)", r'= "\1"', line) in page


@pytest.mark.parametrize("name", ["test_a_lamp", "test_a_chair"])
def test_what_leaks_passes_alone(name: str, pytester: pytest.Pytester) -> None:
    """Each of the two tests that fail together."""
    case = CASES[-1]
    Project(case.files()).run(pytester, "-p", "no:greenroom", "-k", name).counts(
        passed=1, deselected=1
    )
