"""The roles of PostgreSQL that the service uses, and the statements that show a role the rows of its tenant alone."""

from collections.abc import Iterator

OWNER = "scheduler_owner"
"""Owns the tables and runs the migrations."""
SYSTEM = "scheduler_system"
"""Reads and writes rows of all tenants: the worker's statements in `db/across_tenants.py`."""
API = "scheduler_api"
WORKER = "scheduler_worker"

TENANT_SETTING = "app.tenant_id"
OWN_TENANT = f"nullif(current_setting('{TENANT_SETTING}', true), '')::uuid"
"""The tenant of the transaction; null, which equals no tenant, where none is set."""

IS_OWN = f"tenant_id = (SELECT {OWN_TENANT})"

EVERY_RIGHT = "SELECT, INSERT, UPDATE, DELETE"


def isolation_statement(table: str, rights: str = EVERY_RIGHT) -> str:
    """Build the statement that isolates the tenants of a table. A migration that creates a table executes it.

    It is several commands in one, which are carried out together, so that the rows are never hidden from the roles that
    work across tenants. It can be repeated. Each of the service's roles gets `rights`.

    The sub-select keeps the planner from looking the tenant up in its statistics. They don't know a new tenant, which
    would count as one row: a statement that should look rows up by their keys would read all of the tenant's rows.
    """
    return f"""
        ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
        ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
        DROP POLICY IF EXISTS every_tenant ON {table};
        CREATE POLICY every_tenant ON {table} TO {OWNER}, {SYSTEM} USING (true) WITH CHECK (true);
        DROP POLICY IF EXISTS own_tenant ON {table};
        CREATE POLICY own_tenant ON {table} TO {API}, {WORKER}
            USING ({IS_OWN}) WITH CHECK (tenant_id = {OWN_TENANT});
        GRANT {rights} ON {table} TO {SYSTEM}, {API}, {WORKER};
    """


def definer_function_statements(function: str, body: str, schema: str) -> Iterator[str]:
    """Build the statements that create a function with its owner's rights, which the service's roles alone may call.

    Its `body` is a text, `RETURNS … AS $$…$$`, so that a migration may alter what it reads. They can be repeated.
    """
    rights = f"LANGUAGE sql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp AS"
    yield f"CREATE OR REPLACE FUNCTION {function} {body.replace('AS $$', f'{rights} $$')}"
    yield f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION {function} TO {SYSTEM}, {API}, {WORKER}"
