"""The service on the real database; only the mail is faked."""

from unittest.mock import Mock, create_autospec

import pytest
from app.core.exceptions import (
    CommonPasswordError,
    ConflictError,
    InvalidCredentialsError,
    NotFoundError,
    UnavailableError,
)
from app.core.security import hash_password, hasher, verify_password
from app.models.user import User
from app.repositories.user import UserRepository
from app.schemas.user import UserCreate
from app.services.user import UserService
from psycopg.errors import DiskFull
from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

PASSWORD = "Correct-Horse-1"
ANN = UserCreate(email="Ann@Example.com", password=PASSWORD, name="Ann")


@pytest.fixture
def service(db_session):
    return UserService(UserRepository(db_session), frozenset({"Password123!"}))


async def test_a_registered_user_is_committed(service, mailbox, session_factory):
    ann = await service.register(ANN)

    async with session_factory() as other:
        stored = await other.get_one(User, ann.id)
    assert (stored.email, stored.name) == ("ann@example.com", "Ann")


async def test_a_password_is_stored_as_a_hash(service, mailbox):
    ann = await service.register(ANN)

    assert PASSWORD not in ann.hashed_password
    assert await verify_password(PASSWORD, ann.hashed_password)


async def test_a_registered_user_is_welcomed_by_mail(service, mailbox):
    await service.register(ANN)

    mail = mailbox.only
    assert mail.sender == "accounts@example.com"
    assert mail.recipients == ("ann@example.com",)
    assert mail.subject == "Welcome"
    assert mail.text.strip() == "Welcome, Ann: your account is ready."


async def test_a_mail_server_that_is_down_loses_no_registration(
    service, mailbox, db_session, caplog
):
    mailbox.fails()

    ann = await service.register(ANN)

    assert await db_session.scalar(select(func.count()).select_from(User)) == 1
    assert caplog.messages == [f"The welcome of user {ann.id} wasn't sent."]


async def test_a_taken_e_mail_address_is_a_conflict_and_gets_no_mail(service, mailbox, make):
    await make(User, email="ann@example.com")

    with pytest.raises(ConflictError, match=r"^ann@example\.com is registered already\.$"):
        await service.register(ANN)

    assert len(mailbox) == 0


async def test_nobody_is_registered_with_a_common_password(service, mailbox, db_session):
    data = UserCreate(email="ann@example.com", password="Password123!", name="Ann")

    with pytest.raises(CommonPasswordError):
        await service.register(data)

    assert await db_session.scalar(select(func.count()).select_from(User)) == 0
    assert len(mailbox) == 0


async def test_a_service_needs_a_repository_and_no_more(db_session, mailbox):
    service = UserService(UserRepository(db_session))

    assert (await service.register(ANN)).email == "ann@example.com"
    with pytest.raises(CommonPasswordError):
        await service.register(ANN.model_copy(update={"password": SecretStr("Password123!")}))


async def test_nobody_is_welcomed_whom_the_database_did_not_keep(mailbox):
    """The one mocked repository: no real database has a full disk when a test wants one."""
    users = create_autospec(UserRepository, instance=True)
    users.commit.side_effect = OperationalError("COMMIT", None, DiskFull())

    with pytest.raises(UnavailableError):
        await UserService(users, frozenset()).register(ANN)

    assert len(mailbox) == 0


@pytest.mark.parametrize("email", ["ann@example.com", "ANN@example.com"])
async def test_a_user_is_authenticated_by_password(service, make, email):
    hashed = await hash_password(PASSWORD)
    ann = await make(User, email="ann@example.com", hashed_password=hashed)

    assert await service.authenticate(email, PASSWORD) is ann


@pytest.mark.parametrize(
    ("email", "password"),
    [("ann@example.com", "Wrong-Horse-1"), ("bob@example.com", PASSWORD)],
    ids=["wrong password", "unknown address"],
)
async def test_a_wrong_login_does_not_tell_what_was_wrong(service, make, email, password):
    hashed = await hash_password(PASSWORD)
    await make(User, email="ann@example.com", hashed_password=hashed)

    with pytest.raises(InvalidCredentialsError, match=r"^Wrong e-mail address or password\.$"):
        await service.authenticate(email, password)


@pytest.mark.parametrize("email", ["ann@example.com", "bob@example.com"])
async def test_a_login_verifies_one_hash_whoever_tries(service, make, monkeypatch, email):
    await make(User, email="ann@example.com", hashed_password=await hash_password(PASSWORD))
    verify = Mock(wraps=hasher.verify)
    monkeypatch.setattr(hasher, "verify", verify)

    with pytest.raises(InvalidCredentialsError):
        await service.authenticate(email, "Wrong-Horse-1")

    assert verify.call_count == 1


async def test_a_user_is_had_by_id(service, session_factory, make):
    async with session_factory() as other:
        ann = User(email="ann@example.com", name="Ann", hashed_password="a hash")
        other.add(ann)
        await other.commit()
    await make(User)

    assert (await service.get(ann.id)).email == "ann@example.com"


async def test_an_unknown_id_is_not_found(service):
    with pytest.raises(NotFoundError, match=r"^There is no user 12345\.$"):
        await service.get(12345)
