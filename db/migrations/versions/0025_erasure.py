"""Erasure: a verb of bulk operations, and the time at which a commerce or a user was erased.

Every step can be repeated after a failure.
"""

from alembic import op

revision = "0025"
down_revision = "0024"
oldest_code = "0025"
branch_labels = None
depends_on = None

CHECK = "bulk_operations_bulkverb_check"
TABLES = ("commerces", "commerce_users")
COMMENT = "The time of the erasure. The row is empty since then, and no call shows it."


def upgrade() -> None:
    """Apply."""
    with (
        op.get_context().autocommit_block()
    ):  # a lock on one table at a time: a statement may lock them in another order
        for table in TABLES:
            op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS erased_at timestamptz")
            op.execute(f"COMMENT ON COLUMN {table}.erased_at IS '{COMMENT}'")
    _allow("'cancel', 'reschedule', 'retry-resolution', 'erase'")


def downgrade() -> None:
    """Take back, after a removal of the operations that the schema before can't hold."""
    op.execute(
        "DELETE FROM bulk_operation_items AS i WHERE EXISTS"
        " (SELECT FROM bulk_operations AS o WHERE o.tenant_id = i.tenant_id AND o.id = i.operation_id AND verb = 'erase')"
    )
    op.execute("DELETE FROM bulk_operations WHERE verb = 'erase'")
    _allow("'cancel', 'reschedule', 'retry-resolution'")
    for table in TABLES:
        op.drop_column(table, "erased_at")


def _allow(verbs: str) -> None:
    op.execute(f"ALTER TABLE bulk_operations DROP CONSTRAINT IF EXISTS {CHECK}")
    op.execute(f"ALTER TABLE bulk_operations ADD CONSTRAINT {CHECK} CHECK (verb IN ({verbs})) NOT VALID")
    op.execute(f"ALTER TABLE bulk_operations VALIDATE CONSTRAINT {CHECK}")
