"""An index for the counts of activities by status, channel and hour.

Every step can be repeated after a failure.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
oldest_code = "0014"
branch_labels = None
depends_on = None

INDEX = "scheduled_activities_cells_idx"


def upgrade() -> None:
    """Apply."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {INDEX} ON scheduled_activities (tenant_id, status, channel, type, scheduled_at)"
        )


def downgrade() -> None:
    """Take back."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
