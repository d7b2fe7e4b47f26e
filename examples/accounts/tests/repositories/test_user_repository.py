"""The repository on the database. Each test is one transaction that is rolled back."""

import pytest
from app.core.exceptions import ConflictError
from app.models.user import User
from app.repositories.user import UserRepository
from psycopg.errors import CheckViolation
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

pytestmark = pytest.mark.isolation("rollback")


@pytest.fixture
def users(db_session):
    return UserRepository(db_session)


def new_user(email="ann@example.com"):
    return User(email=email, name="Ann", hashed_password="a hash")


async def test_a_user_is_found_by_id(users, session_factory):
    async with session_factory() as other:
        ann, bob = new_user(), new_user("bob@example.com")
        other.add_all([ann, bob])
        await other.commit()

    assert (await users.get(ann.id)).email == "ann@example.com"
    assert (await users.get(bob.id)).email == "bob@example.com"


async def test_an_unknown_id_is_nobody(users):
    assert await users.get(12345) is None


@pytest.mark.parametrize("email", ["ann@example.com", "Ann@Example.COM"])
async def test_a_user_is_found_by_e_mail_address_in_any_case(users, make, email):
    ann = await make(User, email="ann@example.com")

    assert await users.find_by_email(email) is ann


async def test_an_unknown_e_mail_address_is_nobody(users, make):
    await make(User)

    assert await users.find_by_email("bob@example.com") is None


async def test_an_added_user_has_an_id_and_is_no_administrator(users, db_session):
    ann = await users.add(new_user())
    db_session.expunge_all()

    stored = await users.get(ann.id)
    assert (stored.email, stored.is_admin) == ("ann@example.com", False)


async def test_a_committed_user_is_seen_by_others(users, session_factory):
    ann = await users.add(new_user())
    await users.commit()

    async with session_factory() as other:
        assert (await other.get(User, ann.id)).email == "ann@example.com"


@pytest.mark.isolation("reset")
async def test_a_user_who_is_not_committed_is_seen_by_nobody_else(users, session_factory):
    ann = await users.add(new_user())

    async with session_factory() as other:
        assert await other.get(User, ann.id) is None


async def test_a_taken_e_mail_address_is_a_conflict(users, make):
    await make(User, email="ann@example.com")

    with pytest.raises(ConflictError, match=r"^ann@example\.com is registered already\.$"):
        await users.add(new_user("ann@example.com"))


async def test_the_database_refuses_an_upper_case_address(users):
    with pytest.raises(IntegrityError) as caught:
        await users.add(new_user("Ann@example.com"))

    assert isinstance(caught.value.orig, CheckViolation)


async def test_a_conflict_undoes_its_savepoint_and_nothing_else(users, db_session):
    async def add_bob_and_ann_again():
        async with users.savepoint():
            await users.add(new_user("bob@example.com"))
            await users.add(new_user("ann@example.com"))

    await users.add(new_user("ann@example.com"))
    with pytest.raises(ConflictError):
        await add_bob_and_ann_again()
    await users.add(new_user("cem@example.com"))
    await users.commit()

    emails = await db_session.scalars(select(User.email).order_by(User.id))
    assert emails.all() == ["ann@example.com", "cem@example.com"]


async def test_a_savepoint_is_undone_with_the_one_around_it(users):
    async def add_and_fail():
        async with users.savepoint():
            async with users.savepoint():
                await users.add(new_user("ann@example.com"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await add_and_fail()

    assert await users.find_by_email("ann@example.com") is None
