import pytest
from app.core.security import hash_password
from app.models.user import User

LOGIN = "/api/v1/auth/login"
PASSWORD = "Correct-Horse-1"


@pytest.fixture
async def ann(make):
    hashed = await hash_password(PASSWORD)
    return await make(User, email="ann@example.com", hashed_password=hashed)


@pytest.mark.parametrize("username", ["ann@example.com", "Ann@Example.com"])
async def test_a_login_gives_a_token_of_the_user(client, ann, username):
    response = await client.post(LOGIN, data={"username": username, "password": PASSWORD})

    assert response.status_code == 200
    token = response.json()["access_token"]
    assert response.json() == {"access_token": token, "token_type": "bearer"}
    me = await client.with_token(token).get("/api/v1/users/me")
    assert me.json()["data"]["id"] == ann.id


@pytest.mark.parametrize(
    ("username", "password"),
    [("ann@example.com", "Wrong-Horse-1"), ("bob@example.com", PASSWORD)],
    ids=["wrong password", "unknown address"],
)
async def test_a_wrong_login_is_refused_without_saying_what_was_wrong(
    client, ann, username, password
):
    response = await client.post(LOGIN, data={"username": username, "password": password})

    assert response.status_code == 401
    assert response.json() == {
        "success": False,
        "data": None,
        "error": {
            "code": "AUTH_INVALID_CREDENTIALS",
            "message": "Wrong e-mail address or password.",
            "fields": [],
        },
    }


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"password": PASSWORD}, "username"),
        ({"username": "ann@example.com"}, "password"),
        ({"username": "ann\0", "password": PASSWORD}, "username"),
        ({"username": "a" * 321, "password": PASSWORD}, "username"),
        ({"username": "ann@example.com", "password": "x" * 129}, "password"),
    ],
    ids=["no username", "no password", "NUL", "long username", "long password"],
)
async def test_an_invalid_form_is_refused(client, form, field):
    response = await client.post(LOGIN, data=form)

    assert response.status_code == 422
    error = response.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    assert [each["field"] for each in error["fields"]] == [field]
