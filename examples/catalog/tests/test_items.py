import asyncio
import datetime as dt
import uuid
from decimal import Decimal

import pytest
from app.models import Item, Tag
from app.schemas.items import ItemIn
from app.services.items import ItemService
from sqlalchemy.exc import IntegrityError

ITEMS = "/api/v1/items"
NOON = dt.datetime(2026, 1, 31, 12, tzinfo=dt.UTC)


async def test_a_created_item_is_answered_with_its_id_and_times(auth_client, clock):
    clock.freeze(NOON)

    response = await auth_client.post(
        ITEMS, json={"name": "lamp", "price": 9.9, "tags": ["red", "glass"]}
    )

    assert response.status_code == 201
    created = response.json()
    assert uuid.UUID(created.pop("id"))
    assert created == {
        "name": "lamp",
        "description": None,
        "price": "9.90",
        "tags": ["glass", "red"],
        "created_at": "2026-01-31T12:00:00Z",
        "updated_at": "2026-01-31T12:00:00Z",
    }


async def test_a_created_item_is_stored(auth_client, db_session):
    response = await auth_client.post(ITEMS, json={"name": "lamp", "price": "9.90"})

    item = await db_session.get(Item, uuid.UUID(response.json()["id"]))
    assert (item.name, str(item.price), item.tags) == ("lamp", "9.90", [])


async def test_an_item_is_read_by_anybody(client, make):
    item = await make(Item, name="lamp", price=4, tags=[Tag(name="red")])

    response = await client.get(f"{ITEMS}/{item.id}")

    assert response.status_code == 200
    read = response.json()
    assert (read["id"], read["name"], read["price"]) == (str(item.id), "lamp", "4.00")
    assert read["tags"] == ["red"]


async def test_a_second_item_of_a_name_is_a_conflict(auth_client, make):
    await make(Item, name="lamp")

    response = await auth_client.post(ITEMS, json={"name": "lamp", "price": 1})

    assert response.status_code == 409
    assert response.json()["error"] == {
        "code": "CONFLICT",
        "message": "An item of that name exists.",
        "details": [],
    }


async def test_two_creations_of_one_name_at_once_give_one_item(auth_client):
    body = {"name": "lamp", "price": 1, "tags": ["red"]}

    both = await asyncio.gather(*[auth_client.post(ITEMS, json=body) for _ in range(2)])

    assert sorted(response.status_code for response in both) == [201, 409]
    assert (await auth_client.get(ITEMS)).json()["total"] == 1


async def test_what_else_the_database_refuses_is_no_conflict(db_session):
    negative = ItemIn.model_construct(name="lamp", price=Decimal(-1))

    with pytest.raises(IntegrityError, match="price_not_negative"):
        await ItemService(db_session).create(negative)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/{key}"),
        ("GET", "/{key}/price?currency=EUR"),
        ("PATCH", "/{key}"),
        ("DELETE", "/{key}"),
        ("POST", "/{key}/restore"),
    ],
)
async def test_an_unknown_item_is_not_found(auth_client, method, path):
    body = {} if method == "PATCH" else None

    response = await auth_client.request(method, ITEMS + path.format(key=uuid.uuid4()), json=body)

    assert response.status_code == 404
    assert response.json()["error"]["code"] == "NOT_FOUND"


async def test_a_change_leaves_the_rest(auth_client, make):
    item = await make(Item, name="lamp", description="bright", price=4, tags=[Tag(name="red")])

    response = await auth_client.patch(f"{ITEMS}/{item.id}", json={"price": "5.00"})

    assert response.status_code == 200
    changed = response.json()
    assert changed["price"] == "5.00"
    assert (changed["name"], changed["description"]) == ("lamp", "bright")
    assert changed["tags"] == ["red"]


async def test_a_change_takes_a_description_away(auth_client, make):
    item = await make(Item, description="bright")

    changed = (await auth_client.patch(f"{ITEMS}/{item.id}", json={"description": None})).json()

    assert changed["description"] is None


