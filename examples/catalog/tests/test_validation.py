import pytest
from app.models import Item
from app.schemas.items import ItemChange, ItemIn
from greenroom import invalid

ITEMS = "/api/v1/items"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"price": 1}, "name"),
        ({"name": "", "price": 1}, "name"),
        ({"name": "   ", "price": 1}, "name"),
        ({"name": "x" * 101, "price": 1}, "name"),
        ({"name": "la\0mp", "price": 1}, "name"),
        ({"name": "lamp", "price": 1, "description": "la\0mp"}, "description"),
        ({"name": "lamp"}, "price"),
        ({"name": "lamp", "price": -1}, "price"),
        ({"name": "lamp", "price": "0.001"}, "price"),
        ({"name": "lamp", "price": 100_000_000}, "price"),
        ({"name": "lamp", "price": 1, "tags": "red"}, "tags"),
    ],
)
async def test_an_invalid_item_is_refused(auth_client, body, field):
    response = await auth_client.post(ITEMS, json=body)

    assert response.status_code == 422
    error = response.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert [detail["loc"] for detail in error["details"]] == [["body", field]]


@pytest.mark.parametrize("case", invalid(ItemIn))
async def test_whatever_the_model_refuses_is_refused(auth_client, case):
    response = await auth_client.post(ITEMS, json=case.payload)

    assert response.status_code == 422
    assert response.json()["error"]["details"][0]["loc"] == ["body", *case.loc]


@pytest.mark.parametrize("case", invalid(ItemChange))
async def test_an_invalid_change_changes_nothing(auth_client, make, case):
    item = await make(Item, name="lamp", price=4)

    response = await auth_client.patch(f"{ITEMS}/{item.id}", json=case.payload)

    assert response.status_code == 422
    assert (item.name, item.price, item.description) == ("lamp", 4, None)


def test_the_document_gives_no_value_to_what_a_change_leaves_out(app):
    change = app.openapi()["components"]["schemas"]["ItemChange"]

    assert list(change["properties"]) == ["name", "description", "price", "tags"]
    assert "required" not in change
    assert [name for name, field in change["properties"].items() if "default" in field] == []


async def test_the_longest_name_is_taken(auth_client, make):
    body = make.payload(ItemIn, name="x" * 100)

    response = await auth_client.post(ITEMS, json=body)

    assert response.status_code == 201
    assert response.json()["name"] == "x" * 100


async def test_spaces_around_a_name_are_dropped(auth_client):
    response = await auth_client.post(ITEMS, json={"name": " lamp ", "price": 1})

    assert response.json()["name"] == "lamp"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/7"),
        ("GET", "/7/price?currency=EUR"),
        ("PATCH", "/7"),
        ("DELETE", "/7"),
        ("POST", "/7/restore"),
    ],
)
async def test_an_id_that_is_no_uuid_is_refused(auth_client, method, path):
    response = await auth_client.request(method, ITEMS + path, json={})

    assert response.status_code == 422
    assert response.json()["error"]["details"][0]["loc"] == ["path", "item_id"]


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=1000001",
        "size=0",
        "size=101",
        "price__gte=cheap",
        "order_by=tags",
        "colour=red",
    ],
)
async def test_an_invalid_query_is_refused(client, query):
    response = await client.get(f"{ITEMS}?{query}")

    assert response.status_code == 422
    loc = response.json()["error"]["details"][0]["loc"]
    assert loc == ["query", query.partition("=")[0]]
