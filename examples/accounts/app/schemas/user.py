from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    SecretStr,
    StringConstraints,
)
from pydantic_core import PydanticCustomError


def check_password(password: SecretStr) -> SecretStr:
    text = password.get_secret_value()
    needed = {
        "an upper-case letter": any(c.isupper() for c in text),
        "a lower-case letter": any(c.islower() for c in text),
        "a digit": any(c.isdigit() for c in text),
        "a special character": any(not c.isalnum() for c in text),
    }
    missing = [what for what, is_there in needed.items() if not is_there]
    if missing:
        raise PydanticCustomError("weak_password", f"The password needs {', '.join(missing)}.")
    return password


Email = Annotated[EmailStr, AfterValidator(str.lower)]
Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]
Password = Annotated[
    SecretStr,
    Field(min_length=10, max_length=128, examples=["Correct-Horse-1"]),
    AfterValidator(check_password),
]


class UserCreate(BaseModel):
    email: Email
    password: Password
    name: Name


class UserOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    email: str
    name: str


class Imported(BaseModel):
    created: int
    skipped: list[str]


class Credentials(BaseModel):
    """The form of OAuth2's password flow; the username is an e-mail address."""

    username: Annotated[str, Field(max_length=320, pattern=r"^[^\x00]+$")]
    password: Annotated[SecretStr, Field(max_length=128)]


class Token(BaseModel):
    access_token: str
    token_type: str = "bearer"
