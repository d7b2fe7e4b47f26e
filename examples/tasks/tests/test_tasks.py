import datetime as dt

import pytest
from app.models.task import Task


async def test_a_task_is_created(client, db_session):
    response = await client.post("/tasks/", json={"title": "write"})

    assert response.status_code == 201
    created = response.json()
    assert (created["title"], created["completed"], created["due"]) == ("write", False, None)
    assert (await db_session.get(Task, created["id"])).title == "write"


async def test_tasks_are_listed_in_order(client, make):
    tasks = await make(Task, 3)

    listed = (await client.get("/tasks/")).json()

    assert [task["id"] for task in listed] == [task.id for task in tasks]


async def test_a_task_is_read(client, make):
    task = await make(Task, title="read")

    assert (await client.get(f"/tasks/{task.id}")).json()["title"] == "read"


async def test_a_change_leaves_the_rest(client, make):
    task = await make(Task, title="old", remind="ann@example.com")

    response = await client.patch(f"/tasks/{task.id}", json={"title": "new"})

    assert response.json()["title"] == "new"
    assert (task.title, task.completed, task.remind) == ("new", False, "ann@example.com")


async def test_a_due_date_is_taken_away(client, make):
    task = await make(Task, due=dt.datetime(2026, 1, 31, tzinfo=dt.UTC))

    assert (await client.patch(f"/tasks/{task.id}", json={"due": None})).json()["due"] is None


@pytest.mark.parametrize("body", [{"title": None}, {"title": ""}, {"completed": None}])
async def test_a_change_to_nothing_is_refused(client, make, body):
    task = await make(Task)

    assert (await client.patch(f"/tasks/{task.id}", json=body)).status_code == 422


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize(("task_id", "status"), [(1, 404), (0, 422), (2**31, 422)])
async def test_an_id_that_names_nothing(client, method, task_id, status):
    options = {"json": {"title": "new"}} if method == "PATCH" else {}

    response = await client.request(method, f"/tasks/{task_id}", **options)

    assert response.status_code == status


async def test_a_task_is_deleted_once(client, make):
    task = await make(Task)

    assert (await client.delete(f"/tasks/{task.id}")).status_code == 204
    assert (await client.delete(f"/tasks/{task.id}")).status_code == 404
    assert (await client.get(f"/tasks/{task.id}")).status_code == 404


async def test_a_list_takes_one_statement(client, make, queries):
    await make(Task, 10)

    with queries.exactly(1):
        await client.get("/tasks/")
