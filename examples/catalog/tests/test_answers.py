"""What all answers have in common: headers, and one shape of errors."""

import re
import uuid

import pytest
from app.api.deps import get_items

ITEMS = "/api/v1/items"


async def test_a_request_gets_an_id(client):
    response = await client.get(ITEMS)

    assert uuid.UUID(response.headers["x-request-id"])


async def test_two_requests_get_two_ids(client):
    ids = {(await client.get(ITEMS)).headers["x-request-id"] for _ in range(2)}

    assert len(ids) == 2


async def test_the_id_of_the_caller_is_kept(client):
    response = await client.get(ITEMS, headers={"X-Request-ID": "order-17"})

    assert response.headers["x-request-id"] == "order-17"


@pytest.mark.parametrize("given", ["two words", "x" * 65, ""])
async def test_an_id_that_is_no_id_is_replaced(client, given):
    response = await client.get(ITEMS, headers={"X-Request-ID": given})

    assert uuid.UUID(response.headers["x-request-id"])


async def test_an_answer_says_how_long_it_took(client):
    response = await client.get(ITEMS)

    assert re.fullmatch(r"app;dur=\d+\.\d", response.headers["server-timing"])


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("PUT", ITEMS, 405, "METHOD_NOT_ALLOWED"),
        ("POST", ITEMS, 401, "UNAUTHORIZED"),
        ("GET", f"{ITEMS}?page=0", 422, "VALIDATION_ERROR"),
        ("GET", f"{ITEMS}/{uuid.UUID(int=0)}", 404, "NOT_FOUND"),
    ],
)
async def test_errors_have_one_shape(client, method, path, status, code):
    response = await client.request(method, path)

    assert response.status_code == status
    body = response.json()
    assert list(body) == ["error"]
    assert list(body["error"]) == ["code", "message", "details"]
    assert body["error"]["code"] == code


@pytest.fixture
def broken(client, overrides):
    """Something that nobody expects goes wrong."""

    def get_broken_items():
        raise RuntimeError("the password of the database is hunter2")

    overrides[get_items] = get_broken_items
    client.raise_app_exceptions = False


async def test_a_failure_tells_nothing_of_the_inside(client, broken):
    response = await client.get(ITEMS)

    assert response.status_code == 500
    assert response.json()["error"] == {
        "code": "INTERNAL_ERROR",
        "message": "Something went wrong here.",
        "details": [],
    }


async def test_a_failure_has_the_headers_of_all_answers(client, broken):
    response = await client.get(ITEMS, headers={"X-Request-ID": "order-17"})

    assert response.status_code == 500
    assert response.headers["x-request-id"] == "order-17"
    assert re.fullmatch(r"app;dur=\d+\.\d", response.headers["server-timing"])


async def test_a_failure_reaches_the_log_of_the_server(client, broken):
    client.raise_app_exceptions = True

    with pytest.raises(RuntimeError, match="hunter2"):
        await client.get(ITEMS)
