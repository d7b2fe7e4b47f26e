"""The settings: from the environment, or from a file `.env`."""

from functools import lru_cache
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SecretKey = Annotated[SecretStr, Field(min_length=32)]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_prefix="ORDERS_")

    database_url: str = "sqlite:////var/lib/orders/orders.db"
    secret_key: SecretKey
    token_minutes: int = 30
    open_orders: int = 20
    mail_host: str = "smtp.example.com"
    mail_from: str = "shop@example.com"


@lru_cache
def get_settings() -> Settings:
    return Settings()
