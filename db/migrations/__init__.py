"""The migrations of the schema. `db/schema.py` checks that a database has those that the code needs."""

from alembic import command
from alembic.config import Config


def alembic_config(database_url: str) -> Config:
    """Return the configuration of one database, as the `alembic` command finds it in pyproject.toml."""
    config = Config()
    config.set_main_option("script_location", __path__[0])
    config.attributes["database_url"] = database_url
    return config


def upgrade(database_url: str) -> None:
    """Bring a database up to the newest schema."""
    command.upgrade(alembic_config(database_url), "head")
