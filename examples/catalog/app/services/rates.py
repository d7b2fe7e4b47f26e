"""Exchange rates of another service: asked more than once if need be, and kept for a while."""

import logging
from asyncio import sleep
from decimal import Decimal

import httpx2
from pydantic import BaseModel, ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core.config import Settings
from app.core.errors import RatesUnavailableError

log = logging.getLogger(__name__)

BASE = "EUR"


class RatesIn(BaseModel):
    rates: dict[str, Decimal]


class Rates:
    def __init__(self, http: httpx2.AsyncClient, redis: Redis, settings: Settings) -> None:
        self.http = http
        self.redis = redis
        self.settings = settings

    async def of(self, currency: str) -> Decimal:
        """How much of that currency one euro is."""
        if currency == BASE:
            return Decimal(1)
        rate = await self._kept(currency)
        if rate is None:
            rate = await self._asked(currency)
            await self._keep(currency, rate)
        return rate

    async def _kept(self, currency: str) -> Decimal | None:
        try:
            known = await self.redis.get(f"rate:{currency}")
        except RedisError:
            log.warning("a rate isn't looked up: Redis doesn't answer")
            return None
        return None if known is None else Decimal(known)

    async def _keep(self, currency: str, rate: Decimal) -> None:
        seconds = self.settings.rates_kept_minutes * 60
        try:
            await self.redis.set(f"rate:{currency}", str(rate), ex=seconds)
        except RedisError:
            log.warning("a rate isn't kept: Redis doesn't take it")

    async def _asked(self, currency: str) -> Decimal:
        pause = self.settings.rates_pause
        for left in reversed(range(self.settings.rates_tries)):
            try:
                return await self._asked_once(currency)
            except (httpx2.HTTPError, ValidationError, KeyError) as error:
                if not left:
                    raise RatesUnavailableError("There is no exchange rate now.") from error
            await sleep(pause)
            pause *= 2
        raise AssertionError("rates_tries is at least 1")

    async def _asked_once(self, currency: str) -> Decimal:
        response = await self.http.get(
            self.settings.rates_url, params={"base": BASE, "symbols": currency}
        )
        response.raise_for_status()
        return RatesIn.model_validate_json(response.content).rates[currency]
