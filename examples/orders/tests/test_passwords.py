"""No answer shows a password, nor the hash of one, whatever was asked."""

import json

import pytest
from app.models import Order, User
from app.security import hash_password
from tests.answers import ask

PASSWORD = "a very secret one"
NEW = {"email": "new@example.com", "name": "New", "password": PASSWORD}
ITEM = {"product": "lamp", "quantity": 1, "price_cents": 990}


def fields(value):
    """The names of all fields of an answer, however deep they lie."""
    if isinstance(value, list):
        return {name for one in value for name in fields(one)}
    if isinstance(value, dict):
        return set(value) | fields(list(value.values()))
    return set()


@pytest.fixture
def user(make):
    hashed = hash_password(PASSWORD)
    return make(User, email="ann@example.com", hashed_password=hashed, is_admin=True)


@pytest.fixture
def order(make, user):
    return make(Order, user_id=user.id)


@pytest.mark.usefixtures("mailbox")
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (("POST", "/api/users", NEW), 201),
        (("POST", "/api/users", NEW | {"email": "ann@example.com"}), 409),
        (("POST", "/api/users", {"password": PASSWORD}), 422),
        (("POST", "/api/users", NEW | {"password": [PASSWORD]}), 422),
        (("POST", "/api/auth/login", {"email": "ann@example.com", "password": PASSWORD}), 200),
        (("POST", "/api/auth/login", {"email": "bob@example.com", "password": PASSWORD}), 401),
        (("GET", "/api/users", None), 200),
        (("GET", "/api/users/me", None), 200),
        (("GET", "/api/users/{user}", None), 200),
        (("POST", "/api/users/{user}/verify", None), 200),
        (("POST", "/api/orders", {"items": [ITEM]}), 201),
        (("GET", "/api/orders", None), 200),
        (("GET", "/api/orders/{order}", None), 200),
        (("PATCH", "/api/orders/{order}/status", {"status": "paid"}), 200),
    ],
)
def test_no_answer_shows_a_password(auth_client, user, order, asked, status):
    method, path, body = asked

    response = ask(auth_client, method, path.format(user=user.id, order=order.id), body)

    assert response.status_code == status
    assert not [name for name in fields(json.loads(response.text)) if "password" in name]
    assert PASSWORD not in response.text
    assert user.hashed_password not in response.text
