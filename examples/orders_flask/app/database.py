"""The database, and what it has to keep to."""

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)


def enforce_foreign_keys(connection, record) -> None:
    """SQLite does so only where it's told to, on each connection."""
    connection.execute("PRAGMA foreign_keys = ON")
