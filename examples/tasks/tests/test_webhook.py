import asyncio

from app.models.task import Task

HOOK = "https://hooks.example.com/tasks"


async def test_a_finished_task_is_told(client, make, outbound):
    task = await make(Task, title="write")
    hook = outbound.post(HOOK).reply(202)

    response = await client.patch(f"/tasks/{task.id}", json={"completed": True})

    assert response.json()["completed"] is True
    assert [call.json for call in hook.calls] == [{"task": task.id, "title": "write"}]


async def test_a_task_is_told_once(client, make, outbound):
    task = await make(Task)
    hook = outbound.post(HOOK).reply(202)

    for _ in range(2):
        await client.patch(f"/tasks/{task.id}", json={"completed": True})

    assert len(hook.calls) == 1


async def test_of_two_changes_at_once_one_tells_it(client, make, outbound):
    task = await make(Task)
    hook = outbound.post(HOOK).reply(202, delay=0.2)
    change = {"completed": True}

    both = await asyncio.gather(*(client.patch(f"/tasks/{task.id}", json=change) for _ in "ab"))

    assert [one.status_code for one in both] == [200, 200]
    assert len(hook.calls) == 1


async def test_a_service_that_is_down_loses_nothing(client, make, outbound):
    task = await make(Task, title="write")
    outbound.post(HOOK).fails().reply(500).reply(200, delay=60).reply(202)
    body = {"completed": True, "title": "done"}

    for _ in range(3):
        assert (await client.patch(f"/tasks/{task.id}", json=body)).status_code == 503
        assert (task.title, task.completed) == ("write", False)

    assert (await client.patch(f"/tasks/{task.id}", json=body)).status_code == 200
    assert (task.title, task.completed) == ("done", True)
