"""The mapped classes."""

from app.models.base import Base
from app.models.item import Item, Tag
from app.models.user import LoginSession, User

__all__ = ["Base", "Item", "LoginSession", "Tag", "User"]
