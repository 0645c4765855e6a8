"""The migrations of the schema, and a check that a database has all of them."""

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection


def alembic_config(database_url: str) -> Config:
    """Return the configuration of one database, as the `alembic` command finds it in pyproject.toml."""
    config = Config()
    config.set_main_option("script_location", __path__[0])
    config.attributes["database_url"] = database_url
    return config


def upgrade(database_url: str) -> None:
    """Bring a database up to the newest schema."""
    command.upgrade(alembic_config(database_url), "head")


def schema_fault(connection: Connection) -> str | None:
    """Return one line that says what is wrong with the schema and what to do, or None if it is the newest."""
    newest = ScriptDirectory(__path__[0]).get_current_head()
    current = MigrationContext.configure(connection).get_current_revision()
    if current == newest:
        return None
    return (
        f"the database's schema is at {current or 'nothing'}, this version needs {newest}: run `alembic upgrade head`"
    )
