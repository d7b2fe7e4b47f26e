import httpx2
import pytest
from app.add_user import add_user
from app.models import User
from pydantic import ValidationError
from sqlalchemy import select


async def test_it_starts_without_items(client):
    response = await client.get("/api/v1/items")

    assert response.status_code == 200
    assert response.json() == {"items": [], "total": 0, "page": 1, "size": 20}


def test_it_answers_over_a_real_socket(live_server):
    response = httpx2.get(f"{live_server.url}/api/v1/items")

    assert response.status_code == 200
    assert response.json() == {"items": [], "total": 0, "page": 1, "size": 20}


def test_every_operation_belongs_to_the_first_version(app):
    assert {path[:8] for path in app.openapi()["paths"]} == {"/api/v1/"}


async def test_a_name_by_which_nobody_could_log_in_is_not_added(db_session):
    with pytest.raises(ValidationError, match="username"):
        await add_user("Bob", "hunter2")

    assert (await db_session.scalars(select(User))).all() == []


async def test_an_added_user_can_log_in(client):
    await add_user("bob", "hunter2")

    response = await client.post(
        "/api/v1/auth/login", json={"username": "bob", "password": "hunter2"}
    )
    assert response.status_code == 200
