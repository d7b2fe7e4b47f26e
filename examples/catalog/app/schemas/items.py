import datetime as dt
import uuid
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import MISSING, BaseModel, ConfigDict, Field, field_validator

from app.models import Tag
from app.schemas.common import Name, Price, TagName

Description = Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")]
Tags = Annotated[list[TagName], Field(max_length=20)]
Currency = Literal["EUR", "USD", "GBP", "CHF"]


class ItemIn(BaseModel):
    name: Name
    description: Description | None = None
    price: Price
    tags: Tags = []


class ItemChange(BaseModel):
    """What isn't there is left as it is."""

    name: Name | MISSING = MISSING
    description: Description | MISSING | None = MISSING
    price: Price | MISSING = MISSING
    tags: Tags | MISSING = MISSING


class ItemOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    name: str
    description: str | None
    price: Decimal
    tags: list[str]
    created_at: dt.datetime
    updated_at: dt.datetime

    @field_validator("tags", mode="before")
    @classmethod
    def names_of(cls, tags: list[Tag]) -> list[str]:
        return [tag.name for tag in tags]


class ItemPage(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    items: list[ItemOut]
    total: int
    page: int
    size: int


class ItemQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    name__ilike: Name | None = None
    price__gte: Price | None = None
    price__lte: Price | None = None
    order_by: Literal["name", "-name", "price", "-price", "created_at", "-created_at"] = (
        "created_at"
    )
    page: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    size: Annotated[int, Field(ge=1, le=100)] = 20

    @property
    def filters(self) -> dict[str, object]:
        return self.model_dump(exclude={"order_by", "page", "size"}, exclude_none=True)


class PriceOut(BaseModel):
    item_id: uuid.UUID
    currency: Currency
    amount: Decimal
