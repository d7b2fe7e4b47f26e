"""`make` of models that say unusual things: rows that their databases and their classes take."""

from __future__ import annotations

import pytest

from tests.data.test_make import run

MODELS = """
import datetime as dt, enum, uuid
from fastapi import FastAPI
from decimal import Decimal
from sqlalchemy import *
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import DeclarativeBase, Mapped, composite, mapped_column, relationship, validates

engine = create_async_engine("sqlite+aiosqlite:///./app.db")
app = FastAPI()
class Base(DeclarativeBase): pass
"""

BOUNDS = """
class Bound(Base):
    __tablename__ = "bounds"
    id: Mapped[int] = mapped_column(primary_key=True)
    debt: Mapped[int]
    half: Mapped[int]
    ratio: Mapped[float]
    born: Mapped[dt.date]
    seen: Mapped[dt.datetime]
    twice: Mapped[int]
    agreed: Mapped[bool]
    opens: Mapped[dt.time]
    closes: Mapped[dt.time]
    token: Mapped[str] = mapped_column(Uuid(as_uuid=False), unique=True)
    __table_args__ = (
        CheckConstraint("debt < 0"), CheckConstraint("half >= 0.5 AND half < 1.5"),
        CheckConstraint("ratio > 0.001 AND ratio < 0.002"), CheckConstraint("born < '1990-01-01'"),
        CheckConstraint("seen < '1999-06-01'"), CheckConstraint("twice > 5"), CheckConstraint("twice > 2"),
        CheckConstraint("agreed = true"), CheckConstraint("opens < closes"),
    )
"""


def test_bounds_of_all_kinds(pytester: pytest.Pytester) -> None:
    """Below zero, between two hundredths, before this century, the strictest of several, times in order."""
    test = """
import uuid
from main import Bound

async def test_it(make):
    for one in await make(Bound, 30):
        assert one.agreed is True and one.half == 1 and one.twice > 5 and one.opens < one.closes
        assert str(uuid.UUID(one.token)) == one.token
"""
    run(pytester, test, app=MODELS + BOUNDS).passed(1)


TENANTS = """
class Tenant(Base):
    __tablename__ = "tenants"
    id: Mapped[int] = mapped_column(primary_key=True)

class Project(Base):
    __tablename__ = "projects"
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tenant: Mapped[Tenant] = relationship()

class Task(Base):
    __tablename__ = "tasks"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    project_number: Mapped[int]
    tenant: Mapped[Tenant] = relationship(overlaps="project")
    project: Mapped[Project] = relationship(overlaps="tenant")
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "project_number"], ["projects.tenant_id", "projects.number"]),
    )

class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    tenant_id: Mapped[int]
    project_number: Mapped[int]
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "project_number"], ["projects.tenant_id", "projects.number"]),
    )

class Transfer(Base):
    __tablename__ = "transfers"
    id: Mapped[int] = mapped_column(primary_key=True)
    sender_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    receiver_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    sender: Mapped[Tenant] = relationship(foreign_keys=[sender_id])
    receiver: Mapped[Tenant] = relationship(foreign_keys=[receiver_id])
    __table_args__ = (CheckConstraint("sender_id <> receiver_id"),)
"""


def test_columns_that_two_parents_share(pytester: pytest.Pytester) -> None:
    """The tenant of a task is that of its project, with and without a relationship; two sides differ."""
    test = """
from main import Note, Project, Task, Tenant, Transfer

async def test_it(make):
    for one in await make(Task, 3):
        assert one.project.tenant_id == one.tenant_id
    project = await make(Project)
    await make(Tenant)
    assert (await make(Task, project=project)).tenant_id == project.tenant_id
    tenant = await make(Tenant)
    assert (await make(Task, tenant=tenant)).project.tenant_id == tenant.id
    note = await make(Note)
    assert note.tenant_id and note.project_number

async def test_apart(make):
    one = await make(Transfer)
    assert one.sender_id != one.receiver_id
    tenant = await make(Tenant)
    for given in ({"sender": tenant}, {"receiver": tenant}):
        one = await make(Transfer, **given)
        assert tenant.id in {one.sender_id, one.receiver_id} and one.sender_id != one.receiver_id
"""
    run(pytester, test, app=MODELS + TENANTS).passed(2)


