"""Whatever goes wrong is answered in the envelope."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException

from app.core.exceptions import AppError, UnavailableError
from app.schemas.envelope import Failure, FieldProblem, Problem


def answer(status: int, problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(Failure(error=problem).model_dump(), status, headers)


async def on_app_error(request: Request, error: AppError) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else None
    return answer(error.status, Problem(code=error.code, message=error.message), headers)


async def on_http_error(request: Request, error: HTTPException) -> JSONResponse:
    code = HTTPStatus(error.status_code).name
    return answer(error.status_code, Problem(code=code, message=error.detail), error.headers)


async def on_invalid_input(request: Request, error: RequestValidationError) -> JSONResponse:
    """Names the fields, but never repeats what was in them: it may be a password."""
    fields = [
        FieldProblem(field=".".join(map(str, each["loc"][1:])), message=each["msg"])
        for each in error.errors()
    ]
    problem = Problem(code="VALIDATION_ERROR", message="The input is invalid.", fields=fields)
    return answer(422, problem)


async def on_no_database(request: Request, error: OperationalError) -> JSONResponse:
    return await on_app_error(request, UnavailableError("The database doesn't answer: try again."))


async def on_failure(request: Request, error: Exception) -> JSONResponse:
    """What went wrong inside is the log's business."""
    return answer(500, Problem(code="INTERNAL_ERROR", message="Something went wrong here."))


def register_handlers(app: FastAPI) -> None:
    app.add_exception_handler(AppError, on_app_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_invalid_input)
    app.add_exception_handler(OperationalError, on_no_database)
    app.add_exception_handler(Exception, on_failure)
