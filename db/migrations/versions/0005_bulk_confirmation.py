"""Bulk operations: the number of activities that must be confirmed, operations that are stopping, begun items."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATES = ("COLLECTING", "RUNNING", "STOPPED", "COMPLETED")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "bulk_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column(
            "confirm_above",
            sa.Integer(),
            nullable=False,
            comment="The most activities that are changed without confirm_total.",
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("bulk_settings_pkey")),
    )
    op.add_column(
        "bulk_operations",
        sa.Column(
            "confirm_total",
            sa.Integer(),
            nullable=True,
            comment="The most activities to choose, as the caller sent it.",
        ),
    )
    op.add_column(
        "bulk_operations",
        sa.Column(
            "detail",
            sa.Text(),
            nullable=True,
            comment="The reason why it was ended before it had changed all items.",
        ),
    )
    op.add_column(
        "bulk_operation_items",
        sa.Column(
            "claimed_round",
            sa.SmallInteger(),
            nullable=True,
            comment="The last round in which its change was begun; without changed_at its outcome is open.",
        ),
    )
    _allow_states(*STATES, "STOPPING", "REJECTED")
    op.create_index(
        "bulk_operations_open_idx",
        "bulk_operations",
        ["created_at"],
        postgresql_where=sa.text("state IN ('RUNNING', 'STOPPING')"),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index("bulk_operations_open_idx", table_name="bulk_operations")
    op.execute("UPDATE bulk_operations SET state = 'STOPPED' WHERE state IN ('STOPPING', 'REJECTED')")
    _allow_states(*STATES)
    op.drop_column("bulk_operation_items", "claimed_round")
    op.drop_column("bulk_operations", "detail")
    op.drop_column("bulk_operations", "confirm_total")
    op.drop_table("bulk_settings")


def _allow_states(*states: str) -> None:
    """Replace the states that an operation may have."""
    name = op.f("bulk_operations_bulkstate_check")
    op.drop_constraint(name, "bulk_operations")
    op.create_check_constraint(name, "bulk_operations", sa.column("state").in_(states))
