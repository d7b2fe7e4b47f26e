"""Ids that can name nothing: no numbers, or none that the database could hold."""

import pytest
from app.models import User
from tests.answers import ask

WRONG = ["0", "-1", "1.5", "x", "9223372036854775808"]


@pytest.fixture
def user(make):
    return make(User, is_admin=True)


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/users/{}"), ("DELETE", "/api/users/{}"), ("POST", "/api/users/{}/verify")],
)
def test_a_wrong_id_of_a_user_is_not_found(auth_client, method, path, wrong):
    assert ask(auth_client, method, path.format(wrong)).status_code == 404


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/orders/{}", None),
        ("PATCH", "/api/orders/{}/status", {"status": "paid"}),
    ],
    ids=["GET", "PATCH"],
)
def test_a_wrong_id_of_an_order_is_not_found(auth_client, method, path, body, wrong):
    assert ask(auth_client, method, path.format(wrong), body).status_code == 404
