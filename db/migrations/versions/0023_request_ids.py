"""Request ids: the request that an event, and a bulk operation, comes from. Earlier rows have none."""

from alembic import op

revision = "0023"
down_revision = "0022"
oldest_code = "0022"
branch_labels = None
depends_on = None

COMMENTS = {
    "status_events": "The id of the request that it comes from, as the log has it.",
    "bulk_operations": "The id of the request that was accepted as it.",
}


def upgrade() -> None:
    """Apply."""
    for table, comment in COMMENTS.items():
        op.execute(f"ALTER TABLE {table} ADD COLUMN request_id text")
        op.execute(f"COMMENT ON COLUMN {table}.request_id IS '{comment}'")


def downgrade() -> None:
    """Take back."""
    for table in COMMENTS:
        op.drop_column(table, "request_id")
