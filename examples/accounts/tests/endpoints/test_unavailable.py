"""A connection that PostgreSQL ends at the commit. Each test has a database of its own for it."""

import pytest
from app.models.user import User
from app.schemas.user import UserCreate
from sqlalchemy import select, text

pytestmark = pytest.mark.isolation("clone")

UNAVAILABLE = {
    "success": False,
    "data": None,
    "error": {
        "code": "UNAVAILABLE",
        "message": "The database doesn't answer: try again.",
        "fields": [],
    },
}
FUNCTION = """
CREATE FUNCTION end_connection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_terminate_backend(pg_backend_pid());
    RETURN NULL;
END $$
"""
TRIGGER = """
CREATE CONSTRAINT TRIGGER end_connection AFTER INSERT ON users
DEFERRABLE INITIALLY {when} FOR EACH ROW EXECUTE FUNCTION end_connection()
"""


@pytest.fixture(params=["DEFERRED", "IMMEDIATE"], ids=["commit", "insert"])
async def no_commits(user, db_session, request):
    """Whoever adds a user loses his connection, when he commits or before."""
    await db_session.execute(text(FUNCTION))
    await db_session.execute(text(TRIGGER.format(when=request.param)))
    await db_session.commit()


async def test_a_registration_that_is_lost_can_be_tried_again(
    client, user, no_commits, make, db_session
):
    response = await client.post("/api/v1/auth/register", json=make.payload(UserCreate))

    assert response.status_code == 503
    assert response.json() == UNAVAILABLE
    assert (await db_session.scalars(select(User))).all() == [user]


async def test_an_import_that_is_lost_can_be_tried_again(
    auth_client, user, no_commits, make, db_session
):
    response = await auth_client.post("/api/v1/users/import", json=[make.payload(UserCreate)])

    assert response.status_code == 503
    assert response.json() == UNAVAILABLE
    assert (await db_session.scalars(select(User))).all() == [user]
