import datetime as dt

import jwt
import pytest
from app.core.config import get_settings
from app.models.user import User

ME = "/api/v1/users/me"
AUTH_REQUIRED = {
    "success": False,
    "data": None,
    "error": {"code": "AUTH_REQUIRED", "message": "Sign in first.", "fields": []},
}


async def test_who_is_signed_in_is_told_who_he_is(auth_client, user):
    response = await auth_client.get(ME)

    assert response.status_code == 200
    assert response.json() == {
        "success": True,
        "data": {"id": user.id, "email": user.email, "name": user.name},
        "error": None,
    }


async def test_nobody_is_told_nothing(client):
    response = await client.get(ME)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json() == AUTH_REQUIRED


@pytest.mark.parametrize("token", ["nonsense", "a.b.c"])
async def test_a_wrong_token_is_refused(client, token):
    response = await client.with_token(token).get(ME)

    assert response.status_code == 401
    assert response.json() == AUTH_REQUIRED


async def test_a_token_that_another_key_has_signed_is_refused(client, user):
    claims = {"sub": str(user.id), "exp": 4102444800}
    token = jwt.encode(claims, "a key that isn't ours, and is long enough", "HS256")

    response = await client.with_token(token).get(ME)

    assert response.status_code == 401
    assert response.json() == AUTH_REQUIRED


@pytest.mark.parametrize("missing", ["exp", "sub"])
async def test_a_token_that_lacks_a_claim_is_refused(client, user, missing):
    claims = {"sub": str(user.id), "exp": 4102444800}
    del claims[missing]
    token = jwt.encode(claims, get_settings().secret_key.get_secret_value(), "HS256")

    response = await client.with_token(token).get(ME)

    assert response.status_code == 401
    assert response.json() == AUTH_REQUIRED


async def test_a_token_expires(auth_client, clock):
    assert (await auth_client.get(ME)).status_code == 200

    clock.tick(dt.timedelta(minutes=31))

    assert (await auth_client.get(ME)).status_code == 401


async def test_the_token_of_a_deleted_user_is_refused(client, make, db_session):
    ann = await make(User)
    as_ann = client.as_user(ann)
    assert (await as_ann.get(ME)).status_code == 200

    await db_session.delete(ann)

    assert (await as_ann.get(ME)).json() == AUTH_REQUIRED


async def test_an_administrator_reads_another_user(auth_client, make):
    bob = await make(User, name="Bob")

    response = await auth_client.get(f"/api/v1/users/{bob.id}")

    assert response.status_code == 200
    assert response.json() == {
        "success": True,
        "data": {"id": bob.id, "email": bob.email, "name": "Bob"},
        "error": None,
    }


async def test_a_user_reads_himself_by_id(client, make):
    ann = await make(User)

    response = await client.as_user(ann).get(f"/api/v1/users/{ann.id}")

    assert response.status_code == 200
    assert response.json()["data"] == {"id": ann.id, "email": ann.email, "name": ann.name}


@pytest.mark.parametrize("is_there", [True, False], ids=["another", "unknown"])
async def test_nobody_else_is_read_by_a_user(client, make, is_there):
    ann, bob = await make(User, 2)

    response = await client.as_user(ann).get(f"/api/v1/users/{bob.id if is_there else 12345}")

    assert response.status_code == 403
    assert response.json() == {
        "success": False,
        "data": None,
        "error": {
            "code": "FORBIDDEN",
            "message": "Only administrators read other users.",
            "fields": [],
        },
    }


async def test_an_unknown_user_is_not_found(auth_client):
    response = await auth_client.get("/api/v1/users/12345")

    assert response.status_code == 404
    assert response.json() == {
        "success": False,
        "data": None,
        "error": {"code": "NOT_FOUND", "message": "There is no user 12345.", "fields": []},
    }


async def test_a_user_is_read_by_signed_in_users_only(client, make):
    bob = await make(User)

    response = await client.get(f"/api/v1/users/{bob.id}")

    assert response.status_code == 401
    assert response.json() == AUTH_REQUIRED


@pytest.mark.parametrize("user_id", ["0", "-1", str(2**31), "ann"])
async def test_what_can_be_no_id_is_refused(auth_client, user_id):
    response = await auth_client.get(f"/api/v1/users/{user_id}")

    assert response.status_code == 422
    assert response.json()["error"]["fields"][0]["field"] == "user_id"
