"""The script that Alembic runs: it migrates the database of `upgrade`, or else that of DATABASE_URL."""

from alembic import context
from sqlalchemy import create_engine, make_url

from db.models import Table
from db.sessions import connect_arguments
from settings import DatabaseSettings


def migrate() -> None:
    """Run the requested migrations in one transaction."""
    url = context.config.attributes.get("database_url") or DatabaseSettings().database_url.get_secret_value()
    engine = create_engine(url, connect_args=connect_arguments(make_url(url)))
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Table.metadata, compare_server_default=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


migrate()
