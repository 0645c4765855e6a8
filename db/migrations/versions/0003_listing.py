"""Lists and pauses: an index for each filter in either order, and the tenants that are paused."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FILTERED = {"all": (), "kind": ("channel", "type"), "reason": ("reason_code", "status")}
ORDERED = {
    f"scheduled_activities_{name}_by_{sorted_by}_idx": ["tenant_id", *filtered, sorted_by, "id"]
    for sorted_by in ("scheduled_at", "created_at")
    for name, filtered in FILTERED.items()
} | {"scheduled_activities_tenant_id_status_created_at_id_idx": ["tenant_id", "status", "created_at", "id"]}
"""An index by status and `scheduled_at` exists already."""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "tenant_pauses",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column(
            "paused_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("tenant_pauses_pkey")),
    )
    for table, column in (("scheduled_activities", "idempotency_key"), ("commerces", "external_id")):
        op.alter_column(table, column, type_=sa.Text(collation="C"))
    op.alter_column("scheduled_activities", "lateness_ms", type_=sa.BigInteger())
    for name, columns in ORDERED.items():
        op.create_index(op.f(name), "scheduled_activities", columns)
    op.create_index(
        "scheduled_activities_late_idx",
        "scheduled_activities",
        ["tenant_id", "scheduled_at", "id"],
        postgresql_where=sa.text("lateness_ms > 1000"),
    )
    op.create_index(
        "scheduled_activities_marked_idx",
        "scheduled_activities",
        ["tenant_id", "marked_at"],
        postgresql_where=sa.text("status = 'DUE'"),
    )
    op.create_check_constraint(
        op.f("scheduled_activities_marked_check"),
        "scheduled_activities",
        "status <> 'DUE' OR (due_at IS NOT NULL AND marked_at >= due_at)",
    )


def downgrade() -> None:
    """Take back."""
    op.drop_constraint(op.f("scheduled_activities_marked_check"), "scheduled_activities")
    op.drop_index("scheduled_activities_marked_idx")
    op.drop_index("scheduled_activities_late_idx")
    for name in ORDERED:
        op.drop_index(op.f(name))
    op.alter_column("scheduled_activities", "lateness_ms", type_=sa.Integer())
    for table, column in (("scheduled_activities", "idempotency_key"), ("commerces", "external_id")):
        op.alter_column(table, column, type_=sa.Text(collation="default"))
    op.drop_table("tenant_pauses")
