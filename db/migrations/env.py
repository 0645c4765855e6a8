"""Alembic's entry: connects as DATABASE_URL says, or as the caller of `db.migrations.upgrade` did."""

from alembic import context
from sqlalchemy import create_engine

from db.models import Table
from settings import DatabaseSettings


def migrate() -> None:
    """Run what was asked for, all in one transaction."""
    url = context.config.attributes.get("database_url") or DatabaseSettings().database_url.get_secret_value()
    engine = create_engine(url)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Table.metadata, compare_server_default=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


migrate()
