import pytest
from app.statuses import OrderStatus
from tests.answers import detail

BODY = {"items": [{"product": "lamp", "quantity": 1}]}


@pytest.fixture
def one_open_order(settings):
    settings(open_orders=1)


def test_one_open_order_too_many_is_refused(client, ann, make_order, one_open_order):
    make_order()

    response = client.as_user(ann).post("/api/orders", json=BODY)

    assert response.status_code == 409
    assert detail(response) == "No more than 1 open orders."


@pytest.mark.parametrize("status", [OrderStatus.DELIVERED, OrderStatus.CANCELLED])
def test_closed_orders_do_not_count(client, ann, make_order, one_open_order, status):
    make_order(status=status)

    assert client.as_user(ann).post("/api/orders", json=BODY).status_code == 201


def test_orders_of_others_do_not_count(client, ann, admin, make_order, one_open_order):
    make_order(user=admin)

    assert client.as_user(ann).post("/api/orders", json=BODY).status_code == 201


def test_twenty_open_orders_are_allowed(client, ann, make_order):
    for _ in range(19):
        make_order()
    asking = client.as_user(ann)

    answers = [asking.post("/api/orders", json=BODY).status_code for _ in range(2)]

    assert answers == [201, 409]
