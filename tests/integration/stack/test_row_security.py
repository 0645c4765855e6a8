"""Test that each role of PostgreSQL sees and writes the rows of the tenant that is set, and of no other."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import ProgrammingError

from db.models import Table
from db.roles import API, OWNER, SYSTEM, WORKER, isolation_statement
from embedded.postgres import Postgres
from tests.support.every_table import build_row, fill_tables
from tests.support.worlds import new_database

OURS, THEIRS = uuid4(), uuid4()
TABLES = {table.name: table for table in Table.metadata.sorted_tables}
APPEND_ONLY = {"audit_entries"}
HIDDEN = "new row violates row-level security policy"

UNPROTECTED = """
    SELECT DISTINCT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'm', 'v') AND attname = 'tenant_id'
        AND NOT (relrowsecurity AND relforcerowsecurity AND relkind IN ('r', 'p') AND (
            SELECT array_agg(polname ORDER BY polname) FROM pg_policy WHERE polrelid = pg_class.oid
        ) = '{every_tenant,own_tenant}')
"""


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> str:
    """Create a database in which two tenants have a row in each table."""
    name = "row-security"
    fill_tables(new_database(postgres, name), (OURS, THEIRS))
    return name


@contextmanager
def acting(postgres: Postgres, database: str, role: str, tenant_id: UUID | None = None) -> Iterator[sa.Connection]:
    """Begin a transaction of the role, of this tenant or of none, and roll it back."""
    engine = sa.create_engine(postgres.url(database, role), poolclass=sa.NullPool)
    with engine.connect() as connection:
        set_tenant(connection, tenant_id)
        yield connection
        connection.rollback()


def set_tenant(connection: sa.Connection, tenant_id: UUID | None) -> None:
    if tenant_id:
        connection.execute(sa.select(sa.func.set_config("app.tenant_id", str(tenant_id), sa.true())))


def cells(row: dict[str, Any]) -> set[str]:
    """Return what an error must not quote."""
    return {str(value) for value in row.values() if isinstance(value, UUID) or "secret" in str(value)} - {str(OURS)}


def test_every_table_with_a_tenant_has_its_policies_enabled_and_forced(postgres: Postgres) -> None:
    new_database(postgres, "policies")
    with postgres.connect("policies") as connection:
        assert connection.execute(UNPROTECTED).fetchall() == []
        connection.execute("CREATE TABLE forgotten (tenant_id uuid)")
        connection.execute("CREATE VIEW seen_through AS SELECT tenant_id FROM commerces")
        assert sorted(connection.execute(UNPROTECTED).fetchall()) == [("forgotten",), ("seen_through",)]
        connection.execute("DROP VIEW seen_through")
        connection.execute(isolation_statement("forgotten").encode())
        assert connection.execute(UNPROTECTED).fetchall() == []


def test_no_role_of_the_service_passes_over_policies(postgres: Postgres) -> None:
    with postgres.connect() as connection:
        found = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = ANY(%s)",
            [[OWNER, SYSTEM, API, WORKER]],
        ).fetchall()
        members = connection.execute(
            "SELECT FROM pg_auth_members WHERE roleid IN (%s::regrole, %s::regrole)", [OWNER, SYSTEM]
        ).fetchall()
    assert sorted(found) == [(role, False, False) for role in sorted((OWNER, SYSTEM, API, WORKER))]
    assert members == []


@pytest.mark.parametrize("role", [API, WORKER])
@pytest.mark.parametrize("table", TABLES)
def test_without_a_tenant_a_role_reads_and_writes_no_row(
    postgres: Postgres, database: str, table: str, role: str
) -> None:
    with acting(postgres, database, role) as connection:
        assert connection.execute(sa.select(TABLES[table])).all() == []
        for change in changes_of(table):
            assert connection.execute(change).rowcount == 0
        refuse_insert(connection, table, THEIRS)
    with acting(postgres, database, role) as connection:
        refuse_insert(connection, table, OURS)


@pytest.mark.parametrize("role", [API, WORKER])
@pytest.mark.parametrize("table", TABLES)
def test_with_a_tenant_a_role_reads_and_writes_its_rows_alone(
    postgres: Postgres, database: str, table: str, role: str
) -> None:
    with acting(postgres, database, role, OURS) as connection:
        assert [row.tenant_id for row in connection.execute(sa.select(TABLES[table]))] == [OURS]
        theirs = TABLES[table].c.tenant_id == THEIRS
        assert connection.execute(sa.select(sa.func.count()).select_from(TABLES[table]).where(theirs)).scalar_one() == 0
        for change in changes_of(table):
            assert connection.execute(change.where(theirs)).rowcount == 0
            assert connection.execute(change.returning(TABLES[table].c.tenant_id)).scalars().all() == [OURS]
            connection.rollback()
            set_tenant(connection, OURS)
        refuse_insert(connection, table, THEIRS)
    with acting(postgres, database, SYSTEM) as connection:
        assert {row.tenant_id for row in connection.execute(sa.select(TABLES[table]))} == {OURS, THEIRS}


@pytest.mark.parametrize("role", [API, WORKER])
@pytest.mark.parametrize("table", TABLES)
def test_no_row_is_given_to_another_tenant_or_taken_from_it(
    postgres: Postgres, database: str, table: str, role: str
) -> None:
    with acting(postgres, database, role, OURS) as connection, pytest.raises(ProgrammingError) as refused:
        connection.execute(sa.update(TABLES[table]).values(tenant_id=THEIRS))
    assert HIDDEN in str(refused.value.orig) or table in APPEND_ONLY
    with acting(postgres, database, SYSTEM) as connection:
        row = dict(
            connection.execute(sa.select(TABLES[table]).where(TABLES[table].c.tenant_id == THEIRS)).mappings().one()
        )
    with acting(postgres, database, role, OURS) as connection, pytest.raises(ProgrammingError) as refused:
        connection.execute(postgresql.insert(TABLES[table]).values(row).on_conflict_do_nothing())
    assert HIDDEN in str(refused.value.orig)
    assert not [cell for cell in cells(row) if cell in str(refused.value.orig)]


def changes_of(table: str) -> list[Any]:
    """Return an UPDATE and a DELETE of all rows that the role sees."""
    if table in APPEND_ONLY:
        return []
    return [sa.update(TABLES[table]).values(tenant_id=TABLES[table].c.tenant_id), sa.delete(TABLES[table])]


def refuse_insert(connection: sa.Connection, table: str, tenant_id: UUID) -> None:
    with pytest.raises(ProgrammingError) as refused:
        connection.execute(sa.insert(TABLES[table]).values(build_row(TABLES[table], tenant_id)))
    assert HIDDEN in str(refused.value.orig)


@pytest.mark.parametrize("role", [SYSTEM, API, WORKER])
@pytest.mark.parametrize(
    "verb", ["UPDATE audit_entries SET actor = ''", "DELETE FROM audit_entries", "TRUNCATE commerces"]
)
def test_a_process_has_no_right_to_change_the_audit_or_to_empty_a_table(
    postgres: Postgres, database: str, role: str, verb: str
) -> None:
    with (
        acting(postgres, database, role, OURS) as connection,
        pytest.raises(ProgrammingError, match="permission denied"),
    ):
        connection.execute(sa.text(verb))


@pytest.mark.parametrize("table", TABLES)
def test_a_backfill_by_the_owner_changes_the_rows_of_all_tenants(postgres: Postgres, database: str, table: str) -> None:
    with acting(postgres, database, OWNER) as connection:
        assert {row.tenant_id for row in connection.execute(sa.select(TABLES[table]))} == {OURS, THEIRS}
        for change in changes_of(table)[:1]:
            assert connection.execute(change).rowcount == 2


def test_the_functions_that_look_behind_the_policies_are_known_and_closed_to_others(
    postgres: Postgres, database: str
) -> None:
    with postgres.connect(database) as connection:
        found = connection.execute(
            """SELECT proname, proowner::regrole::text, has_function_privilege('public', oid, 'EXECUTE') FROM pg_proc
               WHERE prosecdef AND pronamespace = 'public'::regnamespace ORDER BY proname"""
        ).fetchall()
    names = ("backlog_figures", "find_api_key", "find_in_reasons", "find_in_user_statuses", "find_removal_of_provider")
    assert found == [(name, OWNER, False) for name in (*names, "list_quotas", "missing_payload_keys")]


@pytest.mark.parametrize("catalogue", ["reasons", "user_statuses"])
def test_a_name_is_found_in_the_catalogue_of_the_own_tenant_alone(
    postgres: Postgres, database: str, catalogue: str
) -> None:
    with acting(postgres, database, SYSTEM) as connection:
        keys = {row.tenant_id: row.name_keys[0] for row in connection.execute(sa.select(TABLES[catalogue]))}
    for tenant_id, found in ((None, 0), (OURS, 1), (THEIRS, 0)):
        with acting(postgres, database, API, tenant_id) as connection:
            entries = getattr(sa.func, f"find_in_{catalogue}")(keys[OURS]).table_valued("code")
            assert len(connection.execute(sa.select(entries.c.code)).all()) == found
