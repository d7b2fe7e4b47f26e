"""`make`: rows with everything that they need, on a real database, and no two that collide."""

from __future__ import annotations

import pytest

from tests.harness import Project, Result, app_source

TABLE = "[tool.greenroom]\n"


def run(pytester: pytest.Pytester, test: str, *args: str, app: str = "", **files: str) -> Result:
    known = {"main.py": app or app_source("graph"), "test_main.py": test, "pyproject.toml": TABLE}
    return Project({**known, **files}).run(pytester, *args)


EVERY_CLASS = """
import pytest
from main import Base
from sqlalchemy import func, select

CLASSES = sorted((mapper.class_ for mapper in Base.registry.mappers), key=lambda kind: kind.__name__)

def test_there_are_many():
    assert len(Base.metadata.tables) >= 25

@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
async def test_async(make, db_session, kind):
    count = 2 if kind.__name__ == "Flag" else 3
    made = [await make(kind), *await make(kind, count - 1)]
    assert await db_session.scalar(select(func.count()).select_from(kind)) == count
    for one in made:
        for name in kind.__mapper__.column_attrs.keys():
            getattr(one, name)  # Nothing is left to be loaded.

@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_blocking(make, db_session, kind):
    one = make(kind)
    assert isinstance(one, kind)
    assert db_session.scalar(select(func.count()).select_from(kind)) == 1
"""


def test_every_class_of_a_graph_with_cycles_can_be_made(pytester: pytest.Pytester) -> None:
    """Keys of all kinds, heritage, association objects, composites, dataclasses, own constructors."""
    result = run(pytester, EVERY_CLASS)
    assert result.code == 0, result.out
    outcomes = result.ran.parseoutcomes()
    assert set(outcomes) == {"passed"}
    assert outcomes["passed"] > 50


def test_the_same_on_a_server(pytester: pytest.Pytester, postgresql_url: str) -> None:
    """PostgreSQL takes less for granted: types, lengths and constraints are held."""
    app = app_source("graph").replace(
        "sqlite+aiosqlite:///./graph.db", "postgresql+asyncpg://u@127.0.0.1:1/x"
    )
    files = {"main.py": app, "test_main.py": EVERY_CLASS, "pyproject.toml": TABLE}
    project = Project(files).with_environ(GREENROOM_DATABASE=postgresql_url)
    result = project.run(pytester)
    assert result.code == 0, result.out


PRODUCTS = """
from sqlalchemy import func, select
from main import Category, Product

async def test_it(make, db_session):
    category = await make(Category)
    for _ in range(10):
        await make(Product, 1000, category=category)
    rows = (await db_session.execute(select(Product.sku, Product.number, Product.barcode, Product.shelf, Product.row))).all()
    assert len(rows) == 10_000
    for place in range(3):
        assert len({row[place] for row in rows}) == 10_000
    assert len({row[3:] for row in rows}) == 10_000
"""


def test_ten_thousand_rows_do_not_collide(pytester: pytest.Pytester) -> None:
    """Three unique columns and a composite one."""
    run(pytester, PRODUCTS).passed(1)


def test_rows_of_many_tests_do_not_collide_with_what_is_there(pytester: pytest.Pytester) -> None:
    """What a module's fixture and the app's start-up have committed, in any order, on two workers."""
    app = (
        app_source("graph").replace("app = FastAPI()", "")
        + """
from contextlib import asynccontextmanager
from sqlalchemy.ext.asyncio import AsyncSession

@asynccontextmanager
async def lifespan(app):
    async with AsyncSession(engine) as session:
        session.add_all(Label(text=f"{letter}{n}") for letter in "ab" for n in range(10))
        await session.commit()
    yield

app = FastAPI(lifespan=lifespan)
"""
    )
    test = """
import pytest
from main import Label, Product

@pytest.fixture(scope="module")
async def some(session_factory):
    async with session_factory() as session:
        session.add_all(Label(text=f"m{n}") for n in range(10))
        await session.commit()

@pytest.mark.parametrize("number", range(12))
async def test_it(make, some, number):
    assert len(await make(Label, 300)) == 300
    await make(Product, 30)
"""
    files = {"main.py": app, "test_main.py": test, "pyproject.toml": TABLE}
    result = Project(files).run_subprocess(pytester, "-n", "2")
    result.passed(12)


