"""Indices for lists in the order of changes and of scores, and for those of an executor and of a target user.

Every step can be repeated after a failure.
"""

from alembic import op

revision = "0026"
down_revision = "0025"
oldest_code = "0025"
branch_labels = None
depends_on = None

INDICES = {
    "scheduled_activities_changed_idx": "scheduled_activities (tenant_id, greatest(updated_at, marked_at), id)",
    "scheduled_activities_score_idx": "scheduled_activities (tenant_id, status, coalesce(score, -2147483649), id)",
    "scheduled_activities_executor_idx": (
        "scheduled_activities (tenant_id, executor, created_at, id) WHERE executor IS NOT NULL"
    ),
    "target_users_commerce_user_idx": (
        "target_users (tenant_id, commerce_user_id, activity_id) WHERE commerce_user_id IS NOT NULL"
    ),
}


def upgrade() -> None:
    """Apply."""
    with op.get_context().autocommit_block():
        for name, on in INDICES.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {on}")


def downgrade() -> None:
    """Take back."""
    with op.get_context().autocommit_block():
        for name in INDICES:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
