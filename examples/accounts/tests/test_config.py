import pytest
from app.core.config import Settings
from pydantic import ValidationError


def test_a_key_of_less_than_32_characters_is_refused():
    with pytest.raises(ValidationError, match="at least 32"):
        Settings(secret_key="x" * 31)


def test_the_key_is_not_shown():
    assert "x" * 32 not in repr(Settings(secret_key="x" * 32))
