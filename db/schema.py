"""Compare the schema of a database with the migrations of the code, without Alembic: it would double a start's cost."""

from functools import cache
from pathlib import Path

from sqlalchemy import Connection, text

VERSIONS = Path(__file__).parent / "migrations" / "versions"
"""Each migration's file begins with its revision, and the revisions are in their order."""


def schema_fault(connection: Connection) -> str | None:
    """Return one line that says what is wrong with the schema and what to do, or None if the code works with it.

    A schema that is newer than the code names the oldest code that works with it.
    """
    known = known_revisions()
    current = _read_revision(connection)
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


def _read_revision(connection: Connection) -> str | None:
    """Return the revision of the schema, or None before the first migration and after its downgrade."""
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar_one() is None:
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


@cache
def known_revisions() -> tuple[str, ...]:
    """Return the revisions of the code, the newest first."""
    return tuple(sorted((file.name.partition("_")[0] for file in VERSIONS.glob("[0-9]*.py")), reverse=True))
