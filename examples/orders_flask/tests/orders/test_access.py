"""Who may see which order, and who may change it."""

import pytest
from app.models import User
from tests.answers import data, detail

STRANGERS = [
    ("nobody", 401, "Not authenticated"),
    ("a stranger", 403, "That is somebody else's order."),
]


@pytest.fixture
def callers(client, ann, admin, make):
    return {
        "nobody": client.anonymous,
        "a stranger": client.as_user(make(User)),
        "its owner": client.as_user(ann),
        "an admin": client.as_user(admin),
    }


@pytest.mark.parametrize("who", ["its owner", "an admin"])
def test_an_order_is_shown_to_its_owner_and_to_admins(callers, ann, make_order, who):
    order = make_order()

    response = callers[who].get(f"/api/orders/{order.id}")

    assert response.status_code == 200
    assert (data(response)["id"], data(response)["user_id"]) == (order.id, ann.id)


@pytest.mark.parametrize(("who", "status", "why"), STRANGERS)
def test_an_order_is_shown_to_no_stranger(callers, make_order, who, status, why):
    response = callers[who].get(f"/api/orders/{make_order().id}")

    assert response.status_code == status
    assert detail(response) == why


@pytest.mark.parametrize("who", ["its owner", "an admin"])
def test_an_order_is_cancelled_by_its_owner_and_by_admins(callers, make_order, who):
    order = make_order()

    response = callers[who].patch(f"/api/orders/{order.id}/status", json={"status": "cancelled"})

    assert response.status_code == 200
    assert order.status == "cancelled"


@pytest.mark.parametrize(("who", "status", "why"), STRANGERS)
def test_an_order_is_cancelled_by_no_stranger(callers, make_order, who, status, why):
    order = make_order()

    response = callers[who].patch(f"/api/orders/{order.id}/status", json={"status": "cancelled"})

    assert response.status_code == status
    assert detail(response) == why
    assert order.status == "pending"


def test_an_order_is_paid_by_word_of_an_admin(callers, make_order):
    order = make_order()

    response = callers["an admin"].patch(f"/api/orders/{order.id}/status", json={"status": "paid"})

    assert response.status_code == 200
    assert order.status == "paid"


@pytest.mark.parametrize(
    ("who", "status", "why"), [*STRANGERS, ("its owner", 403, "You may only cancel it.")]
)
def test_an_order_is_paid_by_nobody_else_s_word(callers, make_order, who, status, why):
    order = make_order()

    response = callers[who].patch(f"/api/orders/{order.id}/status", json={"status": "paid"})

    assert response.status_code == status
    assert detail(response) == why
    assert order.status == "pending"


def test_to_list_orders_takes_a_login(client):
    response = client.get("/api/orders")

    assert response.status_code == 401
    assert detail(response) == "Not authenticated"


def test_to_order_takes_a_login(client):
    response = client.post("/api/orders", json={"items": [{"product": "lamp", "quantity": 1}]})

    assert response.status_code == 401
    assert detail(response) == "Not authenticated"
