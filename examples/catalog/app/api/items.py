import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.api.deps import ExchangeRates, Items, get_current_user
from app.models import Item
from app.repositories.base import Page
from app.schemas.errors import errors
from app.schemas.items import (
    Currency,
    ItemChange,
    ItemIn,
    ItemOut,
    ItemPage,
    ItemQuery,
    PriceOut,
)

router = APIRouter(prefix="/api/v1/items", tags=["items"])
writing = [Depends(get_current_user)]


@router.post(
    "",
    status_code=201,
    response_model=ItemOut,
    dependencies=writing,
    responses=errors(401, 409, 422),
)
async def create_item(data: ItemIn, items: Items) -> Item:
    return await items.create(data)


@router.get("", response_model=ItemPage, responses=errors(422))
async def list_items(query: Annotated[ItemQuery, Query()], items: Items) -> Page[Item]:
    return await items.find(query)


@router.get("/{item_id}", response_model=ItemOut, responses=errors(404, 422))
async def read_item(item_id: uuid.UUID, items: Items) -> Item:
    return await items.read(item_id)


@router.get("/{item_id}/price", responses=errors(404, 422, 503))
async def read_price(
    item_id: uuid.UUID, currency: Currency, items: Items, rates: ExchangeRates
) -> PriceOut:
    amount = await items.price(item_id, currency, rates)
    return PriceOut(item_id=item_id, currency=currency, amount=amount)


@router.patch(
    "/{item_id}",
    response_model=ItemOut,
    dependencies=writing,
    responses=errors(401, 404, 409, 422),
)
async def change_item(item_id: uuid.UUID, data: ItemChange, items: Items) -> Item:
    return await items.change(item_id, data)


@router.delete("/{item_id}", status_code=204, dependencies=writing, responses=errors(401, 404, 422))
async def delete_item(item_id: uuid.UUID, items: Items) -> None:
    await items.delete(item_id)


@router.post(
    "/{item_id}/restore",
    response_model=ItemOut,
    dependencies=writing,
    responses=errors(401, 404, 409, 422),
)
async def restore_item(item_id: uuid.UUID, items: Items) -> Item:
    return await items.restore(item_id)