def test_the_same_seed_makes_the_same_rows(pytester: pytest.Pytester) -> None:
    """In any order, alone or among others; another seed makes others, and the header shows it."""
    test = """
import pytest
from main import Person

@pytest.mark.parametrize("number", range(3))
async def test_it(make, number):
    one = await make(Person)
    with open(f"{number}.txt", "w") as file:
        file.write(f"{one.email} {one.age} {one.city.name}")
"""

    def made(*args: str) -> list[str]:
        for file in pytester.path.glob("?.txt"):
            file.unlink()
        result = run(pytester, test, *args)
        assert result.code == 0, result.out
        return [file.read_text() for file in sorted(result.folder.glob("?.txt"))]

    first = made("-p", "no:randomly")
    assert len(set(first)) == 3
    assert made("-p", "no:randomly", "-k", "2") == first[2:]
    assert made("--greenroom-seed=0", "-p", "randomly") == first
    other = made("--greenroom-seed=7")
    assert other != first
    assert made("--greenroom-seed=7", "-p", "randomly") == other
    seeded = run(pytester, test, "-p", "randomly", "--randomly-seed=7")
    assert [file.read_text() for file in sorted(seeded.folder.glob("?.txt"))] == other
    seeded.says("seed 7")


def test_what_is_given_is_taken_and_the_rest_is_left_alone(pytester: pytest.Pytester) -> None:
    """Null stays null, defaults are the model's and the server's, a parent is made once and shared."""
    test = """
import pytest
from sqlalchemy import func, select
from main import *

async def test_given(make):
    person = await make(Customer, mail="a@b.c", age=20)
    assert (person.email, person.age, person.kind, person.phone, person.vip) == ("a@b.c", 20, "customer", None, None)
    category = await make(Category, name="x", parent=await make(Category))
    assert category.parent.parent is None

async def test_defaults(make):
    product = await make(Product, price=10, labels=await make(Label, 2))
    assert product.created_at and product.net == 8 and product.tags == [] and product.extra == {}
    assert len(product.labels) == 2
    assert (await make(Refund)).reason == "none"
    session = await make(Session)
    assert session.hits == 0 and session.seen

async def test_parents(make, db_session):
    first, second, third = await make(Order, 3)
    assert first.customer is second.customer is third.customer
    assert isinstance(first.seller, Employee) and first.customer_id == first.customer.id
    assert first.starts < first.ends
    line = await make(Line, order=first)
    assert line.order_id == first.id and line.product.category is not None
    # The customer that's given serves wherever one is needed.
    customer = await make(Customer)
    setting = await make(Setting, person=customer)
    assert setting.person_id == customer.id
    payments = await make(Payment, 3)
    assert len({payment.order_id for payment in payments}) == 3
    assert await db_session.scalar(select(func.count()).select_from(Country)) >= 1

async def test_together(make):
    person = await make(Customer)
    both = await make(Setting, 2, person=person)
    assert {one.kind for one in both} == set(Kind)
    assert len(await make(Setting, 5)) == 5  # Each with a person of its own.
    assert len(await make(Follow, 5)) == 5

async def test_flags(make):
    flag = await make(Flag)
    assert (flag.is_active, flag.blocked) == (True, False)

async def test_own_constructor(make):
    one = await make(Constructed, name="x")
    assert one.name == "X" and one.size > 0

async def test_foreign_key_without_a_relationship(make, db_session):
    refund = await make(Refund)
    assert await db_session.get(Payment, refund.payment)
    payment = await make(Payment)
    assert (await make(Refund, payment=payment.id)).payment == payment.id

async def test_by_its_key(make):
    city = await make(City)
    person = await make(Customer, city_id=city.id)
    assert person.city_id == city.id

async def test_none(make):
    assert await make(City, 0) == []
    assert await make(City, 1) != []
"""
    run(pytester, test).passed(9)


