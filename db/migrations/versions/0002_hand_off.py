"""Hand-off: leases, results, and a notification when something becomes due."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NOTIFY = """
CREATE FUNCTION notify_scheduled_activity_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('scheduled_activity_due', json_build_object(
        'tenant_id', NEW.tenant_id, 'channel', NEW.channel, 'type', NEW.type,
        'seconds', greatest(0, extract(epoch FROM NEW.due_at - clock_timestamp())))::text);
    RETURN NULL;
END $$;
CREATE TRIGGER notify_due AFTER INSERT OR UPDATE OF status ON scheduled_activities
    FOR EACH ROW WHEN (NEW.status = 'DUE') EXECUTE FUNCTION notify_scheduled_activity_due();
"""
"""A trigger, so that every statement that makes something due sends it. `db/due_watch.py` listens."""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "dispatch_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column(
            "max_attempts", sa.SmallInteger(), nullable=False, comment="Leases that may run out before it is FAILED."
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("dispatch_settings_pkey")),
    )
    op.create_table(
        "task_result_types",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("requires_future_scheduled_at", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "code", name=op.f("task_result_types_pkey")),
    )
    op.create_table(
        "activity_results",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False, comment="The claim that it belongs to."),
        sa.Column("provider_activity_id", sa.Text(), nullable=True),
        sa.Column("commerce_external_id", sa.Text(), nullable=True),
        sa.Column("occurred_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "PENDING",
                "COMPLETED",
                "NOT_EXECUTED",
                "CANCELED",
                "TRANSFERRED",
                name="resultstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("external_status", sa.Text(), nullable=True),
        sa.Column("hard_override", sa.Boolean(), nullable=False),
        sa.Column("task_result", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column(
            "raw_payload",
            postgresql.JSON(none_as_null=True, astext_type=sa.Text()),
            nullable=True,
            comment="JSON, not JSONB: stored as it was sent.",
        ),
        sa.Column("fingerprint", sa.Text(), nullable=False, comment="Equal for equal results."),
        sa.Column("overrides_id", sa.Uuid(), nullable=True),
        sa.Column("from_status", sa.Text(), nullable=False),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column(
            "follow_up_at",
            postgresql.TIMESTAMP(timezone=True),
            nullable=True,
            comment="The time of the follow-up to create.",
        ),
        sa.Column("follow_up_id", sa.Uuid(), nullable=True),
        sa.Column("follow_up_error", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column(
            "received_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "activity_id"],
            ["scheduled_activities.tenant_id", "scheduled_activities.id"],
            name=op.f("activity_results_tenant_id_activity_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "activity_id", "id", name=op.f("activity_results_pkey")),
    )
    op.create_index(
        "activity_results_missing_follow_up_idx",
        "activity_results",
        ["tenant_id", "id"],
        unique=False,
        postgresql_where=sa.text("follow_up_at IS NOT NULL AND follow_up_id IS NULL"),
    )
    op.create_index(
        op.f("activity_results_tenant_id_provider_activity_id_id_idx"),
        "activity_results",
        ["tenant_id", "provider_activity_id", "id"],
        unique=False,
        postgresql_where=sa.text("provider_activity_id IS NOT NULL"),
    )
    op.add_column(
        "scheduled_activities",
        sa.Column(
            "executor",
            sa.Text(),
            nullable=True,
            comment="The executor that claimed it last. It holds it while DISPATCHED.",
        ),
    )
    op.add_column("scheduled_activities", sa.Column("lease_token", sa.Uuid(), nullable=True))
    op.add_column("scheduled_activities", sa.Column("taken_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.add_column(
        "scheduled_activities", sa.Column("lease_expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True)
    )
    op.add_column(
        "scheduled_activities",
        sa.Column(
            "attempts", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="The number of claims."
        ),
    )
    op.add_column(
        "scheduled_activities", sa.Column("expired_leases", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
    op.create_index(
        "scheduled_activities_claim_idx",
        "scheduled_activities",
        ["tenant_id", "channel", "type", sa.literal_column("score DESC NULLS LAST"), "due_at", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'DUE'"),
    )
    op.create_index(
        "scheduled_activities_lease_idx",
        "scheduled_activities",
        ["tenant_id", "lease_expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'DISPATCHED'"),
    )
    op.create_index(
        op.f("scheduled_activities_tenant_id_lease_token_idx"),
        "scheduled_activities",
        ["tenant_id", "lease_token"],
        unique=True,
        postgresql_where=sa.text("lease_token IS NOT NULL"),
    )
    op.create_check_constraint(
        op.f("scheduled_activities_dispatched_check"), "scheduled_activities", "status <> 'DISPATCHED' OR attempts > 0"
    )
    op.create_check_constraint(
        op.f("scheduled_activities_taken_check"),
        "scheduled_activities",
        "attempts = 0 OR num_nulls(executor, lease_token, taken_at, lease_expires_at) = 0",
    )
    op.execute(NOTIFY)


def downgrade() -> None:
    """Take back."""
    op.execute("DROP TRIGGER notify_due ON scheduled_activities; DROP FUNCTION notify_scheduled_activity_due")
    op.drop_constraint(op.f("scheduled_activities_taken_check"), "scheduled_activities")
    op.drop_constraint(op.f("scheduled_activities_dispatched_check"), "scheduled_activities")
    op.drop_index(
        op.f("scheduled_activities_tenant_id_lease_token_idx"),
        table_name="scheduled_activities",
        postgresql_where=sa.text("lease_token IS NOT NULL"),
    )
    op.drop_index(
        "scheduled_activities_lease_idx",
        table_name="scheduled_activities",
        postgresql_where=sa.text("status = 'DISPATCHED'"),
    )
    op.drop_index(
        "scheduled_activities_claim_idx", table_name="scheduled_activities", postgresql_where=sa.text("status = 'DUE'")
    )
    op.drop_column("scheduled_activities", "expired_leases")
    op.drop_column("scheduled_activities", "attempts")
    op.drop_column("scheduled_activities", "lease_expires_at")
    op.drop_column("scheduled_activities", "taken_at")
    op.drop_column("scheduled_activities", "lease_token")
    op.drop_column("scheduled_activities", "executor")
    op.drop_index(
        op.f("activity_results_tenant_id_provider_activity_id_id_idx"),
        table_name="activity_results",
        postgresql_where=sa.text("provider_activity_id IS NOT NULL"),
    )
    op.drop_index(
        "activity_results_missing_follow_up_idx",
        table_name="activity_results",
        postgresql_where=sa.text("follow_up_at IS NOT NULL AND follow_up_id IS NULL"),
    )
    op.drop_table("activity_results")
    op.drop_table("task_result_types")
    op.drop_table("dispatch_settings")
