"""Quotas: a tenant's own numbers in place of the defaults."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
oldest_code = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "tenant_quotas",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, comment="As in workflows/tenant_limits.py."),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("tenant_quotas_pkey")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("tenant_quotas")
