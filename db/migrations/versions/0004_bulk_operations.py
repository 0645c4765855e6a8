"""Bulk operations: changes of many activities at once, with the outcome of each."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "bulk_operations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("verb", _words("bulkverb", "cancel", "reschedule"), nullable=False),
        sa.Column("change", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("filter", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("per_second", sa.SmallInteger(), nullable=False),
        sa.Column("state", _words("bulkstate", "COLLECTING", "RUNNING", "STOPPED", "COMPLETED"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("bulk_operations_pkey")),
    )
    op.create_table(
        "bulk_operation_items",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="The place in the order of the times, from 1."),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column(
            "scheduled_at",
            postgresql.TIMESTAMP(timezone=True),
            nullable=False,
            comment="The time of the activity when it was chosen.",
        ),
        sa.Column(
            "outcome",
            _words("itemoutcome", "PENDING", "APPLIED", "ACCEPTED", "REFUSED", "FAILED"),
            nullable=False,
        ),
        sa.Column(
            "code", sa.Text(), nullable=True, comment="The error code of a rejection, as a single call would have it."
        ),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "activity_id"],
            ["scheduled_activities.tenant_id", "scheduled_activities.id"],
            name=op.f("bulk_operation_items_tenant_id_activity_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "operation_id"],
            ["bulk_operations.tenant_id", "bulk_operations.id"],
            name=op.f("bulk_operation_items_tenant_id_operation_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "operation_id", "position", name=op.f("bulk_operation_items_pkey")),
    )
    op.create_index(
        op.f("bulk_operation_items_tenant_id_operation_id_outcome_position_idx"),
        "bulk_operation_items",
        ["tenant_id", "operation_id", "outcome", "position"],
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("bulk_operation_items")
    op.drop_table("bulk_operations")


def _words(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=40)
