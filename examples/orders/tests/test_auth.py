import datetime as dt
from unittest.mock import Mock

import jwt
import pytest
from app.config import SecretKey, get_settings
from app.models import User
from app.security import create_access_token, hash_password, passwords
from pydantic import TypeAdapter, ValidationError
from tests.answers import data, detail

BOB = {"email": "bob@example.com", "name": "Bob", "password": "long enough"}


@pytest.fixture
def user(make):
    hashed = hash_password("long enough")
    return make(User, email="ann@example.com", name="Ann", hashed_password=hashed)


def test_a_login_gives_a_token(client, user):
    body = {"email": "ann@example.com", "password": "long enough"}

    response = client.post("/api/auth/login", json=body)

    assert response.status_code == 200
    assert data(response)["token_type"] == "bearer"
    ann = client.with_token(data(response)["access_token"])
    assert data(ann.get("/api/users/me"))["id"] == user.id


def test_a_login_takes_the_email_in_capitals(client, user):
    body = {"email": "ANN@example.com", "password": "long enough"}

    assert client.post("/api/auth/login", json=body).status_code == 200


@pytest.mark.parametrize(
    ("email", "password"),
    [
        pytest.param("ann@example.com", "wrong", id="wrong password"),
        pytest.param("ann@example.com", "", id="no password"),
        pytest.param("ann@example.com", "LONG ENOUGH", id="password in capitals"),
        pytest.param("bob@example.com", "long enough", id="unknown user"),
    ],
)
def test_a_wrong_login_is_refused(client, user, email, password):
    response = client.post("/api/auth/login", json={"email": email, "password": password})

    assert response.status_code == 401
    assert detail(response) == "Wrong e-mail or password."


@pytest.mark.parametrize("email", ["ann@example.com", "bob@example.com"], ids=["user", "nobody"])
def test_a_login_takes_one_hash_whoever_is_named(client, user, monkeypatch, email):
    verify = Mock(wraps=passwords.verify)
    monkeypatch.setattr(passwords, "verify", verify)

    client.post("/api/auth/login", json={"email": email, "password": "wrong"})

    assert verify.call_count == 1


def test_me_is_who_asks(auth_client, user):
    response = auth_client.get("/api/users/me")

    assert response.status_code == 200
    assert data(response) == {
        "id": user.id,
        "email": "ann@example.com",
        "name": "Ann",
        "is_verified": False,
    }


def test_two_users_are_two(client, make):
    ann, bob = make(User, 2)

    assert data(client.as_user(ann).get("/api/users/me"))["email"] == ann.email
    assert data(client.as_user(bob).get("/api/users/me"))["email"] == bob.email


def test_nobody_is_told_nothing(client):
    response = client.get("/api/users/me")

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert detail(response) == "Not authenticated"


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
def test_a_wrong_token_is_refused(client, token):
    response = client.with_token(token).get("/api/users/me")

    assert response.status_code == 401
    assert detail(response) == "Not authenticated"


def test_a_token_of_another_scheme_is_refused(client, user):
    headers = {"Authorization": f"Token {create_access_token(user.id)}"}

    response = client.get("/api/users/me", headers=headers)

    assert response.status_code == 401
    assert detail(response) == "Not authenticated"


def test_a_token_of_a_deleted_user_is_refused(client, user, db_session):
    ann = client.as_user(user)
    db_session.delete(user)

    assert ann.get("/api/users/me").status_code == 401


def test_a_token_of_a_deleted_user_is_not_that_of_the_next(client, user):
    ann = client.as_user(user)
    ann.delete(f"/api/users/{user.id}")
    client.post("/api/users", json=BOB)

    assert ann.get("/api/users/me").status_code == 401


def test_a_token_expires(client, user, clock):
    ann = client.as_user(user)
    assert ann.get("/api/users/me").status_code == 200

    clock.tick(dt.timedelta(minutes=31))

    assert ann.get("/api/users/me").status_code == 401


def test_a_token_lasts_as_long_as_the_settings_say(client, user, clock, settings):
    settings(token_minutes=60)
    ann = client.as_user(user)

    clock.tick(dt.timedelta(minutes=31))

    assert ann.get("/api/users/me").status_code == 200


def test_a_token_of_another_secret_is_refused(client, user, settings):
    settings(secret_key="somebody else's, and long enough for sha256")
    forged = create_access_token(user.id)
    settings(secret_key="ours, and just as long, so that sha256 is content")

    assert client.with_token(forged).get("/api/users/me").status_code == 401


@pytest.mark.parametrize("missing", ["exp", "sub"])
def test_a_token_that_lacks_a_claim_is_refused(client, user, missing):
    claims = jwt.decode(create_access_token(user.id), options={"verify_signature": False})
    del claims[missing]
    token = jwt.encode(claims, get_settings().secret_key.get_secret_value(), "HS256")

    assert client.with_token(token).get("/api/users/me").status_code == 401


def test_a_short_secret_is_refused():
    with pytest.raises(ValidationError, match="at least 32"):
        TypeAdapter(SecretKey).validate_python("x" * 31)


def test_the_secret_is_not_shown():
    assert "for-tests" not in repr(get_settings())
