"""No answer shows a password, nor the hash of one, whatever was asked."""

import json

import pytest
from app.models import Order, User
from app.security import hash_password
from tests.answers import ask

PASSWORD = "a very secret one"
NEW = {"email": "new@example.com", "name": "New", "password": PASSWORD}
ADMIN = {"email": "admin@example.com", "password": PASSWORD}
ORDER = {"items": [{"product": "lamp", "quantity": 1}]}

TO_AN_ADMIN = [
    ("POST", "/api/users", NEW, 201),
    ("POST", "/api/users", NEW | {"email": "admin@example.com"}, 409),
    ("POST", "/api/users", {"password": PASSWORD}, 422),
    ("POST", "/api/users", NEW | {"password": [PASSWORD]}, 422),
    ("POST", "/api/auth/login", ADMIN, 200),
    ("POST", "/api/auth/login", ADMIN | {"email": "bob@example.com"}, 401),
    ("POST", "/api/auth/login", ADMIN | {"password": [PASSWORD]}, 422),
    ("GET", "/api/users", None, 200),
    ("GET", "/api/users/me", None, 200),
    ("PUT", "/api/users/me", NEW, 405),
    ("GET", "/api/users/{ann}", None, 200),
    ("GET", "/api/users/12345", None, 404),
    ("DELETE", "/api/users/{cid}", None, 204),
    ("DELETE", "/api/users/{ann}", None, 409),
    ("DELETE", "/api/users/12345", None, 404),
    ("POST", "/api/users/{ann}/verify", None, 200),
    ("POST", "/api/users/{cid}/verify", None, 409),
    ("POST", "/api/users/12345/verify", None, 404),
    ("POST", "/api/orders", ORDER, 201),
    ("POST", "/api/orders", {"items": [NEW]}, 422),
    ("GET", "/api/orders", None, 200),
    ("GET", "/api/orders/{order}", None, 200),
    ("GET", "/api/orders/12345", None, 404),
    ("PATCH", "/api/orders/{order}/status", {"status": "paid"}, 200),
    ("PATCH", "/api/orders/{order}/status", {"status": "shipped"}, 409),
    ("PATCH", "/api/orders/12345/status", {"status": "paid"}, 404),
]
TO_A_STRANGER = [
    ("GET", "/api/users", None, 403),
    ("GET", "/api/users/{ann}", None, 403),
    ("DELETE", "/api/users/{ann}", None, 403),
    ("POST", "/api/users/{ann}/verify", None, 403),
    ("GET", "/api/orders/{order}", None, 403),
    ("PATCH", "/api/orders/{order}/status", {"status": "paid"}, 403),
]
ASKED = [*(("admin", *one) for one in TO_AN_ADMIN), *(("cid", *one) for one in TO_A_STRANGER)]


def label(value):
    return f"{value[-1]} to {value[0]}: {value[1]} {value[2]}"


def fields(value):
    """The names of all fields of an answer, however deep they lie."""
    if isinstance(value, list):
        return {name for one in value for name in fields(one)}
    if isinstance(value, dict):
        return set(value) | fields(list(value.values()))
    return set()


def shows_no_password(response, hashed):
    names = fields(json.loads(response.text or "null"))
    assert not [name for name in names if "password" in name]
    assert PASSWORD not in response.text
    assert hashed not in response.text


@pytest.fixture
def hashed():
    return hash_password(PASSWORD)


@pytest.fixture
def people(make, hashed):
    same = {"hashed_password": hashed}
    return {
        "admin": make(User, email="admin@example.com", is_admin=True, **same),
        "ann": make(User, email="ann@example.com", is_verified=False, **same),
        "cid": make(User, email="cid@example.com", is_verified=True, **same),
    }


@pytest.fixture
def ids(people, make):
    order = make(Order, user_id=people["ann"].id)
    return {"order": order.id, **{who: user.id for who, user in people.items()}}


@pytest.mark.usefixtures("mailbox")
@pytest.mark.parametrize("asked", ASKED, ids=label)
def test_no_answer_shows_a_password(client, people, ids, hashed, asked):
    who, method, path, body, status = asked

    response = ask(client.as_user(people[who]), method, path.format(**ids), body)

    assert response.status_code == status
    shows_no_password(response, hashed)


def test_no_answer_shows_a_password_while_mail_is_down(client, people, ids, hashed, mailbox):
    mailbox.fails()

    response = client.as_user(people["admin"]).post(f"/api/users/{ids['ann']}/verify")

    assert response.status_code == 503
    shows_no_password(response, hashed)
