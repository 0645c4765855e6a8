"""Overridden results: contacts that the tenant has sent itself stay, and recent overrides can be found."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "contact_log",
        sa.Column(
            "is_sent",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The tenant has sent it. It stays when a result is overridden.",
        ),
    )
    op.create_index(
        "activity_results_overrides_idx",
        "activity_results",
        ["received_at"],
        postgresql_where=sa.text("overrides_id IS NOT NULL"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("activity_results_overrides_idx")
    op.drop_column("contact_log", "is_sent")
