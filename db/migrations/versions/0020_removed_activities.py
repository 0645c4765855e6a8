"""Removed activities: what stays of an activity after its removal, and the tenants' settings of retention.

Every step can be repeated after a failure.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
oldest_code = "0014"
branch_labels = None
depends_on = None

TABLE, INDEX = "scheduled_activities", "scheduled_activities_closed_idx"
ITEMS, ITEM_KEY = "bulk_operation_items", "bulk_operation_items_tenant_id_activity_id_fkey"
CLOSED = "status IN ('COMPLETED', 'CANCELED', 'FAILED')"


def upgrade() -> None:
    """Apply."""
    op.execute(f"ALTER TABLE {ITEMS} DROP CONSTRAINT IF EXISTS {ITEM_KEY}")
    op.execute(f"COMMENT ON COLUMN {ITEMS}.activity_id IS 'It refers to no row: the item outlasts its activity.'")
    op.create_table(
        "removed_activities",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False, comment="SHA-256 of the idempotency key."),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column(
            "request_hash",
            sa.LargeBinary(),
            nullable=False,
            comment="SHA-256 of the normalized request. A repetition is compared with it.",
        ),
        sa.Column(
            "provider_hashes",
            postgresql.ARRAY(sa.LargeBinary()),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="SHA-256 of each provider's id that a result had.",
        ),
        sa.Column("cause", sa.String(length=40), nullable=False),
        sa.Column(
            "removed_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint("cause IN ('RETENTION', 'ERASURE')", name=op.f("removed_activities_removalcause_check")),
        sa.CheckConstraint(
            "octet_length(key_hash) = 32 AND octet_length(request_hash) = 32",
            name=op.f("removed_activities_hashes_check"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "key_hash", name=op.f("removed_activities_pkey")),
        sa.UniqueConstraint("tenant_id", "activity_id", name=op.f("removed_activities_tenant_id_activity_id_key")),
        if_not_exists=True,
    )
    op.create_index(
        op.f("removed_activities_provider_hashes_idx"),
        "removed_activities",
        ["provider_hashes"],
        postgresql_using="gin",
        postgresql_with={"fastupdate": "off"},
        if_not_exists=True,
    )
    op.create_table(
        "retention_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column(
            "retention_days",
            sa.Integer(),
            nullable=False,
            comment="Days after which a closed activity is removed.",
        ),
        sa.CheckConstraint("retention_days > 0", name=op.f("retention_settings_retention_days_check")),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("retention_settings_pkey")),
        if_not_exists=True,
    )
    op.execute(
        "CREATE OR REPLACE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON retention_settings"
        " FOR EACH ROW EXECUTE FUNCTION audit_change('RETENTION_SETTINGS', '')"
    )
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.execute(f"CREATE INDEX CONCURRENTLY {INDEX} ON {TABLE} (tenant_id, updated_at, id) WHERE {CLOSED}")


def downgrade() -> None:
    """Take back, without the items of activities that are removed."""
    op.drop_index(INDEX, TABLE)
    op.drop_table("retention_settings")
    op.drop_table("removed_activities")
    op.execute(
        "DELETE FROM bulk_operation_items i WHERE NOT EXISTS"
        " (SELECT FROM scheduled_activities a WHERE a.tenant_id = i.tenant_id AND a.id = i.activity_id)"
    )
    op.execute(f"COMMENT ON COLUMN {ITEMS}.activity_id IS NULL")
    op.create_foreign_key(ITEM_KEY, ITEMS, TABLE, ["tenant_id", "activity_id"], ["tenant_id", "id"])
