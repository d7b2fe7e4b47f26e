"""Requests of all kinds, made by schemathesis from the app's OpenAPI document."""

import pytest
import schemathesis
from app.core.security import hasher
from app.main import app
from app.models import User
from hypothesis import settings

schema = schemathesis.openapi.from_asgi("/openapi.json", app)


@pytest.fixture(scope="module")
def ann(client_factory, session_factory):
    with session_factory(blocking=True) as session:
        session.add(User(username="ann", password_hash=hasher.hash("secret")))
        session.commit()
    return client_factory(blocking=True).as_user(("ann", "secret"))


@schema.parametrize()
@settings(max_examples=15, deadline=None, database=None)
def test_whatever_is_asked_is_answered_as_documented(case, fuzz, ann):
    fuzz(case, client=ann)
