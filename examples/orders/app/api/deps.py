"""Who is asking, and what he asks for."""

from typing import Annotated

from fastapi import Depends, HTTPException, Path
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.config import get_settings
from app.database import Db
from app.models import Order, User
from app.security import read_access_token

bearer = HTTPBearer()

Id = Annotated[int, Path(ge=1, le=2**31 - 1)]


def get_current_user(
    db: Db, credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]
) -> User:
    user_id = read_access_token(credentials.credentials)
    user = db.get(User, user_id) if user_id is not None else None
    if user is None:
        raise HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]


def get_admin(me: CurrentUser) -> User:
    if not me.is_admin:
        raise HTTPException(403, "That is for admins.")
    return me


Admin = Annotated[User, Depends(get_admin)]


def get_user(user_id: Id, db: Db, me: CurrentUser) -> User:
    user = db.get(User, user_id)
    if user is None:
        raise HTTPException(404, "There is no such user.")
    if user.id != me.id and not me.is_admin:
        raise HTTPException(403, "That is somebody else.")
    return user


OneUser = Annotated[User, Depends(get_user)]


def get_order(order_id: Id, db: Db, me: CurrentUser) -> Order:
    order = db.get(Order, order_id)
    if order is None:
        raise HTTPException(404, "There is no such order.")
    if order.user_id != me.id and not me.is_admin:
        raise HTTPException(403, "That is somebody else's order.")
    return order


OneOrder = Annotated[Order, Depends(get_order)]


def get_limit() -> int:
    """How many open orders a user may have."""
    return get_settings().open_orders


Limit = Annotated[int, Depends(get_limit)]
