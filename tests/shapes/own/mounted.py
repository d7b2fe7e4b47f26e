"""Mounted apps, each with its overrides."""

import main
import pytest


@pytest.mark.parametrize("attempt", [1, 2])
async def test_the_mounted_apps_share_the_database(client, attempt):
    await client.post("/items/lamp")
    assert (await client.get("/admin/items")).json() == ["nobody", "lamp"]


async def test_an_override_reaches_the_mounted_app(client, overrides):
    overrides[main.current_user] = lambda: "ada"
    assert (await client.get("/admin/items")).json() == ["ada"]


async def test_the_override_is_gone(client):
    assert (await client.get("/admin/items")).json() == ["nobody"]
