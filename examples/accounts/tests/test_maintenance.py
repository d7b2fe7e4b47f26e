"""The command makes and drops tables, so each test has a database of its own: a clone."""

import pytest
from app.core.database import engine
from app.maintenance import main
from app.models.base import Base
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


async def users_of(db_session):
    return await db_session.scalar(select(func.count()).select_from(User))


async def test_create_makes_the_tables(db_session):
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)

    await main(["create"])

    assert await users_of(db_session) == 0


async def test_create_leaves_the_users_who_are_there(old_user, db_session):
    await main(["create"])

    assert await users_of(db_session) == 1


async def test_a_rebuild_wants_a_yes(old_user, db_session, capsys):
    with pytest.raises(SystemExit):
        await main(["rebuild"])

    assert "required: --yes" in capsys.readouterr().err
    assert await users_of(db_session) == 1


async def test_a_rebuild_loses_all_users(old_user, db_session):
    await main(["rebuild", "--yes"])

    assert await users_of(db_session) == 0


async def test_ids_begin_anew_after_a_rebuild(old_user, db_session):
    await main(["rebuild", "--yes"])

    user = new_user()
    db_session.add(user)
    await db_session.flush()

    assert user.id == 1


async def test_addresses_are_still_unique_after_a_rebuild(old_user, db_session):
    await main(["rebuild", "--yes"])

    db_session.add_all([new_user(), new_user()])

    with pytest.raises(IntegrityError, match="users_email_key"):
        await db_session.flush()
