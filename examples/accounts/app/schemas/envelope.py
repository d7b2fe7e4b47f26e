"""What every answer is wrapped in."""

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class FieldProblem(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    code: str
    message: str
    fields: list[FieldProblem] = []


class Success(BaseModel, Generic[T]):
    success: Literal[True] = True
    data: T
    error: None = None


class Failure(BaseModel):
    success: Literal[False] = False
    data: None = None
    error: Problem


def failures(*statuses: int) -> dict[int | str, dict[str, object]]:
    """For `responses=`: those statuses are answered by a `Failure`."""
    return {status: {"model": Failure} for status in statuses}
