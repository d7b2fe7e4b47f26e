import asyncio
import datetime as dt
from unittest.mock import Mock

import pytest
from app.core import security

LOGIN = "/api/v1/auth/login"
RIGHT = {"username": "ann", "password": "secret"}
WRONG = {"username": "ann", "password": "guess"}


@pytest.fixture
async def guessed(client, user, fake_redis):
    """Somebody has guessed five times."""
    for _ in range(5):
        assert (await client.post(LOGIN, json=WRONG)).status_code == 401


async def test_after_five_wrong_passwords_nobody_logs_in(client, guessed):
    response = await client.post(LOGIN, json=RIGHT)

    assert response.status_code == 429
    assert response.headers["retry-after"] == "900"
    assert response.json()["error"] == {
        "code": "TOO_MANY_ATTEMPTS",
        "message": "Too many attempts: try again later.",
        "details": [],
    }


async def test_of_guesses_at_once_five_are_verified(client, user, fake_redis, monkeypatch):
    hasher = Mock(wraps=security.hasher)
    monkeypatch.setattr(security, "hasher", hasher)

    responses = await asyncio.gather(*[client.post(LOGIN, json=WRONG) for _ in range(60)])

    assert sorted(response.status_code for response in responses) == [401] * 5 + [429] * 55
    assert hasher.verify.call_count == 5


async def test_who_has_to_wait_is_told_how_long(client, guessed, clock):
    clock.tick(dt.timedelta(minutes=5))

    response = await client.post(LOGIN, json=RIGHT)

    assert response.headers["retry-after"] == "600"


async def test_the_pause_begins_anew_with_each_guess(client, user, fake_redis, clock):
    for _ in range(5):
        await client.post(LOGIN, json=WRONG)
        clock.tick(dt.timedelta(minutes=14))

    assert (await client.post(LOGIN, json=RIGHT)).status_code == 429


async def test_an_attempt_that_is_refused_does_not_lengthen_the_pause(client, guessed, clock):
    clock.tick(dt.timedelta(minutes=14))
    assert (await client.post(LOGIN, json=RIGHT)).status_code == 429

    clock.tick(dt.timedelta(minutes=1, seconds=1))

    assert (await client.post(LOGIN, json=RIGHT)).status_code == 200


async def test_after_a_quarter_of_an_hour_the_right_password_is_taken_again(client, guessed, clock):
    clock.tick(dt.timedelta(minutes=15, seconds=1))

    assert (await client.post(LOGIN, json=RIGHT)).status_code == 200


async def test_guesses_at_one_name_stop_no_other(client, guessed):
    response = await client.post(LOGIN, json={"username": "bob", "password": "guess"})

    assert response.status_code == 401


async def test_a_login_forgets_the_guesses_before_it(client, user, fake_redis):
    for _ in range(4):
        await client.post(LOGIN, json=WRONG)

    await client.post(LOGIN, json=RIGHT)

    assert await fake_redis.keys() == []


async def test_as_many_guesses_are_free_as_the_settings_say(client, user, fake_redis, settings):
    settings(login_attempts=1)

    statuses = [(await client.post(LOGIN, json=WRONG)).status_code for _ in range(2)]

    assert statuses == [401, 429]


async def test_without_redis_logins_go_on(client, user):
    for _ in range(6):
        assert (await client.post(LOGIN, json=WRONG)).status_code == 401

    assert (await client.post(LOGIN, json=RIGHT)).status_code == 200
