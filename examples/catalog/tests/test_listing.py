"""One shelf for all tests of this file: its fixture logs in once, and fills it by the API."""

import pytest
from app.core.security import hash_password
from app.models import User

ITEMS = "/api/v1/items"
SHELF = [
    {"name": "lamp", "price": 30, "tags": ["light", "glass"]},
    {"name": "chair", "price": 80, "tags": ["wood"]},
    {"name": "desk lamp", "price": 45, "tags": ["light"]},
    {"name": "table", "price": 120, "tags": ["glass", "wood"]},
    {"name": "100% wool", "price": 15},
]


@pytest.fixture(scope="module", autouse=True)
async def shelf(client_factory, session_factory):
    async with session_factory() as session:
        session.add(User(username="ann", password_hash=await hash_password("secret")))
        await session.commit()
    ann = client_factory().as_user(("ann", "secret"))
    for item in SHELF:
        assert (await ann.post(ITEMS, json=item)).status_code == 201


async def names(client, **query):
    return [item["name"] for item in (await client.get(ITEMS, params=query)).json()["items"]]


async def test_items_are_listed_in_the_order_of_their_creation(client):
    assert await names(client) == ["lamp", "chair", "desk lamp", "table", "100% wool"]


async def test_a_page_says_where_it_stands(client):
    response = await client.get(ITEMS, params={"page": 2, "size": 2})

    page = response.json()
    assert [item["name"] for item in page.pop("items")] == ["desk lamp", "table"]
    assert page == {"total": 5, "page": 2, "size": 2}


async def test_a_page_beyond_the_last_is_empty(client):
    page = (await client.get(ITEMS, params={"page": 9, "size": 2})).json()

    assert page == {"items": [], "total": 5, "page": 9, "size": 2}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"name": "lamp"}, ["lamp"]),
        ({"name": "Lamp"}, []),
        ({"name__ilike": "LAMP"}, ["lamp", "desk lamp"]),
        ({"name__ilike": "%"}, ["100% wool"]),
        ({"price__gte": 80}, ["chair", "table"]),
        ({"price__lte": 30}, ["lamp", "100% wool"]),
        ({"price__gte": 40, "price__lte": 90}, ["chair", "desk lamp"]),
        ({"name__ilike": "lamp", "price__gte": 40}, ["desk lamp"]),
    ],
)
async def test_filters_narrow_the_list(client, query, found):
    assert await names(client, **query) == found


@pytest.mark.parametrize(
    ("order", "first", "last"),
    [
        ("name", "100% wool", "table"),
        ("-name", "table", "100% wool"),
        ("price", "100% wool", "table"),
        ("-price", "table", "100% wool"),
        ("-created_at", "100% wool", "lamp"),
    ],
)
async def test_the_list_is_ordered_as_asked(client, order, first, last):
    listed = await names(client, order_by=order)

    assert (listed[0], listed[-1]) == (first, last)


async def test_a_list_takes_three_statements_however_long_it_is(client, queries):
    with queries.exactly(3), queries.no_n_plus_one():
        await client.get(ITEMS)


async def test_each_item_is_listed_with_its_tags(client):
    items = (await client.get(ITEMS)).json()["items"]

    assert [item["tags"] for item in items] == [
        ["glass", "light"],
        ["wood"],
        ["light"],
        ["glass", "wood"],
        [],
    ]
