import asyncio

import pytest
from app.core.security import get_common_passwords
from app.models.user import User
from app.schemas.user import UserCreate
from greenroom import invalid
from sqlalchemy import func, select

REGISTER = "/api/v1/auth/register"
ANN = {"email": "Ann@Example.com", "password": "Correct-Horse-1", "name": "Ann"}


async def test_a_user_is_registered(client, mailbox, db_session):
    response = await client.post(REGISTER, json=ANN)

    assert response.status_code == 201
    created = await db_session.scalar(select(User))
    assert response.json() == {
        "success": True,
        "data": {"id": created.id, "email": "ann@example.com", "name": "Ann"},
        "error": None,
    }
    assert mailbox.only.recipients == ("ann@example.com",)


async def test_an_e_mail_address_is_lower_cased(client, mailbox):
    response = await client.post(REGISTER, json=ANN | {"email": "ANN@EXAMPLE.COM"})

    assert response.json()["data"]["email"] == "ann@example.com"


async def test_the_spaces_around_a_name_are_dropped(client, mailbox):
    response = await client.post(REGISTER, json=ANN | {"name": "  Ann Bee "})

    assert response.json()["data"]["name"] == "Ann Bee"


async def test_an_e_mail_address_that_is_taken_in_another_case_is_a_conflict(client, make):
    await make(User, email="ann@example.com")

    response = await client.post(REGISTER, json=ANN)

    assert response.status_code == 409
    assert response.json() == {
        "success": False,
        "data": None,
        "error": {
            "code": "CONFLICT",
            "message": "ann@example.com is registered already.",
            "fields": [],
        },
    }


async def test_of_two_at_once_exactly_one_is_registered(client, mailbox):
    responses = await asyncio.gather(*(client.post(REGISTER, json=ANN) for _ in range(2)))

    assert sorted(response.status_code for response in responses) == [201, 409]
    assert len(mailbox) == 1


@pytest.mark.parametrize(
    ("password", "missing"),
    [
        ("correct-horse-1", "an upper-case letter"),
        ("CORRECT-HORSE-1", "a lower-case letter"),
        ("Correct-Horse-X", "a digit"),
        ("CorrectHorse1", "a special character"),
        ("correct-horse", "an upper-case letter, a digit"),
        ("1234567890", "an upper-case letter, a lower-case letter, a special character"),
    ],
)
async def test_a_weak_password_is_refused_and_told_why(client, password, missing):
    response = await client.post(REGISTER, json=ANN | {"password": password})

    assert response.status_code == 422
    assert response.json()["error"] == {
        "code": "VALIDATION_ERROR",
        "message": "The input is invalid.",
        "fields": [{"field": "password", "message": f"The password needs {missing}."}],
    }


@pytest.mark.parametrize(
    ("password", "status"),
    [("Horse-123", 422), ("Horse-1234", 201), ("Aa1-" * 32, 201), ("Aa1-" * 32 + "x", 422)],
    ids=["9", "10", "128", "129"],
)
async def test_a_password_has_10_to_128_characters(client, mailbox, password, status):
    response = await client.post(REGISTER, json=ANN | {"password": password})

    assert response.status_code == status


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "Ann\nBcc: bob@example.com", "Ann\0"])
async def test_a_name_that_is_no_line_of_text_is_refused(client, name):
    response = await client.post(REGISTER, json=ANN | {"name": name})

    assert response.status_code == 422
    assert [each["field"] for each in response.json()["error"]["fields"]] == ["name"]


async def test_a_refused_password_is_not_repeated(client):
    response = await client.post(REGISTER, json=ANN | {"password": "my-secret"})

    assert response.status_code == 422
    assert "my-secret" not in response.text


async def test_a_common_password_is_refused(client):
    response = await client.post(REGISTER, json=ANN | {"password": "Password123!"})

    assert response.status_code == 422
    assert response.json()["error"] == {
        "code": "PASSWORD_TOO_COMMON",
        "message": "Everybody tries the password of ann@example.com first.",
        "fields": [],
    }


async def test_which_passwords_are_common_is_a_dependency(client, mailbox, overrides):
    overrides[get_common_passwords] = lambda: frozenset({"Correct-Horse-1"})

    refused = await client.post(REGISTER, json=ANN)
    accepted = await client.post(REGISTER, json=ANN | {"password": "Password123!"})

    assert (refused.status_code, accepted.status_code) == (422, 201)


@pytest.mark.parametrize("case", invalid(UserCreate))
async def test_whatever_the_model_refuses_is_refused(client, db_session, case):
    response = await client.post(REGISTER, json=case.payload)

    assert response.status_code == 422
    error = response.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert [each["field"] for each in error["fields"]] == [".".join(case.loc)]
    assert await db_session.scalar(select(func.count()).select_from(User)) == 0
