"""Policies whose plans are the same for every tenant, also for one that the statistics don't know."""

import sqlalchemy as sa
from alembic import op

from db.roles import IS_OWN, OWN_TENANT

revision = "0028"
down_revision = "0027"
oldest_code = "0025"
branch_labels = None
depends_on = None

TABLES = sa.text(
    "SELECT tablename FROM pg_policies WHERE schemaname = current_schema() AND policyname = 'own_tenant' ORDER BY 1"
)


def upgrade() -> None:
    """Apply."""
    _alter(IS_OWN)


def downgrade() -> None:
    """Take back."""
    _alter(f"tenant_id = {OWN_TENANT}")


def _alter(condition: str) -> None:
    tables = op.get_bind().execute(TABLES).scalars().all()
    with op.get_context().autocommit_block():  # a lock on one table at a time
        for table in tables:
            op.execute(f"ALTER POLICY own_tenant ON {table} USING ({condition})")
