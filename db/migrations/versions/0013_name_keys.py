"""Name keys: catalogue entries are found by the keys of their names, and similar names by their trigrams.

Every step can be repeated after a failure.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.name_keys import find_name_keys

revision = "0013"
down_revision = "0012"
oldest_code = "0013"
branch_labels = None
depends_on = None

CATALOGUES = ("reasons", "user_statuses")
COMMENT = "The keys of code, label and aliases. A text is looked up by its own."
BATCH = 1_000


def upgrade() -> None:
    """Apply."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for catalogue in CATALOGUES:
        op.execute(f"ALTER TABLE {catalogue} ADD COLUMN IF NOT EXISTS name_keys uuid[]")
        op.execute(f"COMMENT ON COLUMN {catalogue}.name_keys IS '{COMMENT}'")
    with op.get_context().autocommit_block():  # long work holds no lock that writers wait for
        for catalogue in CATALOGUES:
            while _write_keys(catalogue):
                pass
            index, not_null = f"{catalogue}_name_keys_idx", f"{catalogue}_name_keys_not_null"
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")
            # Without fastupdate=off every lookup would read the list of recent writes from its beginning.
            op.execute(
                f"CREATE INDEX CONCURRENTLY {index} ON {catalogue} USING gin (name_keys) WITH (fastupdate = off)"
            )
            op.execute(f"ALTER TABLE {catalogue} DROP CONSTRAINT IF EXISTS {not_null}")
            op.execute(f"ALTER TABLE {catalogue} ADD CONSTRAINT {not_null} NOT NULL name_keys NOT VALID")
            op.execute(f"ALTER TABLE {catalogue} VALIDATE CONSTRAINT {not_null}")


def _write_keys(catalogue: str) -> bool:
    """Write the keys of some entries that have none; return whether there were any."""
    columns: list[sa.ColumnClause[str]] = [sa.column(name) for name in ("tenant_id", "code", "label", "aliases")]
    table = sa.table(catalogue, *columns, sa.column("name_keys", postgresql.ARRAY(sa.Uuid())))
    connection = op.get_bind()
    entries = connection.execute(sa.select(*columns).where(table.c.name_keys.is_(None)).limit(BATCH)).all()
    for entry in entries:
        # An entry that was changed meanwhile is read again.
        this = [column == entry._mapping[column.name] for column in columns]  # noqa: SLF001 - SQLAlchemy's public name
        keys = find_name_keys(entry.tenant_id, entry.code, entry.label, entry.aliases)
        connection.execute(sa.update(table).where(*this).values(name_keys=keys))
    return bool(entries)


def downgrade() -> None:
    """Take back."""
    for catalogue in CATALOGUES:
        op.execute(f"DROP INDEX {catalogue}_name_keys_idx")
        op.drop_column(catalogue, "name_keys")
    op.execute("DROP EXTENSION IF EXISTS pg_trgm")
