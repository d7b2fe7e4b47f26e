import pytest
from app.models import User
from app.schemas import LoginIn, UserIn
from app.security import hash_password
from greenroom import invalid
from pydantic import ValidationError
from sqlalchemy import func, select
from tests.answers import detail

ANN = {"email": "ann@example.com", "name": "Ann", "password": "long enough"}
LOGIN = {"email": "ann@example.com", "password": "long enough"}


@pytest.mark.parametrize(
    ("change", "field", "kind"),
    [
        pytest.param({"email": None}, "email", "string_type", id="email null"),
        pytest.param({"email": "ann"}, "email", "value_error", id="email without a host"),
        pytest.param({"name": ""}, "name", "string_too_short", id="name empty"),
        pytest.param({"name": "  "}, "name", "string_too_short", id="name blank"),
        pytest.param({"name": "x" * 101}, "name", "string_too_long", id="name too long"),
        pytest.param({"name": "A\nnn"}, "name", "string_pattern_mismatch", id="name of two lines"),
        pytest.param({"password": "seven.."}, "password", "string_too_short", id="password short"),
        pytest.param({"password": 12345678}, "password", "string_type", id="password a number"),
        pytest.param({"is_admin": True}, "is_admin", "extra_forbidden", id="one field too many"),
    ],
)
def test_an_invalid_user_is_refused(client, db_session, change, field, kind):
    response = client.post("/api/users", json=ANN | change)

    assert response.status_code == 422
    assert [(e["loc"], e["type"]) for e in detail(response)] == [(["body", field], kind)]
    assert db_session.scalar(select(func.count(User.id))) == 0


@pytest.mark.parametrize("field", ["email", "name", "password"])
def test_a_user_who_lacks_a_field_is_refused(client, field):
    body = {name: value for name, value in ANN.items() if name != field}

    response = client.post("/api/users", json=body)

    assert response.status_code == 422
    assert [(e["loc"], e["type"]) for e in detail(response)] == [(["body", field], "missing")]


@pytest.mark.parametrize("case", invalid(UserIn))
def test_whatever_the_model_of_a_user_refuses_is_refused(client, case):
    response = client.post("/api/users", json=case.payload)

    assert response.status_code == 422
    assert detail(response)[0]["loc"] == ["body", *case.loc]


@pytest.mark.parametrize("case", invalid(LoginIn))
def test_whatever_the_model_of_a_login_refuses_is_refused(client, case):
    response = client.post("/api/auth/login", json=case.payload)

    assert response.status_code == 422
    assert detail(response)[0]["loc"] == ["body", *case.loc]


def test_a_login_takes_no_password_that_is_longer_than_any(client):
    response = client.post("/api/auth/login", json=LOGIN | {"password": "x" * 129})

    assert response.status_code == 422
    assert [(e["loc"], e["type"]) for e in detail(response)] == [
        (["body", "password"], "string_too_long")
    ]


def test_a_fault_of_the_server_is_not_put_on_the_body(client, make, monkeypatch):
    make(User, email="ann@example.com", hashed_password=hash_password("long enough"))
    monkeypatch.setattr("app.api.auth.create_access_token", lambda user_id: None)

    with pytest.raises(ValidationError, match="access_token"):
        client.post("/api/auth/login", json=LOGIN)


@pytest.mark.parametrize("length", [8, 128])
def test_the_shortest_and_the_longest_password_are_taken(client, make, length):
    body = make.payload(UserIn, password="x" * length)

    assert client.post("/api/users", json=body).status_code == 201