def test_what_is_made_is_there_for_the_app(pytester: pytest.Pytester) -> None:
    """By the client and for `db_session`, which is the same session; gone in the next test."""
    app = app_source("async_items")
    test = """
from main import Item
from sqlalchemy import select

async def test_async(client, make, db_session):
    item = await make(Item, name="lamp")
    assert item in db_session
    assert (await client.get("/items")).json() == ["lamp"]
    assert await db_session.scalar(select(Item.name)) == "lamp"

def test_blocking(client, make):
    item = make(Item)
    assert client.get("/items").json() == [item.name]

async def test_empty(db_session):
    assert await db_session.scalar(select(Item.name)) is None

async def test_side_by_side(client, make):
    import asyncio
    one, two = await asyncio.gather(make(Item), make(Item))
    assert one.id != two.id
"""
    run(pytester, test, app=app).passed(4)


def test_a_row_of_another_session_is_taken_as_ones_own(pytester: pytest.Pytester) -> None:
    """A user that a module's fixture has made, by a session of its own."""
    test = """
import pytest
from main import City, Country, Customer

@pytest.fixture(scope="module")
async def city(session_factory):
    async with session_factory() as session:
        city = City(name="Bern", country=Country(code="ch", name="Schweiz"))
        session.add(city)
        await session.commit()
        yield city

async def test_it(make, city):
    customer = await make(Customer, 2, city=city)
    assert customer[0].city.id == city.id
"""
    run(pytester, test).passed(1)


def test_what_cannot_be_made_names_the_column_and_what_to_pass(pytester: pytest.Pytester) -> None:
    """Unmapped classes, unknown attributes, types that nobody knows, full ranges, rows that need themselves."""
    app = """
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import CheckConstraint, ForeignKey, String, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import UserDefinedType

engine = create_engine("sqlite:///x.db")
class Base(DeclarativeBase): pass

class Point(UserDefinedType):
    cache_ok = True
    def get_col_spec(self): return "POINT"

class Place(Base):
    __tablename__ = "places"
    id: Mapped[int] = mapped_column(primary_key=True)
    point = mapped_column(Point, nullable=False)

class Tiny(Base):
    __tablename__ = "tinies"
    id: Mapped[int] = mapped_column(primary_key=True)
    rank: Mapped[int] = mapped_column(CheckConstraint("rank BETWEEN 1 AND 3"), unique=True)

class Node(Base):
    __tablename__ = "nodes"
    id: Mapped[int] = mapped_column(primary_key=True)
    up_id: Mapped[int] = mapped_column(ForeignKey("nodes.id"))
    up: Mapped["Node"] = relationship(remote_side=[id])

class Egg(Base):
    __tablename__ = "eggs"
    id: Mapped[int] = mapped_column(primary_key=True)
    hen_id: Mapped[int] = mapped_column(ForeignKey("hens.id"))
    hen: Mapped["Hen"] = relationship(foreign_keys=[hen_id])

class Hen(Base):
    __tablename__ = "hens"
    id: Mapped[int] = mapped_column(primary_key=True)
    egg_id: Mapped[int] = mapped_column(ForeignKey("eggs.id", use_alter=True))
    egg: Mapped[Egg] = relationship(foreign_keys=[egg_id])

class Odd(Base):
    __tablename__ = "odds"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(CheckConstraint("number % 2 = 3"))

class Empty(Base):
    __tablename__ = "empties"
    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(CheckConstraint("number > 5 AND number < 6"))

class Wanting(Base):
    __tablename__ = "wantings"
    id: Mapped[int] = mapped_column(primary_key=True)
    def __init__(self, helper): self.helper = helper

class ItemIn(BaseModel):
    name: str

app = FastAPI()
@app.post("/items")
def create(item: ItemIn): return item
@app.get("/items")
def read(): return []
"""
    test = """
import re
import pytest
from main import *

ERRORS = [
    (lambda make: make(ItemIn), "GR050 ItemIn isn't a mapped class.\\nmake(User) makes rows"),
    (lambda make: make("User"), "GR050 'User' isn't a mapped class."),
    (lambda make: make(Tiny, rnak=1), "GR050 Tiny has no attribute rnak.\\nDid you mean rank?"),
    (lambda make: make(Place), "GR050 Place.point can't be filled in: nobody knows a value of its type (Point)"),
    (lambda make: make(Tiny, 4), "GR050 Tiny.rank can't be filled in: it must be unique, and all of its 3 values are "
                                 "taken.\\nPass it: make(Tiny, rank=...)."),
    (lambda make: make(Node), "GR050 Node.up needs a Node that needs one itself: Node -> Node.\\nPass it"),
    (lambda make: make(Egg), "GR050 Hen.egg needs a Egg that needs one itself: Egg -> Hen -> Egg."),
    (lambda make: make(Odd), "GR050 Odd can't be stored as made: CHECK constraint failed"),
    (lambda make: make(Odd), "Filled in was: Odd.number. Pass what has to be something else."),
    (lambda make: make(Empty), "GR050 Empty.number can't be filled in: no value satisfies its constraints."),
    (lambda make: make(Wanting), "GR050 the constructor of Wanting needs helper, of which greenroom knows nothing"),
    (lambda make: make(Node, up=Node(), up_id=1), "GR050 Node was given up and up_id."),
    (lambda make: make(Tiny, -1), "GR050 -1 is no number of rows."),
    (lambda make: make(Tiny, "3"), "GR050 '3' is no number of rows."),
    (lambda make: make.use(Tiny), "GR050 Tiny is no factory that stores rows."),
    (lambda make: make.payload("POST /itmes"), "GR050 the app has no operation 'POST /itmes'.\\nDid you mean 'POST /items'?"),
    (lambda make: make.payload("GET /items"), "GR050 GET /items takes no body"),
    (lambda make: make.payload(ItemIn, nmae="x"), "GR043 ItemIn has no field nmae.\\nDid you mean name?"),
    (lambda make: make.payload(ItemIn, name=1), "GR043 ItemIn refuses what it was given: name: Input should be"),
]

@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_it(make, number, db_session):
    call, text = ERRORS[number]
    with pytest.raises(Exception, match=re.escape(text)):
        call(make)
    assert make(Tiny).rank in (1, 2, 3)  # The session goes on.
"""
    run(pytester, test, app=app).passed(19)


