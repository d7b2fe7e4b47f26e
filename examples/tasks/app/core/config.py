"""The settings: from the environment, or from a file `.env`."""

from functools import lru_cache

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_prefix="TASKS_")

    database_url: str = "postgresql+asyncpg://tasks@localhost/tasks"
    secret_key: SecretStr = Field(min_length=32)
    token_minutes: int = 30
    mail_host: str = "smtp.example.com"
    mail_from: str = "tasks@example.com"
    webhook_url: str = "https://hooks.example.com/tasks"


@lru_cache
def get_settings() -> Settings:
    return Settings()
