"""The script that Alembic runs: it migrates the database of `upgrade`, or else that of MIGRATION_DATABASE_URL."""

import sys
import time
from collections.abc import Collection
from itertools import count
from typing import Any

import structlog
from alembic import context
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import DataError, OperationalError, ProgrammingError

from db.models import Table
from db.roles import OWNER
from db.sessions import connect_arguments
from settings import MigrationSettings, read_settings

log = structlog.get_logger(__name__)

LOCK_TIMEOUT = "1s"
"""Statements of the service queue behind a lock that a migration waits for: they give up after 5 s."""
PAUSE_SECONDS = 2
"""Enough for the statements that have queued."""
ATTEMPTS_PER_LINE = 20
WAITS = {"55P03", "40P01"}
"""The SQLSTATEs of a lock that was not granted in time, and of a deadlock."""
OURS = text("SELECT pg_try_advisory_lock(hashtext('alembic_version'))")
"""Held until the connection is closed."""


def migrate() -> None:
    """Run the requested migrations, each in a transaction, and repeat one that gets no lock until it does."""
    url = (
        context.config.attributes.get("database_url")
        or read_settings(MigrationSettings).migration_database_url.get_secret_value()
    )
    engine = create_engine(url, poolclass=NullPool, connect_args=connect_arguments(make_url(url)))
    event.listen(engine, "before_cursor_execute", limit_lock_wait)
    for attempt in count():
        waits_for = run_migrations(engine)
        if waits_for is None:
            return
        if attempt % ATTEMPTS_PER_LINE == 0:
            log.warning("a migration waits, retrying", waits_for=waits_for)
        time.sleep(PAUSE_SECONDS)


def run_migrations(engine: Engine) -> str | None:
    """Run the migrations that the database hasn't got yet; return what they wait for, or None when all have run."""
    with engine.connect() as connection:
        if not connection.execute(OURS).scalar_one():
            return "another process that migrates"
        act_as_owner(connection)
        connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Table.metadata,
            compare_server_default=True,
            transaction_per_migration=True,
            on_version_apply=record_oldest_code,
        )
        try:
            with context.begin_transaction():
                context.run_migrations()
        except OperationalError as failure:
            if getattr(failure.orig, "sqlstate", None) not in WAITS:
                raise
            return f"a lock, for {failure.statement}"
    return None


def act_as_owner(connection: Connection) -> None:
    """Make the owner of everything that is created the same role, whichever role has connected."""
    try:
        connection.execute(text(f"SET ROLE {OWNER}"))
    except (DataError, ProgrammingError) as failure:
        sys.exit(f"{failure.orig}: run deploy/roles.sql as a superuser in the database, and connect as {OWNER}")


def limit_lock_wait(_: Connection, cursor: DBAPICursor, statement: str, *__: Any) -> None:
    """Limit the wait for a lock, except when an index is built or dropped concurrently.

    That waits for older transactions, holds up no statement meanwhile, and would begin anew after a time-out.
    """
    cursor.execute(f"SET lock_timeout = '{0 if 'CONCURRENTLY' in statement else LOCK_TIMEOUT}'")


def record_oldest_code(ctx: MigrationContext, step: MigrationInfo, heads: Collection[str], run_args: Any) -> None:  # noqa: ARG001 - Alembic's signature
    """Store the oldest revision whose code works with the schema, where code without this migration finds it."""
    assert ctx.connection is not None  # noqa: S101 - there is no offline mode
    for head in heads:  # none after the downgrade of the first
        oldest_code = context.script.get_revision(head).module.oldest_code
        ctx.connection.execute(text("ALTER TABLE alembic_version ADD COLUMN IF NOT EXISTS oldest_code text"))
        ctx.connection.execute(text("UPDATE alembic_version SET oldest_code = :code"), {"code": oldest_code})


migrate()
