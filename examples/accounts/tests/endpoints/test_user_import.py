import pytest
from app.core.security import hasher
from app.models.user import User
from app.schemas.user import UserCreate
from sqlalchemy import func, select, text

IMPORT = "/api/v1/users/import"
WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND state = 'idle in transaction'"
)


@pytest.fixture
def rows(make):
    return [make.payload(UserCreate, email=f"{name}@example.com") for name in ("bob", "cem", "bob")]


async def test_a_duplicate_is_skipped_and_named(auth_client, user, rows, db_session):
    response = await auth_client.post(IMPORT, json=rows)

    assert response.status_code == 200
    assert response.json() == {
        "success": True,
        "data": {"created": 2, "skipped": ["bob@example.com"]},
        "error": None,
    }
    emails = await db_session.scalars(select(User.email).order_by(User.id))
    assert emails.all() == [user.email, "bob@example.com", "cem@example.com"]


async def test_a_strict_import_of_a_duplicate_is_a_conflict_and_leaves_nothing(
    auth_client, user, rows, db_session
):
    response = await auth_client.post(IMPORT, params={"strict": True}, json=rows)

    assert response.status_code == 409
    assert response.json()["error"]["code"] == "CONFLICT"
    assert (await db_session.scalars(select(User))).all() == [user]


async def test_a_common_password_is_refused(auth_client, user, rows, db_session):
    rows[1]["password"] = "Password123!"

    response = await auth_client.post(IMPORT, json=rows)

    assert response.status_code == 422
    assert response.json()["error"] == {
        "code": "PASSWORD_TOO_COMMON",
        "message": "Everybody tries the password of cem@example.com first.",
        "fields": [],
    }
    assert (await db_session.scalars(select(User))).all() == [user]


async def test_no_transaction_waits_while_passwords_are_hashed(
    auth_client, rows, session_factory, monkeypatch
):
    waiting = []

    def hash_password(password):
        with session_factory(blocking=True) as session:
            waiting.append(session.scalar(WAITING))
        return "a hash"

    monkeypatch.setattr(hasher, "hash", hash_password)

    await auth_client.post(IMPORT, json=rows)

    assert waiting == [0, 0, 0]


async def test_only_administrators_import(client, make, rows, db_session):
    ann = await make(User)

    response = await client.as_user(ann).post(IMPORT, json=rows)

    assert response.status_code == 403
    assert response.json()["error"] == {
        "code": "FORBIDDEN",
        "message": "Only administrators may do that.",
        "fields": [],
    }
    assert await db_session.scalar(select(func.count()).select_from(User)) == 1


async def test_a_field_is_named_by_its_row(auth_client, rows):
    rows[1]["email"] = "nobody"

    response = await auth_client.post(IMPORT, json=rows)

    assert response.status_code == 422
    assert [each["field"] for each in response.json()["error"]["fields"]] == ["1.email"]


async def test_more_than_a_thousand_are_refused(auth_client, make):
    rows = [make.payload(UserCreate)] * 1001

    assert (await auth_client.post(IMPORT, json=rows)).status_code == 422
