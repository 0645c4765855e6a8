"""A look-up of removed activities by a provider's id that an index serves.

PostgreSQL judges a policy before an operator that may reveal its operands, such as the one that an index of arrays serves:
without the function each look-up would read all removed activities of the tenant.
"""

import sqlalchemy as sa
from alembic import op

from db.roles import OWN_TENANT, definer_function_statements

revision = "0027"
down_revision = "0026"
oldest_code = "0025"
branch_labels = None
depends_on = None

FUNCTION = "find_removal_of_provider(wanted_hash bytea)"
BODY = f"""
RETURNS TABLE (activity_id uuid, request_hash bytea, cause text, removed_at timestamptz) ROWS 1
AS $$
    SELECT removed.activity_id, removed.request_hash, removed.cause, removed.removed_at
    FROM removed_activities AS removed
    WHERE removed.provider_hashes @> ARRAY[wanted_hash] AND removed.tenant_id = {OWN_TENANT}
    ORDER BY removed.removed_at DESC LIMIT 1;
$$
"""  # noqa: S608 - a name of ours


def upgrade() -> None:
    """Apply."""
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    for statement in definer_function_statements(FUNCTION, BODY, schema):
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    op.execute(f"DROP FUNCTION IF EXISTS {FUNCTION}")