CLASSES = """
class Role(enum.Enum):
    ADMIN = "admin"
    MEMBER = "member"

class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    hashed: Mapped[str]
    role: Mapped[Role]
    x: Mapped[int]
    y: Mapped[int]
    def __init__(self, role, **more):
        self.role = role
        super().__init__(**more)
    @property
    def password(self): return None
    @password.setter
    def password(self, value): self.hashed = "hash of " + value
    @hybrid_property
    def place(self): return self.x
    @place.inplace.setter
    def _place(self, value): self.x = value

class Strict(Base):
    __tablename__ = "strict"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    @validates("code")
    def check(self, key, value):
        if not value.startswith("C"): raise ValueError("a code begins with C")
        return value

class Animal(Base):
    __tablename__ = "animals"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    size: Mapped[int] = mapped_column(CheckConstraint("size IN (1, 2, 3)"), unique=True)
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}
class Dog(Animal):
    __mapper_args__ = {"polymorphic_identity": "dog"}
class Cat(Animal):
    __mapper_args__ = {"polymorphic_identity": "cat"}
"""


def test_classes_with_a_will_of_their_own(pytester: pytest.Pytester) -> None:
    """Constructors and setters; what is invented never overrules what is given; classes of one table."""
    test = """
import pytest
from main import Cat, Dog, Role, Strict, User

async def test_setters(make):
    user = await make(User, password="secret", place=7)
    assert user.hashed == "hash of secret" and user.x == 7
    assert user.role is Role.MEMBER
    assert (await make(User, role=Role.ADMIN)).role is Role.ADMIN

async def test_refused(make):
    with pytest.raises(Exception, match=r"GR050 Strict can't be made: ValueError: a code begins with C"):
        await make(Strict)
    assert (await make(Strict, code="C1")).code == "C1"

async def test_one_table(make):
    assert len({(await make(kind)).size for kind in (Dog, Cat, Dog)}) == 3

async def test_awaited_twice(make):
    making = make(User)
    with pytest.raises(AttributeError, match=r"row = await make\\(User\\)"):
        making.hashed
    assert (await making) is (await making)
    import asyncio
    one, other = await asyncio.gather(*[making] * 2)
    task = asyncio.create_task(make(User))
    assert one is other and (await task) is not one
"""
    run(pytester, test, app=MODELS + CLASSES).passed(4)


def test_sqlmodel_fields_and_bodies_that_are_no_objects(pytester: pytest.Pytester) -> None:
    """Field's bounds, though a table's model doesn't check them; a list; a mapped class; what is given helps."""
    app = """
from pydantic import BaseModel, model_validator, RootModel
from fastapi import FastAPI
from sqlmodel import Field, SQLModel
app = FastAPI()
class Hero(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(min_length=3, max_length=12)
    level: int = Field(ge=90, lt=95)
class Names(RootModel[list[str]]): pass
class Pair(BaseModel):
    a: int
    b: int
    @model_validator(mode="after")
    def same(self):
        if self.a + self.b != 1234: raise ValueError("together they are 1234")
        return self
"""
    test = """
import pytest
from main import Hero, Names, Pair

def test_it(make):
    for hero in make(Hero, 20):
        assert 90 <= hero.level < 95 and 3 <= len(hero.name) <= 12

def test_bodies(make):
    assert make.payload(Pair, a=1000, b=234) == {"a": 1000, "b": 234}
    assert make.payload(list[str]) is not None
    with pytest.raises(Exception, match="GR043 .* is a list in JSON"):
        make.payload(Names, size=3)
"""
    result = run(
        pytester,
        test,
        app=app
        + "from sqlalchemy import create_engine\nengine = create_engine('sqlite:///./a.db')\n",
    )
    result.passed(2)
    mapped = "import pytest\nfrom main import Strict\ndef test_it(make): make.payload(Strict)\n"
    refused = run(pytester, mapped, app=MODELS + CLASSES)
    refused.counts(failed=1)
    refused.says("GR050 Strict is a mapped class, which is no body of a request.")


