"""An index for the list of a tenant's bulk operations, in its order.

Every step can be repeated after a failure.
"""

from alembic import op

revision = "0018"
down_revision = "0017"
oldest_code = "0014"
branch_labels = None
depends_on = None

INDEX = "bulk_operations_tenant_id_created_at_id_idx"


def upgrade() -> None:
    """Apply."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.execute(f"CREATE INDEX CONCURRENTLY {INDEX} ON bulk_operations (tenant_id, created_at, id)")


def downgrade() -> None:
    """Take back."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
