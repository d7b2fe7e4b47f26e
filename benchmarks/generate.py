"""Write a suite of so many tests, with one way of isolating them."""

from __future__ import annotations

import shutil
from pathlib import Path

HERE = Path(__file__).parent
RECIPES = HERE / "recipes"
GENERATED = HERE / "_generated"

GREENROOM = "greenroom"
FLOOR = "floor"
PEER = "pytest_sqla"
CONFTESTS = (
    "connection_transaction",
    "create_savepoint",
    "delete_per_test",
    "drop_create",
    PEER,
)

_TEST = """
async def test_{number}(client, db_session):
    created = await client.post("/items", json={{"name": "n{number}"}})
    assert created.status_code == 201
    read = await client.get(f"/items/{{created.json()['id']}}")
    assert read.json() == {{"id": created.json()["id"], "name": "n{number}"}}
{third}    assert await db_session.scalar(select(func.count()).select_from(Item)) == 1
"""
_THIRD = """    listed = await client.get("/items")
    assert len(listed.json()) == 1
"""
_SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_test_loop_scope = session
asyncio_default_fixture_loop_scope = session
"""


def generate(kind: str, count: int, name: str | None = None) -> Path:
    """Write the suite and give back its folder.

    Every second test sends three requests, the others two; each ends with one database assertion.
    All kinds run on session loops, the fastest setting of pytest-asyncio.

    :param name: what the folder is called, if not as its kind.
    """
    folder = GENERATED / f"{name or kind}-{count}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(RECIPES / "app.py", folder / "main.py")
    if kind == FLOOR:
        shutil.copy(RECIPES / "floor.py", folder / "floor.py")
        return folder
    (folder / "pytest.ini").write_text(_SETTINGS, encoding="utf-8")
    if kind != GREENROOM:
        shutil.copy(RECIPES / f"{kind}.py", folder / "conftest.py")
    tests = [
        _TEST.format(number=number, third=_THIRD if number % 2 else "") for number in range(count)
    ]
    head = "from main import Item\nfrom sqlalchemy import func, select\n"
    (folder / "test_generated.py").write_text(head + "".join(tests), encoding="utf-8")
    return folder
