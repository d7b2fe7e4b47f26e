"""Twenty-five tables that refer to each other, with cycles, heritage, and every kind of key."""

import datetime as dt
import enum
import uuid
from decimal import Decimal

from fastapi import FastAPI
from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Computed,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Numeric,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    func,
)
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    composite,
    mapped_column,
    relationship,
    synonym,
)

engine = create_async_engine("sqlite+aiosqlite:///./graph.db")


class Base(DeclarativeBase):
    pass


class Kind(enum.Enum):
    BIG = "b"
    SMALL = "s"


class Country(Base):
    __tablename__ = "countries"
    code: Mapped[str] = mapped_column(String(2), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class City(Base):
    __tablename__ = "cities"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    country_code: Mapped[str] = mapped_column(ForeignKey("countries.code"))
    country: Mapped[Country] = relationship()
    mayor_id: Mapped[int | None] = mapped_column(ForeignKey("people.id", use_alter=True))
    mayor: Mapped["Person | None"] = relationship(foreign_keys=[mayor_id], post_update=True)


class Person(Base):
    __tablename__ = "people"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    email: Mapped[str] = mapped_column(String(60), unique=True)
    phone: Mapped[str | None] = mapped_column(unique=True)
    age: Mapped[int] = mapped_column(SmallInteger)
    city_id: Mapped[int] = mapped_column(ForeignKey("cities.id"))
    city: Mapped[City] = relationship(foreign_keys=[city_id])
    mail = synonym("email")
    __mapper_args__ = {"polymorphic_on": "kind"}
    __table_args__ = (CheckConstraint("age BETWEEN 18 AND 99"),)


class Employee(Person):
    __tablename__ = "employees"
    id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    salary: Mapped[Decimal] = mapped_column(Numeric(8, 2), CheckConstraint("salary > 0"))
    department_id: Mapped[int] = mapped_column(ForeignKey("departments.id"))
    department: Mapped["Department"] = relationship(foreign_keys=[department_id])
    __mapper_args__ = {"polymorphic_identity": "employee"}


class Customer(Person):
    vip: Mapped[bool | None]
    __mapper_args__ = {"polymorphic_identity": "customer"}


class Department(Base):
    __tablename__ = "departments"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str] = mapped_column(String(30))
    head_id: Mapped[int | None] = mapped_column(ForeignKey("employees.id", use_alter=True))
    head: Mapped[Employee | None] = relationship(foreign_keys=[head_id], post_update=True)


class Category(Base):
    __tablename__ = "categories"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    parent: Mapped["Category | None"] = relationship(remote_side=[id], back_populates="children")
    children: Mapped[list["Category"]] = relationship(back_populates="parent")
    __table_args__ = (UniqueConstraint("name", "parent_id"),)


labels = Table(
    "product_labels",
    Base.metadata,
    Column("product_id", ForeignKey("products.id"), primary_key=True),
    Column("label_id", ForeignKey("labels.id"), primary_key=True),
)


class Label(Base):
    __tablename__ = "labels"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(String(4), unique=True)


class Product(Base):
    __tablename__ = "products"
    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(String(12), unique=True)
    number: Mapped[int] = mapped_column(unique=True)
    barcode: Mapped[uuid.UUID] = mapped_column(unique=True)
    shelf: Mapped[str]
    row: Mapped[int]
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    net: Mapped[Decimal] = mapped_column(Numeric(10, 2), Computed("price * 0.8"))
    kind: Mapped[Kind]
    tags: Mapped[list[str]] = mapped_column(JSON)
    extra: Mapped[dict] = mapped_column(JSON)
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"))
    category: Mapped[Category] = relationship()
    labels: Mapped[list[Label]] = relationship(secondary=labels)
    created_at: Mapped[dt.datetime] = mapped_column(server_default=func.now())
    __table_args__ = (
        UniqueConstraint("shelf", "row"),
        CheckConstraint("price > 0 AND price <= 500"),
    )


class Stock(Base):
    __tablename__ = "stocks"
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"), primary_key=True)
    city_id: Mapped[int] = mapped_column(ForeignKey("cities.id"), primary_key=True)
    amount: Mapped[int] = mapped_column(CheckConstraint("amount >= 0"))
    product: Mapped[Product] = relationship()
    city: Mapped[City] = relationship()


