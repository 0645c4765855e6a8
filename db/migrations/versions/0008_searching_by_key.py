"""Searching by key: the index of the keys answers a search alone, with the columns by which lists are sorted."""

from alembic import op

revision = "0008"
down_revision = "0007"
oldest_code = "0007"
branch_labels = None
depends_on = None

CONSTRAINT = "scheduled_activities_tenant_id_idempotency_key_key"


def upgrade() -> None:
    """Apply."""
    _replace_key(including=" INCLUDE (id, created_at, scheduled_at)")


def downgrade() -> None:
    """Take back."""
    _replace_key(including="")


def _replace_key(including: str) -> None:
    """Build the new index beside the old one, without a lock that writers wait for, then swap them at once."""
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS scheduled_activities_key_new")  # of an attempt that was cut off
        op.execute(
            "CREATE UNIQUE INDEX CONCURRENTLY scheduled_activities_key_new"
            f" ON scheduled_activities (tenant_id, idempotency_key){including}"
        )
    op.execute(
        f"ALTER TABLE scheduled_activities DROP CONSTRAINT {CONSTRAINT},"
        f" ADD CONSTRAINT {CONSTRAINT} UNIQUE USING INDEX scheduled_activities_key_new"
    )
