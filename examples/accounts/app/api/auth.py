from typing import Annotated

from fastapi import APIRouter, Form

from app.api.dependencies import Service
from app.core.security import create_access_token
from app.schemas.envelope import Success, failures
from app.schemas.user import Credentials, Token, UserCreate, UserOut

router = APIRouter(tags=["auth"])


@router.post("/register", status_code=201, responses=failures(409, 422, 503))
async def register(data: UserCreate, service: Service) -> Success[UserOut]:
    user = await service.register(data)
    return Success(data=UserOut.model_validate(user))


@router.post("/login", responses=failures(401, 422))
async def log_in(form: Annotated[Credentials, Form()], service: Service) -> Token:
    """The token comes without the envelope, as OAuth2 wants it."""
    user = await service.authenticate(form.username, form.password.get_secret_value())
    return Token(access_token=create_access_token(user.id))
