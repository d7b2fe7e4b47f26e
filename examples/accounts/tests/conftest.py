import pytest
from app.models.user import User


@pytest.fixture
async def user(make):
    """`auth_client` and the automatic checks ask as him: only an administrator may import."""
    return await make(User, is_admin=True)
