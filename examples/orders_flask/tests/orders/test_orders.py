import pytest
from app.models import Order, OrderItem, User
from app.prices import PRICES, Product
from app.schemas import OrderIn
from greenroom import invalid
from sqlalchemy import func, select
from tests.answers import data, detail

LAMP = {"product": "lamp", "quantity": 2}
CHAIR = {"product": "chair", "quantity": 1}


def test_an_order_is_created(client, ann, db_session):
    response = client.as_user(ann).post("/api/orders", json={"items": [LAMP, CHAIR]})

    assert response.status_code == 201
    order_id = data(response)["id"]
    assert data(response) == {
        "id": order_id,
        "user_id": ann.id,
        "status": "pending",
        "items": [LAMP | {"price_cents": 990}, CHAIR | {"price_cents": 4500}],
        "total_cents": 6480,
    }
    assert db_session.get(Order, order_id).user_id == ann.id


def test_an_order_is_read(client, ann, make_order):
    order = make_order()

    response = client.as_user(ann).get(f"/api/orders/{order.id}")

    assert response.status_code == 200
    assert data(response) == {
        "id": order.id,
        "user_id": ann.id,
        "status": "pending",
        "items": [LAMP | {"price_cents": 990}],
        "total_cents": 1980,
    }


def test_an_order_keeps_the_prices_of_its_day(client, ann, monkeypatch):
    asking = client.as_user(ann)
    order_id = data(asking.post("/api/orders", json={"items": [LAMP]}))["id"]

    monkeypatch.setitem(PRICES, Product.LAMP, 1090)

    assert data(asking.get(f"/api/orders/{order_id}"))["total_cents"] == 1980


def test_the_items_of_an_order_are_shown_by_id(client, ann, make_order):
    chair = OrderItem(id=1, product="chair", quantity=1, price_cents=4500)
    lamp = OrderItem(id=2, product="lamp", quantity=1, price_cents=990)
    order = make_order(items=[lamp, chair])

    response = client.as_user(ann).get(f"/api/orders/{order.id}")

    assert [item["product"] for item in data(response)["items"]] == ["chair", "lamp"]


def test_an_order_that_is_not_there_is_not_found(client, ann):
    response = client.as_user(ann).get("/api/orders/12345")

    assert response.status_code == 404
    assert detail(response) == "There is no such order."


def test_ones_own_orders_are_listed_from_the_newest(client, ann, make_order):
    first, second, third = (make_order() for _ in range(3))

    response = client.as_user(ann).get("/api/orders")

    assert [order["id"] for order in data(response)] == [third.id, second.id, first.id]


def test_orders_of_others_are_not_listed(client, ann, make, make_order):
    make_order(user=make(User))

    assert data(client.as_user(ann).get("/api/orders")) == []


def test_an_admin_lists_only_his_own_orders(client, admin, make_order):
    make_order()

    assert data(client.as_user(admin).get("/api/orders")) == []


@pytest.mark.parametrize(
    ("items", "loc"),
    [
        pytest.param([], ["items"], id="no item"),
        pytest.param([LAMP] * 51, ["items"], id="too many items"),
        pytest.param(
            [LAMP, CHAIR | {"product": "cat"}], ["items", 1, "product"], id="unknown product"
        ),
        pytest.param([LAMP | {"quantity": 0}], ["items", 0, "quantity"], id="nothing of it"),
        pytest.param([LAMP | {"price_cents": 1}], ["items", 0, "price_cents"], id="own price"),
    ],
)
def test_an_invalid_order_is_refused(client, ann, db_session, items, loc):
    response = client.as_user(ann).post("/api/orders", json={"items": items})

    assert response.status_code == 422
    assert [error["loc"] for error in detail(response)] == [["body", *loc]]
    assert db_session.scalar(select(func.count(Order.id))) == 0


@pytest.mark.parametrize("case", invalid(OrderIn))
def test_whatever_the_model_of_an_order_refuses_is_refused(client, ann, case):
    response = client.as_user(ann).post("/api/orders", json=case.payload)

    assert response.status_code == 422
    assert detail(response)[0]["loc"] == ["body", *case.loc]


def test_a_user_who_has_orders_is_not_deleted(client, admin, ann, make_order, db_session):
    order = make_order()

    response = client.as_user(admin).delete(f"/api/users/{ann.id}")

    assert response.status_code == 409
    assert detail(response) == "The user has orders."
    assert db_session.get(User, ann.id) is ann
    assert db_session.get(Order, order.id) is order
