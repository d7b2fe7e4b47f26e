"""The other app by a client of the tests' own; each has its overrides."""

import main
import pytest
from fastapi.testclient import TestClient


@pytest.mark.parametrize("attempt", [1, 2])
def test_the_other_app_is_isolated_too(client, attempt):
    with TestClient(main.other) as other:
        assert other.post("/others/lamp").json() == ["acme/lamp"]
    assert client.get("/items").json() == []


def test_each_has_its_overrides(client, overrides):
    overrides[main.tenant] = lambda: "own"
    assert client.get("/tenant").json() == "own"
    with TestClient(main.other) as other:
        assert other.post("/others/lamp").json() == ["acme/lamp"]
