"""The settings: from the environment, or from a file `.env`."""

from functools import lru_cache
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_prefix="ACCOUNTS_")

    database_url: str = "postgresql+psycopg://accounts@localhost/accounts"
    secret_key: Annotated[SecretStr, Field(min_length=32)]
    token_minutes: int = 30
    mail_host: str = "smtp.example.com"
    mail_from: str = "accounts@example.com"


@lru_cache
def get_settings() -> Settings:
    return Settings()
