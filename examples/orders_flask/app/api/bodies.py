"""Bodies of requests, and of answers."""

from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel

from app.schemas import Data

Model = TypeVar("Model", bound=BaseModel)


def body(model: type[Model]) -> Model:
    return model.model_validate_json(request.get_data())


def answer(model: Any, value: object, status: int = 200) -> tuple[dict[str, Any], int]:
    return Data[model].model_validate({"data": value}).model_dump(mode="json"), status
