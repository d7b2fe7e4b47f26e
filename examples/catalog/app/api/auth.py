from fastapi import APIRouter

from app.api.deps import Auth, Bearer, CurrentUser, LoginThrottle
from app.models import User
from app.schemas.auth import LoginIn, LoginOut, UserOut
from app.schemas.errors import errors

router = APIRouter(prefix="/api/v1/auth", tags=["auth"])


@router.post("/login", responses=errors(401, 422, 429))
async def log_in(data: LoginIn, auth: Auth, throttle: LoginThrottle) -> LoginOut:
    return await auth.log_in(data, throttle)


@router.post("/logout", status_code=204, responses=errors(401))
async def log_out(user: CurrentUser, bearer: Bearer, auth: Auth) -> None:
    await auth.log_out(bearer.credentials)


@router.get("/me", response_model=UserOut, responses=errors(401))
async def read_me(user: CurrentUser) -> User:
    return user
