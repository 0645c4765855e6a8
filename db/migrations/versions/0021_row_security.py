"""Row-level security: the API and the worker see and write the rows of one tenant at a time.

Every step can be repeated after a failure.
"""

import sqlalchemy as sa
from alembic import op

from db.roles import API, EVERY_RIGHT, OWN_TENANT, SYSTEM, WORKER, definer_function_statements, isolation_statement

revision = "0021"
down_revision = "0020"
oldest_code = "0014"
branch_labels = None
depends_on = None

TABLES = sa.text(
    """
    SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attname = 'tenant_id' ORDER BY relname
    """
)
RIGHTS = {"audit_entries": "SELECT, INSERT"}

FUNCTIONS = {
    "backlog_figures(lead_seconds double precision)": """
RETURNS TABLE (
    overdue bigint, oldest_overdue_seconds numeric, unresolved bigint, due_soon bigint, due jsonb, expired_leases bigint)
AS $$
    SELECT
        (SELECT count(*) FROM (
            SELECT FROM scheduled_activities WHERE status = 'READY' AND scheduled_at < statement_timestamp()
            LIMIT 100000) AS counted),
        (SELECT coalesce(extract(epoch FROM statement_timestamp() - min(scheduled_at)), 0)
            FROM scheduled_activities WHERE status = 'READY' AND scheduled_at < statement_timestamp()),
        (SELECT count(*) FROM (
            SELECT FROM scheduled_activities WHERE status = 'UNRESOLVED' LIMIT 100000) AS counted),
        (SELECT count(*) FROM (
            SELECT FROM scheduled_activities
            WHERE status = 'READY' AND scheduled_at <= statement_timestamp() + make_interval(secs => lead_seconds)
            LIMIT 100000) AS counted),
        (SELECT coalesce(jsonb_object_agg(channel, figures), '{}') FROM (
            SELECT channel, jsonb_build_array(count(*), extract(epoch FROM statement_timestamp() - min(due_at))) AS figures
            FROM (
                SELECT channel, due_at FROM scheduled_activities AS activity
                WHERE status = 'DUE' AND due_at <= statement_timestamp()
                    AND NOT EXISTS (SELECT FROM tenant_pauses WHERE tenant_id = activity.tenant_id)
                LIMIT 100000) AS counted
            GROUP BY channel) AS by_channel),
        (SELECT count(*) FROM (
            SELECT FROM scheduled_activities WHERE status = 'DISPATCHED' AND lease_expires_at <= statement_timestamp()
            LIMIT 100000) AS counted);
$$
""",
    "find_api_key(wanted_hash bytea)": """
RETURNS TABLE (tenant_id uuid, id uuid, permissions text[], seconds_left numeric, is_use_unnoted boolean)
AS $$
    SELECT
        key.tenant_id,
        key.id,
        key.permissions,
        extract(epoch FROM key.expires_at - statement_timestamp()),
        key.last_used_at IS NULL OR key.last_used_at <= statement_timestamp() - interval '1 minute'
    FROM api_keys AS key WHERE key.key_hash = wanted_hash;
$$
""",
    "missing_payload_keys(known text[])": """
RETURNS TABLE (key_id text, activities bigint)
AS $$
    WITH RECURSIVE found AS (
        SELECT min(payload_key_id) AS id FROM scheduled_activities
            WHERE payload_key_id IS NOT NULL AND status IN ('READY', 'UNRESOLVED')
        UNION ALL
        SELECT (SELECT min(payload_key_id) FROM scheduled_activities
            WHERE payload_key_id > found.id AND payload_key_id IS NOT NULL AND status IN ('READY', 'UNRESOLVED'))
            FROM found WHERE found.id IS NOT NULL)
    SELECT id, (SELECT count(*) FROM scheduled_activities WHERE payload_key_id = found.id AND status IN ('READY', 'UNRESOLVED'))
        FROM found WHERE id IS NOT NULL AND id <> ALL (known) ORDER BY id;
$$
""",
    "list_quotas()": """
RETURNS TABLE (tenant_id uuid, name text, value bigint)
AS $$
    SELECT quota.tenant_id, quota.name, quota.value FROM tenant_quotas AS quota;
$$
""",
    **{
        f"find_in_{catalogue}(wanted_key uuid)": f"""
RETURNS TABLE (tenant_id uuid, code text, label text, aliases text[], is_active boolean, name_keys uuid[]) ROWS 1
AS $$
    SELECT entry.tenant_id, entry.code, entry.label, entry.aliases, entry.is_active, entry.name_keys
    FROM {catalogue} AS entry
    WHERE entry.name_keys @> ARRAY[wanted_key] AND entry.tenant_id IS NOT DISTINCT FROM {OWN_TENANT};
$$
"""  # noqa: S608 - two names of ours
        for catalogue in ("reasons", "user_statuses")
    },
}
"""Functions with the owner's rights: they read for all roles what row-level security hides.

The last two find entries of the own tenant alone. PostgreSQL judges a policy before an operator that may reveal its operands,
such as the one that an index of arrays serves: without these functions each look-up would read the whole catalogue.
"""


def upgrade() -> None:
    """Apply."""
    op.execute(f"GRANT SELECT ON alembic_version TO {SYSTEM}, {API}, {WORKER}")
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    for function, body in FUNCTIONS.items():
        for statement in definer_function_statements(function, body, schema):
            op.execute(statement)
    tables = op.get_bind().execute(TABLES).scalars().all()
    with op.get_context().autocommit_block():  # a lock on one table at a time
        for table in tables:
            op.execute(isolation_statement(table, RIGHTS.get(table, EVERY_RIGHT)))


def downgrade() -> None:
    """Take back."""
    for table in op.get_bind().execute(TABLES).scalars().all():
        op.execute(f"DROP POLICY IF EXISTS own_tenant ON {table}")
        op.execute(f"DROP POLICY IF EXISTS every_tenant ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        op.execute(f"REVOKE ALL ON {table} FROM {SYSTEM}, {API}, {WORKER}")
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION IF EXISTS {function}")
