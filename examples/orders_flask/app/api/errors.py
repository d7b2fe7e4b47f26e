"""Every error is JSON, of one shape."""

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException

from app.services.email import EmailError
from app.services.errors import ConflictError


def say_what_is_wrong(error: HTTPException) -> Response:
    response = jsonify({"detail": error.description})
    response.status_code = error.code
    for name, value in error.get_headers():
        if name != "Content-Type":
            response.headers.add(name, value.strip())
    return response


def say_what_stands_against_it(error: ConflictError) -> tuple[Response, int]:
    return jsonify({"detail": str(error)}), 409


def say_that_mail_is_down(error: EmailError) -> tuple[Response, int]:
    return jsonify({"detail": "No mail can be sent: try again."}), 503


def register(app: Flask) -> None:
    app.register_error_handler(HTTPException, say_what_is_wrong)
    app.register_error_handler(ConflictError, say_what_stands_against_it)
    app.register_error_handler(EmailError, say_that_mail_is_down)
