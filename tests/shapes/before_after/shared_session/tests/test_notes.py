import pytest
from main import Note
from sqlalchemy import func, select

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_there_is_nothing_at_first(client):
    assert (await client.get("/notes")).json() == []


async def test_a_note_is_created(client, db_session):
    response = await client.post("/notes", params={"text": "call home"})
    assert response.status_code == 201
    assert response.json()["text"] == "call home"
    assert await db_session.scalar(select(func.count()).select_from(Note)) == 1


async def test_a_note_is_listed(client, note):
    assert (await client.get("/notes")).json() == ["buy milk"]


async def test_a_note_is_deleted(client, note, db_session):
    assert (await client.delete(f"/notes/{note.id}")).status_code == 204
    assert await db_session.scalar(select(func.count()).select_from(Note)) == 0


async def test_an_unknown_note_is_not_found(client):
    assert (await client.delete("/notes/9999")).status_code == 404
