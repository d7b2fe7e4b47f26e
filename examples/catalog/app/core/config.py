"""The settings: from the environment, or from a file `.env`."""

from functools import lru_cache

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_prefix="CATALOG_")

    database_url: str = "postgresql+asyncpg://catalog@localhost/catalog"
    redis_url: str = "redis://localhost:6379/0"
    session_hours: int = 12
    login_attempts: int = 5
    login_pause_minutes: int = 15
    rates_url: str = "https://rates.example.com/latest"
    rates_tries: int = 3
    rates_pause: float = 0.1
    rates_kept_minutes: int = 60


@lru_cache
def get_settings() -> Settings:
    return Settings()
