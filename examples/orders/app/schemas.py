"""What requests hold, and what answers show."""

from typing import Annotated, Generic, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, EmailStr, Field, StringConstraints

from app.prices import Product
from app.statuses import OrderStatus

T = TypeVar("T")

Email = Annotated[EmailStr, AfterValidator(str.lower)]
Password = Annotated[str, Field(min_length=8, max_length=128)]
Line = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]*$"
    ),
]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class UserIn(Body):
    email: Email
    name: Line
    password: Password


class LoginIn(Body):
    email: Email
    password: Annotated[str, Field(max_length=128)]


class ItemIn(Body):
    product: Product
    quantity: Annotated[int, Field(ge=1, le=1000)]


class OrderIn(Body):
    items: Annotated[list[ItemIn], Field(min_length=1, max_length=50)]


class StatusIn(Body):
    status: OrderStatus


class Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Data(Answer, Generic[T]):
    data: T


class UserOut(Answer):
    id: int
    email: str
    name: str
    is_verified: bool


class TokenOut(Answer):
    access_token: str
    token_type: str = "bearer"


class ItemOut(Answer):
    product: str
    quantity: int
    price_cents: int


class OrderOut(Answer):
    id: int
    user_id: int
    status: OrderStatus
    items: list[ItemOut]
    total_cents: int
