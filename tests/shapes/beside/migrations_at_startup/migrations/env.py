"""Runs on the connection that the app gives it, or on one of its own."""

import os

from alembic import context
from sqlalchemy import create_engine


def run(connection) -> None:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    engine = create_engine(os.environ["BLOCKING_URL"])
    with engine.connect() as connection:
        run(connection)
    engine.dispose()
