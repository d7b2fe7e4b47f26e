from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from app.api import auth, orders, users
from app.database import Base, engine
from app.services.email import EmailError
from app.services.errors import ConflictError


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    Base.metadata.create_all(engine)
    yield
    engine.dispose()


app = FastAPI(title="orders", lifespan=lifespan)
app.include_router(auth.router)
app.include_router(users.router)
app.include_router(orders.router)


@app.exception_handler(RequestValidationError)
def say_what_is_invalid(request: Request, error: RequestValidationError) -> JSONResponse:
    """As FastAPI does, but without the input: it may hold a password."""
    detail = [{name: one[name] for name in ("loc", "msg", "type")} for one in error.errors()]
    return JSONResponse({"detail": detail}, 422)


@app.exception_handler(ConflictError)
def say_what_stands_against_it(request: Request, error: ConflictError) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 409)


@app.exception_handler(EmailError)
def say_that_mail_is_down(request: Request, error: EmailError) -> JSONResponse:
    return JSONResponse({"detail": "No mail can be sent: try again."}, 503)
