"""The tables of the test database are those that the migrations have made."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from app.models import Base


@pytest.fixture
async def ask(db_session):
    connection = await db_session.connection()

    async def ask(question):
        return await connection.run_sync(lambda it: question(MigrationContext.configure(it)))

    return ask


async def test_the_database_is_at_the_newest_migration(ask, request):
    newest = ScriptDirectory.from_config(Config(request.config.rootpath / "alembic.ini"))

    assert await ask(lambda context: context.get_current_heads()) == tuple(newest.get_heads())


async def test_the_migrations_make_what_the_models_say(ask):
    assert await ask(lambda context: compare_metadata(context, Base.metadata)) == []
