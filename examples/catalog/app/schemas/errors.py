from typing import Any

from pydantic import BaseModel


class Detail(BaseModel):
    loc: list[str | int]
    message: str


class Error(BaseModel):
    code: str
    message: str
    details: list[Detail]


class ErrorOut(BaseModel):
    error: Error


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an operation's OpenAPI says of its errors."""
    return {status: {"model": ErrorOut} for status in statuses}
