"""The audit of administration: triggers write each change of a tenant's configuration, its pause, quotas and API keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
oldest_code = "0014"
branch_labels = None
depends_on = None

AUDITED = {
    "api_keys": ("API_KEY", "id"),
    "attribute_keys": ("ATTRIBUTE_KEY", "key"),
    "attribute_policies": ("ATTRIBUTE_POLICY", "key"),
    "bulk_settings": ("BULK_SETTINGS", ""),
    "dispatch_settings": ("DISPATCH_SETTINGS", ""),
    "reasons": ("REASON", "code"),
    "target_configs": ("TARGET_CONFIG", "id"),
    "task_result_types": ("TASK_RESULT_TYPE", "code"),
    "tenant_pauses": ("PAUSE", ""),
    "tenant_quotas": ("QUOTA", "name"),
    "user_statuses": ("USER_STATUS", "code"),
}
"""The tables, each with the name of what its rows are, and the column that tells a tenant's rows apart."""

AUDIT = """
CREATE FUNCTION audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    -- The tenant is a column of the entry; the others are not configuration, and a hash of a key is not to be read.
    hidden constant text[] = ARRAY['tenant_id', 'name_keys', 'key_hash', 'last_used_at'];
    earlier constant jsonb = CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - hidden END;
    later constant jsonb = CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - hidden END;
BEGIN
    IF earlier IS DISTINCT FROM later THEN
        INSERT INTO audit_entries (tenant_id, resource, resource_key, actor, before, after)
        VALUES (
            CASE TG_OP WHEN 'DELETE' THEN OLD.tenant_id ELSE NEW.tenant_id END,
            TG_ARGV[0],
            coalesce(later, earlier) ->> TG_ARGV[1],
            coalesce(nullif(current_setting('app.actor', true), ''), 'role:' || session_user),
            earlier,
            later);
    END IF;
    RETURN NULL;
END $$;
"""
"""A trigger, so that no statement changes configuration without an entry, also one that a person types."""

APPEND_ONLY = """
CREATE FUNCTION refuse_change_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries of the audit are never changed or deleted' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit();
ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER append_only;
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "audit_entries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("resource_key", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column(
            "occurred_at",
            postgresql.TIMESTAMP(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("audit_entries_pkey")),
    )
    op.execute(AUDIT)
    op.execute(APPEND_ONLY)
    for table, (resource, key) in AUDITED.items():
        op.execute(
            f"CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION audit_change('{resource}', '{key}')"
        )


def downgrade() -> None:
    """Take back."""
    for table in AUDITED:
        op.execute(f"DROP TRIGGER audit ON {table}")
    op.execute("DROP FUNCTION audit_change")
    op.drop_table("audit_entries")
    op.execute("DROP FUNCTION refuse_change_of_audit")
