"""The command drops the tables, so each test has a database of its own: a clone."""

import pytest
from app.maintenance import rebuild
from app.models.user import User
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

pytestmark = pytest.mark.isolation("clone")


def new_user():
    return User(email="ann@example.com", name="Ann", hashed_password="a hash")


@pytest.fixture
async def old_user(session_factory):
    async with session_factory() as session, session.begin():
        session.add(new_user())


async def test_a_rebuild_loses_all_users(old_user, db_session):
    await rebuild()

    assert await db_session.scalar(select(func.count()).select_from(User)) == 0


async def test_ids_begin_anew_after_a_rebuild(old_user, db_session):
    await rebuild()

    user = new_user()
    db_session.add(user)
    await db_session.flush()

    assert user.id == 1


async def test_addresses_are_still_unique_after_a_rebuild(old_user, db_session):
    await rebuild()

    db_session.add_all([new_user(), new_user()])

    with pytest.raises(IntegrityError, match="users_email_key"):
        await db_session.flush()
