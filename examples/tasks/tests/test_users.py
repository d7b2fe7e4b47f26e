import datetime as dt

import pytest
from app.core.security import hash_password
from app.models.user import User


@pytest.fixture
async def user(make):
    return await make(User, username="ann", hashed_password=hash_password("secret"))


async def test_who_am_i(auth_client, user):
    assert (await auth_client.get("/me")).json() == {"username": "ann", "email": user.email}


async def test_nobody_is_told_nothing(client):
    assert (await client.get("/me")).status_code == 401


@pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
async def test_a_wrong_token_is_refused(client, token):
    assert (await client.with_token(token).get("/me")).status_code == 401


async def test_a_login_gives_a_token(client, user):
    response = await client.post("/token", data={"username": "ann", "password": "secret"})

    token = response.json()["access_token"]
    assert (await client.with_token(token).get("/me")).json()["username"] == "ann"


@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("ann", "wrong"),
        ("bob", "secret"),
        ("ann", "secret" + "x" * 100),
        ("ann\0", "secret"),
    ],
)
async def test_a_wrong_login_is_refused(client, user, username, password):
    response = await client.post("/token", data={"username": username, "password": password})

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


async def test_a_token_expires(client, user, clock):
    ann = client.as_user(user)
    assert (await ann.get("/me")).status_code == 200

    clock.tick(dt.timedelta(minutes=31))

    assert (await ann.get("/me")).status_code == 401


async def test_a_token_lasts_as_long_as_the_settings_say(client, user, clock, settings):
    settings(token_minutes=60)
    ann = client.as_user(user)
    await ann.get("/me")

    clock.tick(dt.timedelta(minutes=31))

    assert (await ann.get("/me")).status_code == 200


async def test_two_users_are_two(client, make):
    ann, bob = await make(User, 2)

    assert (await client.as_user(ann).get("/me")).json()["email"] == ann.email
    assert (await client.as_user(bob).get("/me")).json()["email"] == bob.email
