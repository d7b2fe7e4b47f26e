"""Listeners fire on the test database's connections as on the real one's."""

import pytest


@pytest.mark.parametrize("attempt", [1, 2])
async def test_listeners_are_called(client, attempt):
    await client.post("/items/lamp")
    found = (await client.get("/audit")).json()
    assert found == {"what": ["lamp"], "setting": found["setting"], "begun": True}
    assert found["setting"] in {"1", "shop"}