class Move(Base):
    __tablename__ = "moves"
    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int]
    city_id: Mapped[int]
    stock: Mapped[Stock] = relationship()
    __table_args__ = (
        ForeignKeyConstraint(["product_id", "city_id"], ["stocks.product_id", "stocks.city_id"]),
    )


class Profile(Base):
    __tablename__ = "profiles"
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    person: Mapped[Person] = relationship()
    bio: Mapped[str] = mapped_column(CheckConstraint("length(bio) >= 10"))


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    customer: Mapped[Customer] = relationship(foreign_keys=[customer_id])
    seller_id: Mapped[int] = mapped_column(ForeignKey("employees.id"))
    seller: Mapped[Employee] = relationship(foreign_keys=[seller_id])
    status: Mapped[str] = mapped_column(CheckConstraint("status IN ('new', 'paid')"))
    starts: Mapped[dt.date]
    ends: Mapped[dt.date]
    version: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": version}
    __table_args__ = (CheckConstraint("starts < ends"),)


class Line(Base):
    __tablename__ = "lines"
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id"))
    order: Mapped[Order] = relationship()
    product: Mapped[Product] = relationship()


class Money:
    def __init__(self, amount: int, currency: str) -> None:
        self.amount, self.currency = amount, currency

    def __composite_values__(self):
        return self.amount, self.currency


class Payment(Base):
    __tablename__ = "payments"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), unique=True)
    order: Mapped[Order] = relationship()
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    money: Mapped[Money] = composite("amount", "currency")


class Refund(Base):
    __tablename__ = "refunds"
    id: Mapped[int] = mapped_column(primary_key=True)
    # A foreign key and no relationship.
    payment: Mapped[int] = mapped_column(ForeignKey("payments.id"))
    reason: Mapped[str] = mapped_column(default="none")


class Setting(Base):
    __tablename__ = "settings"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    person: Mapped[Person] = relationship()
    kind: Mapped[Kind]
    __table_args__ = (UniqueConstraint("person_id", "kind"),)


class Follow(Base):
    __tablename__ = "follows"
    follower_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    followed_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)


class Flag(Base):
    __tablename__ = "flags"
    on: Mapped[bool] = mapped_column(primary_key=True)
    is_active: Mapped[bool]
    blocked: Mapped[bool]


class Session(MappedAsDataclass, Base):
    __tablename__ = "sessions"
    token: Mapped[str] = mapped_column(String(20), primary_key=True)
    person: Mapped[Person] = relationship()
    expires: Mapped[dt.datetime]
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), init=False)
    seen: Mapped[dt.datetime] = mapped_column(server_default=func.now(), init=False)
    hits: Mapped[int] = mapped_column(default=0)


class Constructed(Base):
    __tablename__ = "constructed"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    size: Mapped[int]

    def __init__(self, name: str) -> None:
        self.name = name.upper()


class Audit(Base):
    __tablename__ = "audits"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.time]
    took: Mapped[dt.timedelta]
    raw: Mapped[bytes]
    share: Mapped[float] = mapped_column(CheckConstraint("share >= 0 AND share <= 1"))
    slug: Mapped[str]
    __table_args__ = (Index("one_slug", "slug", unique=True),)


class Event(Base):
    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True)
    audit_id: Mapped[int] = mapped_column(ForeignKey("audits.id"))
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    audit: Mapped[Audit] = relationship()
    order: Mapped[Order] = relationship()


class Ticket(Base):
    __tablename__ = "tickets"
    id: Mapped[int] = mapped_column(primary_key=True)
    line_order: Mapped[int]
    line_number: Mapped[int]
    line: Mapped[Line] = relationship()
    __table_args__ = (
        ForeignKeyConstraint(["line_order", "line_number"], ["lines.order_id", "lines.number"]),
    )


class Message(Base):
    __tablename__ = "messages"
    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    ticket: Mapped[Ticket] = relationship()
    author_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    author: Mapped[Person] = relationship()


app = FastAPI()
