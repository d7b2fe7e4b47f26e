"""The app's own file isn't there after its tests: nobody has touched it."""

from pathlib import Path


async def test_the_configured_file_is_never_made(client):
    await client.post("/items/lamp")
    assert not Path("shop.db").exists()
