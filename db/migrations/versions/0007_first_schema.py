"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = None
oldest_code = "0007"
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
        "attribute_keys",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("attribute_keys_pkey")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("attribute_keys_tenant_id_key_key")),
    )
    op.create_table(
        "bulk_operations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column(
            "verb",
            sa.Enum("cancel", "reschedule", name="bulkverb", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("change", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("filter", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("per_second", sa.SmallInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "COLLECTING",
                "RUNNING",
                "STOPPING",
                "STOPPED",
                "COMPLETED",
                "REJECTED",
                name="bulkstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "confirm_total",
            sa.Integer(),
            nullable=True,
            comment="The most activities to choose, as the caller sent it.",
        ),
        sa.Column(
            "detail", sa.Text(), nullable=True, comment="The reason why it was ended before it had changed all items."
        ),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("finished_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("bulk_operations_pkey")),
    )
    op.create_index(
        "bulk_operations_open_idx",
        "bulk_operations",
        ["created_at"],
        postgresql_where=sa.text("state IN ('RUNNING', 'STOPPING')"),
    )
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
    op.create_table(
        "commerces",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("external_id", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tax_id", sa.Text(), nullable=True),
        sa.Column("global_external_id", sa.Text(), nullable=True),
        sa.Column(
            "addresses",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column(
            "metadata",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("commerces_pkey")),
        sa.UniqueConstraint("tenant_id", "external_id", name=op.f("commerces_tenant_id_external_id_key")),
    )
    op.create_table(
        "dispatch_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column(
            "max_attempts", sa.SmallInteger(), nullable=False, comment="Leases that may run out before it is FAILED."
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("dispatch_settings_pkey")),
    )
    op.create_table(
        "reasons",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("aliases", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "code", name=op.f("reasons_pkey")),
    )
    op.create_table(
        "target_configs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column(
            "strategy",
            sa.Enum(
                "ON_CREATION",
                "ON_DISPATCH",
                "MANUAL",
                name="targetstrategy",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("fallback_to_commerce_rep", sa.Boolean(), nullable=False),
        sa.Column("fallback_to_owner", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "SALESMAN",
                "CALLCENTER",
                "WHATSAPP",
                "EMAIL",
                "SMS",
                "PUSH",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "type",
            sa.Enum("TASK", "MESSAGE", name="activitytype", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
        sa.Column(
            "criteria",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("target_configs_pkey")),
    )
    op.create_index(
        op.f("target_configs_tenant_id_priority_idx"),
        "target_configs",
        ["tenant_id", "priority"],
        unique=True,
        postgresql_where=sa.text("is_active"),
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
    op.create_table(
        "user_statuses",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("aliases", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "code", name=op.f("user_statuses_pkey")),
    )
    op.create_table(
        "attribute_policies",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column(
            "strategy",
            sa.Enum(
                "UPFRONT",
                "ON_DISPATCH",
                "CALLER_PROVIDED",
                name="attributestrategy",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "resolver_type",
            sa.Enum(
                "INTERNAL_SERVICE",
                "CLIENT_HOOK",
                "CALLER_PROVIDED",
                name="resolvertype",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key"],
            ["attribute_keys.tenant_id", "attribute_keys.key"],
            name=op.f("attribute_policies_tenant_id_key_fkey"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("attribute_policies_pkey")),
    )
    op.create_table(
        "commerce_users",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("commerce_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("roles", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "contacts",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "commerce_id"],
            ["commerces.tenant_id", "commerces.id"],
            name=op.f("commerce_users_tenant_id_commerce_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("commerce_users_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "commerce_id", "external_id", name=op.f("commerce_users_tenant_id_commerce_id_external_id_key")
        ),
    )
    op.create_table(
        "scheduled_activities",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("idempotency_key", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "type",
            sa.Enum("TASK", "MESSAGE", name="activitytype", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column(
            "channel",
            sa.Enum(
                "SALESMAN",
                "CALLCENTER",
                "WHATSAPP",
                "EMAIL",
                "SMS",
                "PUSH",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("commerce_id", sa.Uuid(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("reason_label", sa.Text(), nullable=False),
        sa.Column("user_status_code", sa.Text(), nullable=True),
        sa.Column("user_status_label", sa.Text(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "RESOLVING",
                "REJECTED",
                "READY",
                "UNRESOLVED",
                "DUE",
                "DISPATCHED",
                "COMPLETED",
                "CANCELED",
                "FAILED",
                name="activitystatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("scheduled_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("suggested_execution_time", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("assignment_reason", sa.Text(), nullable=True),
        sa.Column(
            "request",
            postgresql.JSONB(none_as_null=True, astext_type=sa.Text()),
            nullable=False,
            comment="The accepted request. A duplicate is compared with it.",
        ),
        sa.Column("why", sa.Text(), nullable=True, comment="The reason why it is UNRESOLVED or FAILED, in words."),
        sa.Column(
            "due_at",
            postgresql.TIMESTAMP(timezone=True),
            nullable=True,
            comment="The time from which it counts as due. The mark sets it.",
        ),
        sa.Column("marked_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("lateness_ms", sa.BigInteger(), nullable=True),
        sa.Column(
            "moved_at", postgresql.TIMESTAMP(timezone=True), nullable=True, comment="The time of the last reschedule."
        ),
        sa.Column(
            "executor",
            sa.Text(),
            nullable=True,
            comment="The executor that claimed it last. It holds it while DISPATCHED.",
        ),
        sa.Column("claim_id", sa.Uuid(), nullable=True, comment="The id of the last claim, if its caller sent one."),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("taken_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("lease_expires_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column(
            "attempts", sa.Integer(), server_default=sa.text("0"), nullable=False, comment="The number of claims."
        ),
        sa.Column("expired_leases", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("created_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "due_at IS NULL OR status NOT IN ('READY', 'UNRESOLVED')", name=op.f("scheduled_activities_due_at_check")
        ),
        sa.CheckConstraint(
            "status <> 'DISPATCHED' OR attempts > 0", name=op.f("scheduled_activities_dispatched_check")
        ),
        sa.CheckConstraint(
            "status <> 'DUE' OR (due_at IS NOT NULL AND marked_at >= due_at)",
            name=op.f("scheduled_activities_marked_check"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('RESOLVING', 'REJECTED')", name=op.f("scheduled_activities_stored_status_check")
        ),
        sa.CheckConstraint(
            "attempts = 0 OR num_nulls(executor, lease_token, taken_at, lease_expires_at) = 0",
            name=op.f("scheduled_activities_taken_check"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "commerce_id"],
            ["commerces.tenant_id", "commerces.id"],
            name=op.f("scheduled_activities_tenant_id_commerce_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("scheduled_activities_pkey")),
        sa.UniqueConstraint(
            "tenant_id", "idempotency_key", name=op.f("scheduled_activities_tenant_id_idempotency_key_key")
        ),
    )
    op.create_index(
        "scheduled_activities_all_by_created_at_idx", "scheduled_activities", ["tenant_id", "created_at", "id"]
    )
    op.create_index(
        "scheduled_activities_all_by_scheduled_at_idx", "scheduled_activities", ["tenant_id", "scheduled_at", "id"]
    )
    op.create_index(
        "scheduled_activities_claim_id_idx",
        "scheduled_activities",
        ["tenant_id", "claim_id"],
        postgresql_where=sa.text("status = 'DISPATCHED' AND claim_id IS NOT NULL"),
    )
    op.create_index(
        "scheduled_activities_claim_idx",
        "scheduled_activities",
        ["tenant_id", "channel", "type", sa.literal_column("score DESC NULLS LAST"), "due_at", "id"],
        postgresql_where=sa.text("status = 'DUE'"),
    )
    op.create_index(
        "scheduled_activities_kind_by_created_at_idx",
        "scheduled_activities",
        ["tenant_id", "channel", "type", "created_at", "id"],
    )
    op.create_index(
        "scheduled_activities_kind_by_scheduled_at_idx",
        "scheduled_activities",
        ["tenant_id", "channel", "type", "scheduled_at", "id"],
    )
    op.create_index(
        "scheduled_activities_late_idx",
        "scheduled_activities",
        ["tenant_id", "scheduled_at", "id"],
        postgresql_where=sa.text("lateness_ms > 1000"),
    )
    op.create_index(
        "scheduled_activities_lease_idx",
        "scheduled_activities",
        ["tenant_id", "lease_expires_at"],
        postgresql_where=sa.text("status = 'DISPATCHED'"),
    )
    op.create_index(
        "scheduled_activities_marked_idx",
        "scheduled_activities",
        ["tenant_id", "marked_at"],
        postgresql_where=sa.text("status = 'DUE'"),
    )
    op.create_index(
        "scheduled_activities_open_idx",
        "scheduled_activities",
        ["scheduled_at"],
        postgresql_where=sa.text("status IN ('READY', 'UNRESOLVED')"),
    )
    op.create_index(
        "scheduled_activities_reason_by_created_at_idx",
        "scheduled_activities",
        ["tenant_id", "reason_code", "status", "created_at", "id"],
    )
    op.create_index(
        "scheduled_activities_reason_by_scheduled_at_idx",
        "scheduled_activities",
        ["tenant_id", "reason_code", "status", "scheduled_at", "id"],
    )
    op.create_index(
        op.f("scheduled_activities_tenant_id_commerce_id_scheduled_at_id_idx"),
        "scheduled_activities",
        ["tenant_id", "commerce_id", "scheduled_at", "id"],
    )
    op.create_index(
        op.f("scheduled_activities_tenant_id_lease_token_idx"),
        "scheduled_activities",
        ["tenant_id", "lease_token"],
        unique=True,
        postgresql_where=sa.text("lease_token IS NOT NULL"),
    )
    op.create_index(
        op.f("scheduled_activities_tenant_id_status_created_at_id_idx"),
        "scheduled_activities",
        ["tenant_id", "status", "created_at", "id"],
    )
    op.create_index(
        op.f("scheduled_activities_tenant_id_status_scheduled_at_id_idx"),
        "scheduled_activities",
        ["tenant_id", "status", "scheduled_at", "id"],
    )
    op.create_table(
        "activity_attributes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("value", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("fallback", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "PENDING",
                "RESOLVED",
                "FAILED",
                "FALLBACK",
                name="attributestatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "resolver_type",
            sa.Enum(
                "INTERNAL_SERVICE",
                "CLIENT_HOOK",
                "CALLER_PROVIDED",
                name="resolvertype",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("resolved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "activity_id"],
            ["scheduled_activities.tenant_id", "scheduled_activities.id"],
            name=op.f("activity_attributes_tenant_id_activity_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key"],
            ["attribute_keys.tenant_id", "attribute_keys.key"],
            name=op.f("activity_attributes_tenant_id_key_fkey"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "activity_id", "key", name=op.f("activity_attributes_pkey")),
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
        postgresql_where=sa.text("follow_up_at IS NOT NULL AND follow_up_id IS NULL"),
    )
    op.create_index(
        "activity_results_overrides_idx",
        "activity_results",
        ["received_at"],
        postgresql_where=sa.text("overrides_id IS NOT NULL"),
    )
    op.create_index(
        op.f("activity_results_tenant_id_provider_activity_id_id_idx"),
        "activity_results",
        ["tenant_id", "provider_activity_id", "id"],
        postgresql_where=sa.text("provider_activity_id IS NOT NULL"),
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
            sa.Enum(
                "PENDING",
                "APPLIED",
                "ACCEPTED",
                "REFUSED",
                "FAILED",
                name="itemoutcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "claimed_round",
            sa.SmallInteger(),
            nullable=True,
            comment="The last round in which its change was begun; without changed_at its outcome is open.",
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
    op.create_table(
        "contact_log",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("commerce_id", sa.Uuid(), nullable=False),
        sa.Column("commerce_user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "SALESMAN",
                "CALLCENTER",
                "WHATSAPP",
                "EMAIL",
                "SMS",
                "PUSH",
                name="channel",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("contacted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column(
            "is_sent",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="The tenant has sent it. It stays when a result is overridden.",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "commerce_id"],
            ["commerces.tenant_id", "commerces.id"],
            name=op.f("contact_log_tenant_id_commerce_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "commerce_user_id"],
            ["commerce_users.tenant_id", "commerce_users.id"],
            name=op.f("contact_log_tenant_id_commerce_user_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("contact_log_pkey")),
        sa.UniqueConstraint(
            "tenant_id",
            "commerce_user_id",
            "channel",
            "contacted_at",
            name=op.f("contact_log_tenant_id_commerce_user_id_channel_contacted_at_key"),
        ),
    )
    op.create_index(
        op.f("contact_log_tenant_id_commerce_id_contacted_at_idx"),
        "contact_log",
        ["tenant_id", "commerce_id", "contacted_at"],
    )
    op.create_table(
        "resolution_attempts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("explanation", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("attempted_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "activity_id"],
            ["scheduled_activities.tenant_id", "scheduled_activities.id"],
            name=op.f("resolution_attempts_tenant_id_activity_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "activity_id", "event_key", name=op.f("resolution_attempts_pkey")),
    )
    op.create_table(
        "status_events",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("to_status", sa.Text(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("occurred_at", postgresql.TIMESTAMP(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "activity_id"],
            ["scheduled_activities.tenant_id", "scheduled_activities.id"],
            name=op.f("status_events_tenant_id_activity_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "activity_id", "event_key", name=op.f("status_events_pkey")),
    )
    op.create_table(
        "target_users",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("commerce_user_id", sa.Uuid(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "PENDING",
                "RESOLVED",
                "LOCKED",
                "FAILED",
                name="targetstatus",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "strategy",
            sa.Enum(
                "ON_CREATION",
                "ON_DISPATCH",
                "MANUAL",
                name="targetstrategy",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "lock_reason",
            sa.Enum(
                "CRITERIA_MATCH",
                "FALLBACK_COMMERCE_REP",
                "FALLBACK_OWNER",
                "MANUAL_ASSIGNMENT",
                name="lockreason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("resolved_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "activity_id"],
            ["scheduled_activities.tenant_id", "scheduled_activities.id"],
            name=op.f("target_users_tenant_id_activity_id_fkey"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "commerce_user_id"],
            ["commerce_users.tenant_id", "commerce_users.id"],
            name=op.f("target_users_tenant_id_commerce_user_id_fkey"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "activity_id", "id", name=op.f("target_users_pkey")),
    )
    op.execute(NOTIFY)


def downgrade() -> None:
    """Take back."""
    for table in (
        "target_users",
        "status_events",
        "resolution_attempts",
        "contact_log",
        "bulk_operation_items",
        "activity_results",
        "activity_attributes",
        "scheduled_activities",
        "commerce_users",
        "attribute_policies",
        "user_statuses",
        "tenant_pauses",
        "task_result_types",
        "target_configs",
        "reasons",
        "dispatch_settings",
        "commerces",
        "bulk_settings",
        "bulk_operations",
        "attribute_keys",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION notify_scheduled_activity_due")
