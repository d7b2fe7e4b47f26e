"""An app for each test, made by the project's own fixture, beside greenroom's one app."""

import pytest
from main import create_app


@pytest.fixture
def app():
    return create_app()


@pytest.mark.parametrize("attempt", [1, 2, 3])
async def test_an_app_of_the_tests_own(client, attempt):
    assert (await client.get("/items")).json() == []
    assert (await client.post("/items/lamp")).json() == 1


@pytest.mark.parametrize("attempt", [1, 2, 3])
def test_an_app_of_a_def_tests_own(client, db_session, attempt):
    assert client.get("/items").json() == []
    assert client.post("/items/lamp").json() == 1
