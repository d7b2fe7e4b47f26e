"""Ids that can name nothing: no numbers, or none that the database could hold."""

import pytest
from app.models import User
from tests.answers import ask, detail

WRONG = ["0", "-1", "1.5", "x", "2147483648"]


@pytest.fixture
def user(make):
    return make(User, is_admin=True)


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api/users/{}"), ("DELETE", "/api/users/{}"), ("POST", "/api/users/{}/verify")],
)
def test_a_wrong_id_of_a_user_is_refused(auth_client, method, path, wrong):
    response = ask(auth_client, method, path.format(wrong))

    assert response.status_code == 422
    assert [error["loc"] for error in detail(response)] == [["path", "user_id"]]


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/orders/{}", None),
        ("PATCH", "/api/orders/{}/status", {"status": "paid"}),
    ],
    ids=["GET", "PATCH"],
)
def test_a_wrong_id_of_an_order_is_refused(auth_client, method, path, body, wrong):
    response = ask(auth_client, method, path.format(wrong), body)

    assert response.status_code == 422
    assert [error["loc"] for error in detail(response)] == [["path", "order_id"]]
