"""Activities that have ended before their time: reconciliation compares them with their runs."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index(
        "scheduled_activities_ended_early_idx",
        "scheduled_activities",
        ["updated_at", "tenant_id", "id"],
        postgresql_where=sa.text("(status = 'CANCELED' OR due_at < scheduled_at)"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("scheduled_activities_ended_early_idx")
