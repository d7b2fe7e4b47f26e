"""Bodies of requests, and of answers."""

from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import UnprocessableEntity

from app.schemas import Data

Model = TypeVar("Model", bound=BaseModel)


def body(model: type[Model]) -> Model:
    """What the request holds. The refusal of another shows no input: it may hold a password."""
    try:
        return model.model_validate_json(request.get_data())
    except ValidationError as error:
        detail = [
            {"loc": ["body", *one["loc"]], "msg": one["msg"], "type": one["type"]}
            for one in error.errors()
        ]
        raise UnprocessableEntity(detail) from None


def answer(model: Any, value: object, status: int = 200) -> tuple[dict[str, Any], int]:
    return Data[model].model_validate({"data": value}).model_dump(mode="json"), status