def test_sqlmodel_and_dataclasses(pytester: pytest.Pytester) -> None:
    """Their constructors set what they have defaults for."""
    app = """
import datetime as dt, uuid
from fastapi import FastAPI
from sqlmodel import Field, Relationship, SQLModel, create_engine

engine = create_engine("sqlite:///x.db")

class Team(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=20)
    heroes: list["Hero"] = Relationship(back_populates="team")

class Hero(SQLModel, table=True):
    id: uuid.UUID = Field(default_factory=uuid.uuid4, primary_key=True)
    name: str
    age: int | None = None
    power: int = 3
    born: dt.date = Field(default_factory=lambda: dt.date(2000, 1, 1))
    seen: dt.datetime
    team_id: int = Field(foreign_key="team.id")
    team: Team = Relationship(back_populates="heroes")

class HeroIn(SQLModel):
    name: str = Field(min_length=2)

app = FastAPI()
"""
    test = """
from main import *

def test_it(make):
    heroes = make(Hero, 3)
    assert {hero.power for hero in heroes} == {3}
    assert heroes[0].team is heroes[2].team and heroes[0].team_id == heroes[0].team.id
    assert heroes[0].born == dt.date(2000, 1, 1) and heroes[0].age is None
    assert len(heroes[0].team.name) <= 20

async def test_async(make):
    team = await make(Team)
    hero = await make(Hero, team=team, name="x")
    assert (hero.name, hero.team_id) == ("x", team.id)
    assert make.payload(HeroIn)["name"]
"""
    run(pytester, test, app=app).passed(2)


