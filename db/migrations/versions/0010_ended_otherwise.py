"""Activities that have ended otherwise than by their run's first timer: reconciliation compares them with their runs."""

from alembic import op

revision = "0010"
down_revision = "0009"
oldest_code = "0007"
branch_labels = None
depends_on = None

INDEX = "scheduled_activities_ended_idx"


def upgrade() -> None:
    """Apply."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")  # of an attempt that was cut off
        op.execute(
            f"CREATE INDEX CONCURRENTLY {INDEX} ON scheduled_activities (greatest(updated_at, marked_at), tenant_id, id)"
            " WHERE status = 'CANCELED' OR due_at < scheduled_at OR due_at IS NOT NULL AND moved_at IS NOT NULL"
        )


def downgrade() -> None:
    """Take back."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
