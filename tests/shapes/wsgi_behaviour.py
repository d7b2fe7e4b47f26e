"""What the shapes on WSGI do, by the framework's own test client, each test twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

twice = pytest.mark.parametrize("attempt", [1, 2])


@pytest.fixture(params=["client", "sync_client"])
def http(request):
    return request.getfixturevalue(request.param)


@twice
def test_a_commit_is_there_for_the_next_request(http, attempt):
    assert http.get("/items").json == []
    assert http.post("/items/lamp").json == 1
    assert http.get("/items").json == ["lamp"]


@twice
def test_what_is_refused_is_rolled_back(http, attempt):
    assert http.post("/refused/lamp").status_code == 400
    assert http.get("/items").json == []


@twice
def test_an_error_of_the_database_leaves_what_was_committed_before(http, attempt):
    http.post("/items/lamp")
    assert http.post("/items/lamp").status_code == 409
    assert http.post("/items/chair").status_code == 201
    assert http.get("/items").json == ["lamp", "chair"]


@twice
def test_what_a_test_arranges_is_there_for_the_app(http, db_session, attempt):
    db_session.execute(text("INSERT INTO items (name) VALUES ('own')"))
    assert http.get("/items").json == ["own"]


@twice
def test_what_the_app_commits_is_there_for_the_test(http, db_session, attempt):
    http.post("/items/lamp")
    assert db_session.execute(text("SELECT name FROM items")).scalars().all() == ["lamp"]


@twice
def test_ten_requests_at_once(app, attempt):
    def create(number: int) -> int:
        return app.test_client().post(f"/items/n{number}").status_code

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(create, range(10))) == {201}
    assert len(app.test_client().get("/items").json) == 10


@twice
async def test_an_async_test_has_the_same_client(client, attempt):
    assert client.post("/items/lamp").json == 1
