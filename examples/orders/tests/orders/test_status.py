"""Each status, and each that an order may be given: all pairs of them."""

import itertools

import pytest
from app.statuses import OrderStatus
from tests.answers import data, detail

LEGAL = [
    ("pending", "paid"),
    ("pending", "cancelled"),
    ("paid", "shipped"),
    ("paid", "cancelled"),
    ("shipped", "delivered"),
]
ILLEGAL = [pair for pair in itertools.product(OrderStatus, repeat=2) if pair not in LEGAL]


@pytest.mark.parametrize(("before", "after"), LEGAL)
def test_an_order_goes_on(client, admin, make_order, before, after):
    order = make_order(status=OrderStatus(before))

    response = client.as_user(admin).patch(f"/api/orders/{order.id}/status", json={"status": after})

    assert response.status_code == 200
    assert data(response)["status"] == after
    assert order.status == after


@pytest.mark.parametrize(("before", "after"), ILLEGAL)
def test_an_order_goes_nowhere_else(client, admin, make_order, before, after):
    order = make_order(status=OrderStatus(before))

    response = client.as_user(admin).patch(f"/api/orders/{order.id}/status", json={"status": after})

    assert response.status_code == 409
    assert detail(response) == f"From {before} an order can't become {after}."
    assert order.status == before


@pytest.mark.parametrize("body", [{}, {"status": None}, {"status": "lost"}, {"status": "PAID"}])
def test_an_unknown_status_is_refused(client, admin, make_order, body):
    order = make_order()

    response = client.as_user(admin).patch(f"/api/orders/{order.id}/status", json=body)

    assert response.status_code == 422
    assert [error["loc"] for error in detail(response)] == [["body", "status"]]
    assert order.status == "pending"


def test_a_status_of_no_order_is_not_found(client, admin):
    response = client.as_user(admin).patch("/api/orders/12345/status", json={"status": "paid"})

    assert response.status_code == 404


def test_a_change_leaves_the_items(client, admin, make_order):
    order = make_order()

    response = client.as_user(admin).patch(
        f"/api/orders/{order.id}/status", json={"status": "paid"}
    )

    assert data(response)["items"] == [{"product": "lamp", "quantity": 2, "price_cents": 990}]
