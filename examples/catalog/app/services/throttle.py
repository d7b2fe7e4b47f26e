"""Who guesses passwords has to wait. Without Redis nobody has: a shop that can't count still sells."""

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

    async def check(self, username: str) -> None:
        try:
            count = int(await self.redis.get(self._key(username)) or 0)
        except RedisError:
            log.warning("logins aren't throttled: Redis doesn't answer")
            return
        if count >= self.attempts:
            raise TooManyAttemptsError(
                "Too many attempts: try again later.", {"Retry-After": str(self.pause)}
            )

    async def failed(self, username: str) -> None:
        """Count an attempt; the pause begins anew with each."""
        try:
            async with self.redis.pipeline() as pipeline:
                pipeline.incr(self._key(username))
                pipeline.expire(self._key(username), self.pause)
                await pipeline.execute()
        except RedisError:
            log.warning("a failed login isn't counted: Redis doesn't answer")

    async def forget(self, username: str) -> None:
        try:
            await self.redis.delete(self._key(username))
        except RedisError:
            log.warning("failed logins aren't forgotten: Redis doesn't answer")

    def _key(self, username: str) -> str:
        return f"login:{username}"
