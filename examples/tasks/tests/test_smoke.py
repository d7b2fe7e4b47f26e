async def test_the_app_is_healthy(client):
    response = await client.get("/health")

    assert response.status_code == 200
    assert response.json() == {"status": "ok"}


async def test_it_starts_without_tasks(client):
    assert (await client.get("/tasks/")).json() == []
