"""Every error is JSON, of one shape."""

from flask import Flask, Response, jsonify
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException


def say_what_is_wrong(error: HTTPException) -> Response:
    response = jsonify({"detail": error.description})
    response.status_code = error.code
    for challenge in getattr(error, "www_authenticate", None) or ():
        response.headers.add("WWW-Authenticate", challenge.type.title())
    return response


def say_what_is_invalid(error: ValidationError) -> tuple[Response, int]:
    """Without the input: it may hold a password."""
    detail = [
        {"loc": ["body", *one["loc"]], "msg": one["msg"], "type": one["type"]}
        for one in error.errors()
    ]
    return jsonify({"detail": detail}), 422


def register(app: Flask) -> None:
    app.register_error_handler(HTTPException, say_what_is_wrong)
    app.register_error_handler(ValidationError, say_what_is_invalid)
