"""What no operation means to answer comes in the envelope, too."""

from app.api.dependencies import get_user_service
from app.schemas.user import UserCreate

REGISTER = "/api/v1/auth/register"


async def test_an_unknown_path_is_not_found(client):
    response = await client.get("/api/v1/nothing")

    assert response.status_code == 404
    assert response.json() == {
        "success": False,
        "data": None,
        "error": {"code": "NOT_FOUND", "message": "Not Found", "fields": []},
    }


async def test_a_method_that_is_not_there_is_told_which_are(client):
    response = await client.put(REGISTER)

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["error"] == {
        "code": "METHOD_NOT_ALLOWED",
        "message": "Method Not Allowed",
        "fields": [],
    }


async def test_a_failure_tells_nothing_of_the_inside(client, overrides, make):
    def broken():
        raise RuntimeError("the password of the database is hunter2")

    overrides[get_user_service] = broken
    client.raise_app_exceptions = False

    response = await client.post(REGISTER, json=make.payload(UserCreate))

    assert response.status_code == 500
    assert response.json() == {
        "success": False,
        "data": None,
        "error": {
            "code": "INTERNAL_ERROR",
            "message": "Something went wrong here.",
            "fields": [],
        },
    }
