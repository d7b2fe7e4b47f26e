"""What the operations are given."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.config import Settings, get_settings
from app.core.resources import Resources
from app.models import User
from app.services.auth import AuthService
from app.services.items import ItemService
from app.services.rates import Rates
from app.services.throttle import Throttle

Config = Annotated[Settings, Depends(get_settings)]


def get_resources(request: Request) -> Resources:
    return request.app.state.resources


Held = Annotated[Resources, Depends(get_resources)]


async def get_session(resources: Held) -> AsyncIterator[AsyncSession]:
    async with resources.sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]


def get_items(session: Session) -> ItemService:
    return ItemService(session)


def get_auth(session: Session, settings: Config) -> AuthService:
    return AuthService(session, settings)


def get_throttle(resources: Held, settings: Config) -> Throttle:
    return Throttle(resources.redis, settings)


def get_rates(resources: Held, settings: Config) -> Rates:
    return Rates(resources.http, resources.redis, settings)


Items = Annotated[ItemService, Depends(get_items)]
Auth = Annotated[AuthService, Depends(get_auth)]
LoginThrottle = Annotated[Throttle, Depends(get_throttle)]
ExchangeRates = Annotated[Rates, Depends(get_rates)]
Bearer = Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]


async def get_current_user(bearer: Bearer, auth: Auth) -> User:
    return await auth.user_of(bearer.credentials)


CurrentUser = Annotated[User, Depends(get_current_user)]
