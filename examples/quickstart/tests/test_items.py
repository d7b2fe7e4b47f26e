"""The suite of the items API. There is no conftest: every fixture that isn't here is greenroom's."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest
from main import Item, ItemOut, get_discount
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from greenroom import Client, Overrides, SyncClient

MakeItem = Callable[..., Awaitable[Item]]


@pytest.fixture
def make_item(db_session: AsyncSession) -> MakeItem:
    """Puts an item into the database; the test names only what it cares about."""

    async def make(name: str = "lamp", price: str = "9.90") -> Item:
        item = Item(name=name, price=Decimal(price))
        db_session.add(item)
        await db_session.flush()
        return item

    return make


async def test_a_created_item_is_returned_and_stored(
    client: Client, db_session: AsyncSession
) -> None:
    response = await client.post("/items/", json={"name": "lamp", "price": "9.90"})

    assert response.status_code == 201
    created = ItemOut.model_validate_json(response.content)
    assert (created.name, created.price) == ("lamp", Decimal("9.90"))
    stored = await db_session.get_one(Item, created.id)
    assert (stored.name, stored.price) == ("lamp", Decimal("9.90"))


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({"price": 1}, "name", id="name missing"),
        pytest.param({"name": "", "price": 1}, "name", id="name empty"),
        pytest.param({"name": "x" * 101, "price": 1}, "name", id="name too long"),
        pytest.param({"name": "lamp"}, "price", id="price missing"),
        pytest.param({"name": "lamp", "price": -1}, "price", id="price negative"),
        pytest.param({"name": "lamp", "price": "cheap"}, "price", id="price not a number"),
    ],
)
async def test_an_invalid_item_is_refused(
    client: Client, db_session: AsyncSession, body: dict[str, object], field: str
) -> None:
    response = await client.post("/items/", json=body)

    assert response.status_code == 422
    assert [error["loc"] for error in response.json()["detail"]] == [["body", field]]
    assert await db_session.scalar(select(func.count()).select_from(Item)) == 0


async def test_an_item_is_read(client: Client, make_item: MakeItem) -> None:
    item = await make_item(price="4.00")

    response = await client.get(f"/items/{item.id}")

    assert response.json() == {"id": item.id, "name": "lamp", "price": "4.00"}


async def test_a_discount_lowers_the_price(
    client: Client, make_item: MakeItem, overrides: Overrides
) -> None:
    item = await make_item(price="9.99")
    overrides[get_discount] = lambda: Decimal("0.25")

    response = await client.get(f"/items/{item.id}")

    assert response.json()["price"] == "7.49"


async def test_all_items_are_listed(client: Client, make_item: MakeItem) -> None:
    await make_item("lamp")
    await make_item("chair")

    response = await client.get("/items/")

    assert [item["name"] for item in response.json()] == ["lamp", "chair"]


def test_there_are_no_items_at_first(sync_client: SyncClient) -> None:
    assert sync_client.get("/items/").json() == []


async def test_an_item_is_updated(client: Client, make_item: MakeItem) -> None:
    item = await make_item(price="4.00")

    response = await client.put(f"/items/{item.id}", json={"name": "desk lamp", "price": "5.00"})

    assert response.status_code == 200
    assert (item.name, item.price) == ("desk lamp", Decimal("5.00"))


async def test_an_item_is_deleted(
    client: Client, db_session: AsyncSession, make_item: MakeItem
) -> None:
    item = await make_item()

    assert (await client.delete(f"/items/{item.id}")).status_code == 204
    assert await db_session.get(Item, item.id) is None
    assert (await client.get(f"/items/{item.id}")).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_an_unknown_item_is_not_found(client: Client, method: str) -> None:
    body = {"name": "lamp", "price": "1.00"} if method == "PUT" else None

    response = await client.request(method, "/items/12345", json=body)

    assert response.status_code == 404


async def test_an_item_does_not_get_the_name_of_another(
    client: Client, make_item: MakeItem
) -> None:
    await make_item("lamp")
    chair = await make_item("chair")

    response = await client.put(f"/items/{chair.id}", json={"name": "lamp", "price": "1.00"})

    assert response.status_code == 409
    assert chair.name == "chair"


async def test_a_duplicate_name_is_refused_and_nothing_else_is_lost(
    client: Client, db_session: AsyncSession, make_item: MakeItem
) -> None:
    await make_item("lamp")

    refused = await client.post("/items/", json={"name": "lamp", "price": "1.00"})
    accepted = await client.post("/items/", json={"name": "chair", "price": "2.00"})

    assert (refused.status_code, accepted.status_code) == (409, 201)
    names = await db_session.scalars(select(Item.name).order_by(Item.name))
    assert names.all() == ["chair", "lamp"]
