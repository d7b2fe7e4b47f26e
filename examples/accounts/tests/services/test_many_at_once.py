"""Registrations at the same time, each with a session of its own, as requests have them."""

import asyncio

from app.core.exceptions import ConflictError
from app.core.security import get_common_passwords
from app.models.user import User
from app.repositories.user import UserRepository
from app.schemas.user import UserCreate
from app.services.user import UserService
from sqlalchemy import select


async def test_of_two_with_the_same_address_exactly_one_wins(session_factory, mailbox, db_session):
    emails = [f"user-{n}@example.com" for n in range(19)] + ["user-7@example.com"]

    async def register(email):
        data = UserCreate(email=email, password="Correct-Horse-1", name="Somebody")
        async with session_factory() as session:
            service = UserService(UserRepository(session), get_common_passwords())
            return await service.register(data)

    results = await asyncio.gather(*map(register, emails), return_exceptions=True)

    lost = [result for result in results if not isinstance(result, User)]
    assert [(type(error), str(error)) for error in lost] == [
        (ConflictError, "user-7@example.com is registered already.")
    ]
    stored = await db_session.scalars(select(User.email))
    assert sorted(stored) == sorted(emails[:19])
    assert sorted(mail.recipients[0] for mail in mailbox) == sorted(emails[:19])
