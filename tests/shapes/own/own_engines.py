"""What works beside the requests is isolated as they are."""

import pytest


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("way", ["scheduled", "later", "thread"])
async def test_an_engine_of_its_own_leads_to_the_same_database(client, way, attempt):
    assert (await client.get("/items")).json() == []
    await client.post(f"/{way}/lamp")
    assert (await client.get("/items")).json() == ["lamp"]


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("way", ["scheduled", "later", "thread"])
def test_the_same_in_a_def_test(client, way, attempt):
    assert client.get("/items").json() == []
    client.post(f"/{way}/lamp")
    assert client.get("/items").json() == ["lamp"]
