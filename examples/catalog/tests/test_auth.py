import datetime as dt
import hashlib
from unittest.mock import Mock

import pytest
from app.add_user import add_user
from app.core import security
from app.models import LoginSession, User
from sqlalchemy import select

LOGIN = "/api/v1/auth/login"
LOGOUT = "/api/v1/auth/logout"
ME = "/api/v1/auth/me"
ANN = {"username": "ann", "password": "secret"}


async def test_a_login_gives_a_token_and_says_how_long_it_lasts(client, user, clock):
    clock.freeze("2026-01-31 12:00")

    response = await client.post(LOGIN, json=ANN)

    assert response.status_code == 200
    answer = response.json()
    assert len(answer.pop("access_token")) == 43
    assert answer == {"token_type": "bearer", "expires_at": "2026-02-01T00:00:00Z"}


async def test_a_token_is_stored_as_its_hash(client, user, db_session):
    token = (await client.post(LOGIN, json=ANN)).json()["access_token"]

    stored = (await db_session.scalars(select(LoginSession))).one()
    assert stored.token_hash == hashlib.sha256(token.encode()).hexdigest()


async def test_a_password_is_stored_as_an_argon2_hash(db_session):
    await add_user("ann", "secret")

    ann = (await db_session.scalars(select(User))).one()

    assert ann.password_hash.startswith("$argon2id$")


async def test_who_is_logged_in_is_told_who_he_is(auth_client, user, db_session):
    response = await auth_client.get(ME)

    ann = (await db_session.scalars(select(User))).one()
    assert response.json() == {"id": str(ann.id), "username": "ann"}


@pytest.mark.parametrize(("username", "password"), [("ann", "wrong"), ("bob", "secret")])
async def test_a_wrong_login_does_not_tell_what_is_wrong(client, user, username, password):
    response = await client.post(LOGIN, json={"username": username, "password": password})

    assert response.status_code == 401
    assert response.json()["error"] == {
        "code": "UNAUTHORIZED",
        "message": "Wrong username or password.",
        "details": [],
    }


@pytest.mark.parametrize("username", ["ann", "bob"])
async def test_a_login_verifies_one_hash_whoever_tries(client, user, monkeypatch, username):
    hasher = Mock(wraps=security.hasher)
    monkeypatch.setattr(security, "hasher", hasher)

    await client.post(LOGIN, json={"username": username, "password": "wrong"})

    assert hasher.verify.call_count == 1


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "0" * 43])
async def test_a_wrong_token_is_refused(client, user, token):
    response = await client.with_token(token).get(ME)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json()["error"]["message"] == "Not logged in."


async def test_a_session_expires(client, user, clock):
    clock.freeze("2026-01-31 12:00")
    ann = client.as_user(user)
    assert (await ann.get(ME)).status_code == 200

    clock.tick(dt.timedelta(hours=12))

    assert (await ann.get(ME)).status_code == 401


async def test_a_session_lasts_as_long_as_the_settings_say(client, user, clock, settings):
    settings(session_hours=24)
    clock.freeze("2026-01-31 12:00")
    ann = client.as_user(user)
    await ann.get(ME)

    clock.tick(dt.timedelta(hours=23))

    assert (await ann.get(ME)).status_code == 200


async def test_a_login_deletes_the_sessions_that_have_expired(client, user, clock, db_session):
    clock.freeze("2026-01-31 12:00")
    for hours in (0, 11, 1):
        clock.tick(dt.timedelta(hours=hours))
        await client.post(LOGIN, json=ANN)

    ends = await db_session.scalars(select(LoginSession.expires_at))
    assert sorted(str(end) for end in ends) == [
        "2026-02-01 11:00:00+00:00",
        "2026-02-01 12:00:00+00:00",
    ]


async def test_a_login_leaves_the_sessions_of_others(client, user, clock, db_session):
    await add_user("bob", "hunter2")
    await client.post(LOGIN, json={"username": "bob", "password": "hunter2"})

    clock.tick(dt.timedelta(hours=12))
    await client.post(LOGIN, json=ANN)

    sessions = await db_session.scalars(select(LoginSession))
    assert {session.user.username for session in sessions} == {"ann", "bob"}


async def test_a_logout_ends_the_session(auth_client, db_session):
    response = await auth_client.post(LOGOUT)

    assert (response.status_code, response.content) == (204, b"")
    assert (await auth_client.get(ME)).status_code == 401
    assert (await db_session.scalars(select(LoginSession))).all() == []


async def test_a_logout_ends_no_other_session(client, user):
    here, there = client.as_user(user), client.as_user(user)
    await there.get(ME)

    await here.post(LOGOUT)

    assert (await there.get(ME)).status_code == 200
