"""Payload keys: the id of the key that the input of an activity's run is encrypted with.

Every step can be repeated after a failure.
"""

from alembic import op

revision = "0015"
down_revision = "0014"
oldest_code = "0014"
branch_labels = None
depends_on = None

TABLE, INDEX = "scheduled_activities", "scheduled_activities_payload_key_idx"
COMMENT = "The id of the key that the input of its run is encrypted with."
NEEDS_KEY = "payload_key_id IS NOT NULL AND status IN ('READY', 'UNRESOLVED')"


def upgrade() -> None:
    """Apply."""
    op.execute(f"ALTER TABLE {TABLE} ADD COLUMN IF NOT EXISTS payload_key_id text")
    op.execute(f"COMMENT ON COLUMN {TABLE}.payload_key_id IS '{COMMENT}'")
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.execute(f"CREATE INDEX CONCURRENTLY {INDEX} ON {TABLE} (payload_key_id) WHERE {NEEDS_KEY}")


def downgrade() -> None:
    """Take back."""
    op.drop_column(TABLE, "payload_key_id")
