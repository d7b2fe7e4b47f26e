"""Nested transactions: a savepoint for the whole import, and one for each user of it."""

import pytest
from app.core.exceptions import CommonPasswordError, ConflictError
from app.models.user import User
from app.repositories.user import UserRepository
from app.schemas.user import Imported, UserCreate
from app.services.user import UserService
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.exc import DataError


@pytest.fixture
def service(db_session):
    return UserService(UserRepository(db_session), frozenset({"Password123!"}))


@pytest.fixture
def stored(session_factory):
    """The addresses that are committed, as another session sees them."""

    async def read():
        async with session_factory() as session:
            return list(await session.scalars(select(User.email).order_by(User.email)))

    return read


def row(name):
    return UserCreate(email=f"{name}@example.com", password="Correct-Horse-1", name=name)


async def test_all_users_are_imported(service, stored):
    imported = await service.import_users([row("ann"), row("bob")])

    assert imported == Imported(created=2, skipped=[])
    assert await stored() == ["ann@example.com", "bob@example.com"]


async def test_a_duplicate_is_undone_and_the_rest_stays(service, stored):
    imported = await service.import_users([row("ann"), row("bob"), row("ann"), row("cem")])

    assert imported == Imported(created=3, skipped=["ann@example.com"])
    assert await stored() == ["ann@example.com", "bob@example.com", "cem@example.com"]


async def test_a_user_who_is_there_already_is_left_as_he_is(service, make):
    ann = await make(User, email="ann@example.com", name="Ann the first")

    imported = await service.import_users([row("ann")])

    assert imported == Imported(created=0, skipped=["ann@example.com"])
    assert ann.name == "Ann the first"


async def test_a_duplicate_undoes_the_whole_of_a_strict_import(service, db_session, stored):
    with pytest.raises(ConflictError, match=r"^ann@example\.com is registered already\.$"):
        await service.import_users([row("ann"), row("bob"), row("ann")], strict=True)
    await db_session.commit()

    assert await stored() == []


async def test_what_the_caller_did_before_a_strict_import_is_not_undone(
    service, db_session, make, stored
):
    await make(User, email="zoe@example.com")

    with pytest.raises(ConflictError):
        await service.import_users([row("ann"), row("ann")], strict=True)
    await db_session.commit()

    assert await stored() == ["zoe@example.com"]


async def test_any_other_error_undoes_the_whole_import(service, db_session, stored):
    too_long = row("bob").model_copy(update={"name": "b" * 101})

    with pytest.raises(DataError):
        await service.import_users([row("ann"), too_long])
    await db_session.commit()

    assert await stored() == []


async def test_a_common_password_refuses_the_whole_import(service, stored):
    common = row("bob").model_copy(update={"password": SecretStr("Password123!")})

    with pytest.raises(CommonPasswordError, match=r"^Everybody tries the password of bob@"):
        await service.import_users([row("ann"), common])

    assert await stored() == []


async def test_who_is_imported_gets_no_mail(service, mailbox):
    await service.import_users([row("ann")])

    assert len(mailbox) == 0
