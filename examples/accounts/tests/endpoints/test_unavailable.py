from unittest.mock import create_autospec

import pytest
from app.api.dependencies import get_user_service
from app.core.exceptions import UnavailableError
from app.schemas.user import UserCreate
from app.services.user import UserService


@pytest.fixture
def service_is_down(overrides):
    service = create_autospec(UserService, instance=True)
    service.register.side_effect = UnavailableError("Try again.")
    service.import_users.side_effect = UnavailableError("Try again.")
    overrides[get_user_service] = lambda: service


async def test_a_registration_that_can_be_tried_again_is_told_so(client, service_is_down, make):
    response = await client.post("/api/v1/auth/register", json=make.payload(UserCreate))

    assert response.status_code == 503
    assert response.json() == {
        "success": False,
        "data": None,
        "error": {"code": "UNAVAILABLE", "message": "Try again.", "fields": []},
    }


async def test_an_import_that_can_be_tried_again_is_told_so(auth_client, service_is_down, make):
    response = await auth_client.post("/api/v1/users/import", json=[make.payload(UserCreate)])

    assert response.status_code == 503
    assert response.json()["error"]["code"] == "UNAVAILABLE"
