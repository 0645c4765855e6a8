"""Last contacts: an index that ends with a user's last contact on any channel."""

from alembic import op

revision = "0009"
down_revision = "0008"
oldest_code = "0007"
branch_labels = None
depends_on = None

INDEX = "contact_log_tenant_id_commerce_user_id_contacted_at_idx"


def upgrade() -> None:
    """Apply."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")  # of an attempt that was cut off
        op.execute(f"CREATE INDEX CONCURRENTLY {INDEX} ON contact_log (tenant_id, commerce_user_id, contacted_at)")


def downgrade() -> None:
    """Take back."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
