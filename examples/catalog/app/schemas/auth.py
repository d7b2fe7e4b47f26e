import datetime as dt
import uuid
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Username = Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[a-z0-9._-]+$")]
Password = Annotated[str, Field(min_length=1, max_length=200)]


class LoginIn(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    username: Username
    password: Password


class LoginOut(BaseModel):
    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_at: dt.datetime


class UserOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    username: str
