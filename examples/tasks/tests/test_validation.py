import pytest
from app.api.tasks import TaskIn
from greenroom import invalid


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "two\nlines"}, "title"),
        ({"title": "a\0zero"}, "title"),
        ({"title": "x", "due": "tomorrow"}, "due"),
        ({"title": "x", "remind": "nobody"}, "remind"),
    ],
)
async def test_an_invalid_task_is_refused(client, body, field):
    response = await client.post("/tasks/", json=body)

    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["body", field]


@pytest.mark.parametrize("case", invalid(TaskIn))
async def test_whatever_the_model_refuses_is_refused(client, case):
    assert (await client.post("/tasks/", json=case.payload)).status_code == 422


async def test_the_longest_title_is_taken(client, make):
    body = make.payload(TaskIn, title="x" * 200)

    assert (await client.post("/tasks/", json=body)).status_code == 201
