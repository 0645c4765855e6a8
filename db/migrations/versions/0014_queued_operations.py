"""Queued bulk operations: a state of operations that wait for others of their tenant, and an index of those that are open.

Every step can be repeated after a failure.
"""

from alembic import op

revision = "0014"
down_revision = "0013"
oldest_code = "0014"
branch_labels = None
depends_on = None

CHECK = "bulk_operations_bulkstate_check"
INDEX = "bulk_operations_open_idx"
STATES = "'COLLECTING', 'RUNNING', 'STOPPING', 'STOPPED', 'COMPLETED', 'REJECTED'"


def upgrade() -> None:
    """Apply."""
    op.execute("ALTER TABLE bulk_operations ADD COLUMN IF NOT EXISTS started_at timestamptz")
    op.execute("COMMENT ON COLUMN bulk_operations.started_at IS 'When its turn in the tenant''s queue has come.'")
    _allow(f"'QUEUED', {STATES}")
    _index("tenant_id, created_at", "'QUEUED', 'COLLECTING', 'RUNNING', 'STOPPING'")


def downgrade() -> None:
    """Take back, after a stop of the operations that the schema before can't hold."""
    op.execute(
        "UPDATE bulk_operations SET state = 'STOPPED', finished_at = now() WHERE state IN ('QUEUED', 'COLLECTING')"
    )
    op.drop_column("bulk_operations", "started_at")
    _allow(STATES)
    _index("created_at", "'RUNNING', 'STOPPING'")


def _allow(states: str) -> None:
    op.execute(f"ALTER TABLE bulk_operations DROP CONSTRAINT IF EXISTS {CHECK}")
    op.execute(f"ALTER TABLE bulk_operations ADD CONSTRAINT {CHECK} CHECK (state IN ({states})) NOT VALID")
    op.execute(f"ALTER TABLE bulk_operations VALIDATE CONSTRAINT {CHECK}")


def _index(columns: str, states: str) -> None:
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.execute(f"CREATE INDEX CONCURRENTLY {INDEX} ON bulk_operations ({columns}) WHERE state IN ({states})")