async def test_changes_at_once_come_one_by_one(auth_client, make):
    item = await make(Item, tags=[Tag(name="red")])
    change = {"tags": ["blue"]}

    answers = await asyncio.gather(
        *(auth_client.patch(f"{ITEMS}/{item.id}", json=change) for _ in range(4))
    )

    assert [one.status_code for one in answers] == [200] * 4
    assert (await auth_client.get(f"{ITEMS}/{item.id}")).json()["tags"] == ["blue"]


@pytest.mark.parametrize("change", [{"price": 5}, {"tags": ["blue"]}])
async def test_a_change_moves_the_time_of_the_last_update(auth_client, make, clock, change):
    clock.freeze(NOON)
    item = await make(Item, price=4, tags=[Tag(name="red")])
    clock.tick(dt.timedelta(hours=1))

    changed = (await auth_client.patch(f"{ITEMS}/{item.id}", json=change)).json()

    assert changed["created_at"] == "2026-01-31T12:00:00Z"
    assert changed["updated_at"] == "2026-01-31T13:00:00Z"


async def test_an_item_cannot_take_the_name_of_another(auth_client, make):
    await make(Item, name="lamp")
    chair = await make(Item, name="chair")

    response = await auth_client.patch(f"{ITEMS}/{chair.id}", json={"name": "lamp"})

    assert response.status_code == 409
    assert response.json()["error"]["code"] == "CONFLICT"
    assert chair.name == "chair"


async def test_a_deleted_item_is_read_and_listed_no_more(auth_client, make):
    item = await make(Item)

    response = await auth_client.delete(f"{ITEMS}/{item.id}")

    assert (response.status_code, response.content) == (204, b"")
    assert (await auth_client.get(f"{ITEMS}/{item.id}")).status_code == 404
    assert (await auth_client.get(ITEMS)).json()["total"] == 0


async def test_the_row_of_a_deleted_item_stays(auth_client, make, db_session, clock):
    clock.freeze(NOON)
    item = await make(Item)

    await auth_client.delete(f"{ITEMS}/{item.id}")

    assert (await db_session.get(Item, item.id)).deleted_at == NOON


async def test_the_name_of_a_deleted_item_is_free(auth_client, make):
    await make(Item, name="lamp", deleted_at=NOON)

    response = await auth_client.post(ITEMS, json={"name": "lamp", "price": 1})

    assert response.status_code == 201


async def test_a_deleted_item_is_restored(auth_client, make, client):
    item = await make(Item, name="lamp", deleted_at=NOON)

    response = await auth_client.post(f"{ITEMS}/{item.id}/restore")

    assert response.status_code == 200
    assert response.json()["name"] == "lamp"
    assert (await client.get(f"{ITEMS}/{item.id}")).status_code == 200


async def test_an_item_that_is_there_cannot_be_restored(auth_client, make):
    item = await make(Item)

    response = await auth_client.post(f"{ITEMS}/{item.id}/restore")

    assert response.status_code == 404
    assert response.json()["error"]["message"] == "There is no such deleted item."


async def test_a_restored_item_cannot_take_back_a_name_that_is_used_again(auth_client, make):
    item = await make(Item, name="lamp", deleted_at=NOON)
    await make(Item, name="lamp")

    response = await auth_client.post(f"{ITEMS}/{item.id}/restore")

    assert response.status_code == 409
    assert response.json()["error"]["code"] == "CONFLICT"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", ""),
        ("PATCH", "/{key}"),
        ("DELETE", "/{key}"),
        ("POST", "/{key}/restore"),
    ],
)
async def test_writing_needs_a_login(client, make, method, path):
    item = await make(Item, name="lamp")

    response = await client.request(method, ITEMS + path.format(key=item.id), json={})

    assert response.status_code == 401
    assert response.json()["error"]["code"] == "UNAUTHORIZED"
    assert (item.name, item.deleted_at) == ("lamp", None)
