"""Who guesses passwords has to wait. Without Redis nobody has: a shop that can't count still sells.

Guesses are counted by user name, wherever they come from: who guesses on purpose keeps that user out.
"""

import logging

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.core.config import Settings
from app.core.errors import TooManyAttemptsError

log = logging.getLogger(__name__)


class Throttle:
    def __init__(self, redis: Redis, settings: Settings) -> None:
        self.redis = redis
        self.attempts = settings.login_attempts
        self.pause = settings.login_pause_minutes * 60

    async def count(self, username: str) -> None:
        """Before the password is looked at: of guesses at once, each has a number of its own.

        The pause begins anew with each guess, but not with those that are refused.
        """
        key = self._key(username)
        try:
            async with self.redis.pipeline() as pipeline:
                pipeline.set(key, 0, ex=self.pause, nx=True)
                pipeline.incr(key)
                pipeline.ttl(key)
                _, number, left = await pipeline.execute()
            if number <= self.attempts:
                await self.redis.expire(key, self.pause)
        except RedisError:
            log.warning("logins aren't throttled: Redis doesn't answer")
            return
        if number > self.attempts:
            raise TooManyAttemptsError(
                "Too many attempts: try again later.", {"Retry-After": str(left)}
            )

    async def forget(self, username: str) -> None:
        try:
            await self.redis.delete(self._key(username))
        except RedisError:
            log.warning("failed logins aren't forgotten: Redis doesn't answer")

    def _key(self, username: str) -> str:
        return f"login:{username}"
