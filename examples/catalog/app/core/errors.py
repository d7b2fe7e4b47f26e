"""What can go wrong, and the one shape in which it is told."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from app.schemas.errors import Detail, Error, ErrorOut

CODES = {
    401: "UNAUTHORIZED",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
}


class CatalogError(Exception):
    """Anything that this service refuses on purpose."""

    status = 400
    code = "BAD_REQUEST"

    def __init__(self, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.headers = headers


class NotFoundError(CatalogError):
    status = 404
    code = "NOT_FOUND"


class ConflictError(CatalogError):
    status = 409
    code = "CONFLICT"


class UnauthorizedError(CatalogError):
    status = 401
    code = "UNAUTHORIZED"


class TooManyAttemptsError(CatalogError):
    status = 429
    code = "TOO_MANY_ATTEMPTS"


class RatesUnavailableError(CatalogError):
    status = 503
    code = "RATES_UNAVAILABLE"


def answer(
    status: int,
    code: str,
    message: str,
    details: Sequence[Detail] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body = ErrorOut(error=Error(code=code, message=message, details=list(details)))
    return JSONResponse(body.model_dump(), status, headers)


async def on_catalog_error(request: Request, error: CatalogError) -> JSONResponse:
    return answer(error.status, error.code, error.message, headers=error.headers)


async def on_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    details = [Detail(loc=list(one["loc"]), message=one["msg"]) for one in error.errors()]
    return answer(422, "VALIDATION_ERROR", "The request isn't valid.", details)


async def on_http_error(request: Request, error: HTTPException) -> JSONResponse:
    code = CODES.get(error.status_code, HTTPStatus(error.status_code).name)
    return answer(error.status_code, code, error.detail, headers=error.headers)


def add_error_handlers(app: FastAPI) -> None:
    app.exception_handler(CatalogError)(on_catalog_error)
    app.exception_handler(RequestValidationError)(on_invalid)
    app.exception_handler(HTTPException)(on_http_error)