def test_a_row_that_nobody_wants_is_no_warning(pytester: pytest.Pytester) -> None:
    """A plain fixture may give it to who doesn't await it; where it could have been awaited, Python warns."""
    test = """
import gc, pytest
from main import User

@pytest.fixture
def user(make): return make(User)

async def test_unused(user, client): pass

async def test_forgotten(make):
    with pytest.warns(RuntimeWarning, match="never awaited"):
        make(User)
        gc.collect()
"""
    table = '[tool.greenroom]\n[tool.pytest.ini_options]\nfilterwarnings = ["error"]\n'
    files = {"pyproject.toml": table}
    run(pytester, test, "-p", "no:randomly", app=MODELS + CLASSES, **files).passed(2)


VOTES = """
class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)

class Vote(Base):
    __tablename__ = "votes"
    id: Mapped[int] = mapped_column(primary_key=True)
    stars: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    user: Mapped[User] = relationship()
    __table_args__ = (UniqueConstraint("user_id", "stars"), CheckConstraint("stars BETWEEN 1 AND 5"))
"""


def test_what_is_unique_together_is_told_apart_from_every_row_that_is_there(
    pytester: pytest.Pytester,
) -> None:
    """One that was given whole, one by its column, one that the test stored itself."""
    test = """
import pytest
from main import User, Vote

@pytest.mark.parametrize("attempt", range(4))
async def test_given_whole(make, attempt):
    user = await make(User)
    await make(Vote, user=user, stars=1)
    await make(Vote, 4, user=user)

@pytest.mark.parametrize("attempt", range(4))
async def test_given_by_its_column(make, attempt):
    user = await make(User)
    await make(Vote, 3, user_id=user.id)
    assert (await make(Vote, user=user)).stars != (await make(Vote, user_id=user.id)).stars

@pytest.mark.parametrize("attempt", range(4))
def test_stored_by_the_test(make, db_session, attempt):
    user = make(User)
    db_session.add_all(Vote(user=user, stars=stars) for stars in (1, 2, 3, 4))
    db_session.flush()
    assert make(Vote, user=user).stars == 5
"""
    run(pytester, test, app=MODELS + VOTES).passed(12)


ORDERED = """
class Span(Base):
    __tablename__ = "spans"
    id: Mapped[int] = mapped_column(primary_key=True)
    lo: Mapped[int]
    hi: Mapped[int]
    __table_args__ = (
        CheckConstraint("lo BETWEEN 0 AND 5"), CheckConstraint("hi BETWEEN 0 AND 5"), CheckConstraint("lo < hi"))

class Chain(Base):
    __tablename__ = "chains"
    id: Mapped[int] = mapped_column(primary_key=True)
    lo: Mapped[int]
    mid: Mapped[int]
    hi: Mapped[int]
    __table_args__ = (CheckConstraint("lo <= mid AND mid <= hi"),)

class Term(Base):
    __tablename__ = "terms"
    id: Mapped[int] = mapped_column(primary_key=True)
    is_current: Mapped[bool]
    __table_args__ = (Index("one", "is_current", unique=True, sqlite_where=text("is_current"),
                            postgresql_where=text("is_current")),)
"""


def test_values_in_an_order_stay_within_their_bounds(pytester: pytest.Pytester) -> None:
    """Two in one range, three in a chain, one that was given; one row at most that is the current one."""
    test = """
import pytest
from main import Chain, Span, Term

@pytest.mark.parametrize("attempt", range(20))
async def test_spans(make, attempt):
    await make(Span, 5)
    assert (await make(Span, lo=4)).hi == 5
    assert (await make(Span, hi=1)).lo == 0

@pytest.mark.parametrize("attempt", range(10))
async def test_chains(make, attempt):
    await make(Chain, 5)
    assert (await make(Chain, lo=10**8)).hi >= 10**8

async def test_terms(make):
    assert not any(one.is_current for one in await make(Term, 3))
"""
    run(pytester, test, app=MODELS + ORDERED).passed(31)
