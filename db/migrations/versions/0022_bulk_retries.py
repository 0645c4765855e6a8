"""A verb of bulk operations: `retry-resolution`.

Every step can be repeated after a failure.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
oldest_code = "0022"
branch_labels = None
depends_on = None

CHECK = "bulk_operations_bulkverb_check"


def upgrade() -> None:
    """Apply."""
    _allow("'cancel', 'reschedule', 'retry-resolution'")


def downgrade() -> None:
    """Take back, after a removal of the operations that the schema before can't hold."""
    of_retries = "SELECT id FROM bulk_operations AS o WHERE verb = 'retry-resolution'"
    op.execute(
        f"DELETE FROM bulk_operation_items AS i WHERE operation_id IN ({of_retries} AND o.tenant_id = i.tenant_id)"  # noqa: S608 - constants
    )
    op.execute("DELETE FROM bulk_operations WHERE verb = 'retry-resolution'")
    _allow("'cancel', 'reschedule'")


def _allow(verbs: str) -> None:
    op.execute(f"ALTER TABLE bulk_operations DROP CONSTRAINT IF EXISTS {CHECK}")
    op.execute(f"ALTER TABLE bulk_operations ADD CONSTRAINT {CHECK} CHECK (verb IN ({verbs})) NOT VALID")
    op.execute(f"ALTER TABLE bulk_operations VALIDATE CONSTRAINT {CHECK}")
