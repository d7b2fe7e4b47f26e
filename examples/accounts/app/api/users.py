from typing import Annotated

from fastapi import APIRouter, Body, Depends

from app.api.dependencies import CurrentUser, Service, UserId, get_admin, get_reader
from app.schemas.envelope import Success, failures
from app.schemas.user import Imported, UserCreate, UserOut

router = APIRouter(tags=["users"])


@router.get("/me", responses=failures(401))
async def me(user: CurrentUser) -> Success[UserOut]:
    return Success(data=UserOut.model_validate(user))


@router.get(
    "/{user_id}",
    dependencies=[Depends(get_reader)],
    responses=failures(401, 403, 404, 422),
)
async def read_user(user_id: UserId, service: Service) -> Success[UserOut]:
    user = await service.get(user_id)
    return Success(data=UserOut.model_validate(user))


@router.post(
    "/import",
    dependencies=[Depends(get_admin)],
    responses=failures(401, 403, 409, 422, 503),
)
async def import_users(
    rows: Annotated[list[UserCreate], Body(max_length=1000)],
    service: Service,
    *,
    strict: bool = False,
) -> Success[Imported]:
    return Success(data=await service.import_users(rows, strict=strict))
