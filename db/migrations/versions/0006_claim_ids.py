"""Claims: the id by which a claim that is sent again finds its leases."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "scheduled_activities",
        sa.Column("claim_id", sa.Uuid(), nullable=True, comment="The id of the last claim, if its caller sent one."),
    )
    op.create_index(
        "scheduled_activities_claim_id_idx",
        "scheduled_activities",
        ["tenant_id", "claim_id"],
        postgresql_where=sa.text("status = 'DISPATCHED' AND claim_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("scheduled_activities_claim_id_idx")
    op.drop_column("scheduled_activities", "claim_id")
