"""The migrations of the schema, and a check that a database has those that the code needs."""

from functools import cache

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text


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
    """Return one line that says what is wrong with the schema and what to do, or None if the code works with it.

    A schema that is newer than the code names the oldest code that works with it.
    """
    known = _known_revisions()
    current = MigrationContext.configure(connection).get_current_revision()
    if current == known[0]:
        return None
    if current is None or current in known:
        return (
            f"the database's schema is at {current or 'nothing'}, this version needs {known[0]}:"
            " run `alembic upgrade head`"
        )
    oldest = connection.execute(text("SELECT oldest_code FROM alembic_version")).scalar_one()
    if oldest in known:
        return None
    return (
        f"the database's schema is at {current} and works with versions from {oldest} on, this version has {known[0]}:"
        " deploy a newer version"
    )


@cache
def _known_revisions() -> tuple[str, ...]:
    """Return the revisions of the code, the newest first."""
    return tuple(script.revision for script in ScriptDirectory(__path__[0]).walk_revisions())