def test_the_projects_own_factories_get_the_tests_session(pytester: pytest.Pytester) -> None:
    """polyfactory's and factory_boy's, sub-factories too, by one line or by `make`; given back after."""
    factories = """
import factory
from polyfactory.factories.sqlalchemy_factory import SQLAlchemyFactory
from main import City, Country, Customer

class CountryFactory(factory.alchemy.SQLAlchemyModelFactory):
    class Meta:
        model = Country
    code = factory.Sequence(lambda n: f"{n:02d}")
    name = factory.Sequence(lambda n: f"country {n}")

class CityFactory(factory.alchemy.SQLAlchemyModelFactory):
    class Meta:
        model = City
        sqlalchemy_session_persistence = "flush"
    name = "Bern"
    country = factory.SubFactory(CountryFactory)

class OwnFactory(SQLAlchemyFactory[Country]):
    name = "own"
"""
    conftest = """
import pytest
from factories import CityFactory, OwnFactory

@pytest.fixture(autouse=True)
def factories(make):
    make.use(CityFactory, OwnFactory)
"""
    test = """
from factories import *
from main import *
from sqlalchemy import func, select

def test_blocking(db_session):
    city = CityFactory()
    assert city in db_session and city.country in db_session and city.id
    OwnFactory.create_sync(code="xx")
    assert db_session.scalar(select(func.count()).select_from(Country)) == 2

async def test_async(db_session, make):
    city = await make(CityFactory, name="Basel")
    assert city.id and city.country.name
    own = await OwnFactory.create_async(code="xx")
    assert own in db_session
    assert len(await make(CityFactory, 3)) == 3
    made = await make(OwnFactory, code="yy", name="yy")
    assert made in db_session
"""
    result = run(pytester, test, **{"factories.py": factories, "conftest.py": conftest})
    result.passed(2)
    check = """
from factories import *
def test_given_back():
    assert CityFactory._meta.sqlalchemy_session is None
    assert CountryFactory._meta.sqlalchemy_session is None
    assert OwnFactory.__session__ is None and "__session__" not in vars(OwnFactory)
"""
    both = {"factories.py": factories, "conftest.py": conftest, "test_after.py": check}
    both["conftest.py"] = conftest.replace("autouse=True", "")
    test = "import pytest\nfrom factories import *\ndef test_it(factories):\n    CityFactory()\n"
    run(pytester, test, "-p", "no:randomly", **both).passed(2)


def test_payloads_are_valid_and_differ(pytester: pytest.Pytester) -> None:
    """Of models, of operations by their models, and of bodies that only a schema describes."""
    app = """
from typing import Annotated, Literal
from fastapi import Body, FastAPI, Form
from pydantic import BaseModel, EmailStr, Field, model_validator

class Address(BaseModel):
    street: str = Field(max_length=40)
    code: str = Field(pattern="^[0-9]{5}$")

class UserIn(BaseModel):
    email: EmailStr
    name: str = Field(min_length=1, max_length=30, alias="fullName")
    role: Literal["admin", "user"]
    address: Address
    friends: list[EmailStr] = []
    note: str | None = None

class Span(BaseModel):
    first: str
    last: str
    @model_validator(mode="after")
    def check(self):
        if self.first != self.last: raise ValueError("they differ")
        return self

app = FastAPI()
@app.post("/users", status_code=201)
def create(user: UserIn): return user
@app.post("/both")
def both(user: UserIn, span: Annotated[Span, Body()]): return 1
@app.post("/form")
def form(name: Annotated[str, Form()]): return name
@app.post("/raw", openapi_extra={"requestBody": {"content": {"application/json": {"schema": {
    "type": "object", "properties": {"code": {"type": "integer", "minimum": 5}}, "required": ["code"]}}}}})
def raw(): return 1
"""
    test = """
from main import *

async def test_it(client, make):
    one, two = make.payload(UserIn), make.payload(UserIn)
    assert one["email"] != two["email"] and one["fullName"] != two["fullName"]
    for body in (one, two, make.payload("POST /users"), make.payload(UserIn, name="Ann", role="user")):
        assert (await client.post("/users", json=body)).status_code == 201
    assert make.payload(UserIn, name="Ann")["fullName"] == "Ann"
    assert make.payload(UserIn, fullName="Ann")["fullName"] == "Ann"
    assert make.payload(UserIn, address=Address(street="s", code="12345"))["address"] == {"street": "s", "code": "12345"}
    assert (await client.post("/both", json=make.payload("POST /both"))).status_code == 200
    assert (await client.post("/form", data=make.payload("POST /form"))).status_code == 200
    assert make.payload("post /raw") == {"code": 5}
    span = make.payload(Span)
    assert span["first"] == span["last"]
    assert make.payload(list[UserIn])[0]["role"] == "admin"
"""
    run(pytester, test, app=app).passed(1)
