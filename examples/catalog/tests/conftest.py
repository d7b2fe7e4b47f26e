import pytest
from app.core.security import hash_password
from app.models import User


@pytest.fixture
async def user(make):
    """Who is logged in by `auth_client`, and by the checks: a name and a password."""
    await make(User, username="ann", password_hash=await hash_password("secret"))
    return "ann", "secret"
