"""Test plans of claims and lists at many rows, and of claims of a tenant that no statistic knows."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, create_engine, text

from db.claims import CLAIM_STATEMENT, EXPIRE_STATEMENT, Claim
from db.listing import Listed, Slice
from db.models import ScheduledActivity, TargetUser
from embedded.postgres import Postgres
from tests.support.plans import nodes, planning_in
from tests.support.worlds import new_database
from workflows.messages import ActivityFilter
from workflows.words import ActivityType, Channel

ROWS = 250_000
TENANT, COMMERCE = uuid4(), uuid4()
TABLES = (ScheduledActivity.__tablename__, TargetUser.__tablename__)
KEPT = (
    *("scheduled_activities_claim_idx", "scheduled_activities_lease_idx", "scheduled_activities_pkey"),
    "scheduled_activities_tenant_id_status_scheduled_at_id_idx",
)
FILL = """
INSERT INTO scheduled_activities (
    tenant_id, idempotency_key, type, channel, commerce_id, reason_code, reason_label, request, run_id,
    scheduled_at, due_at, marked_at, lateness_ms, score, status)
SELECT :tenant, n, 'MESSAGE', 'WHATSAPP', :commerce, 'r', 'R', '{}', '',
    now() - abs(n) * interval '1 s', now() - abs(n) * interval '1 s', now(), 0, n % 7,
    CASE WHEN n % 12500 = 0 THEN 'DUE' ELSE 'COMPLETED' END
FROM generate_series(1, :rows) n
"""
CONSTRAINTS = """
SELECT conname FROM pg_constraint WHERE conrelid = 'scheduled_activities'::regclass AND contype <> 'n'
"""
INDICES = "SELECT indexname FROM pg_indexes WHERE tablename = 'scheduled_activities' AND indexname <> ALL(:kept)"
TARGETS = """
INSERT INTO target_users (tenant_id, activity_id, commerce_user_id, status, strategy)
SELECT tenant_id, id, gen_random_uuid(), 'RESOLVED', 'ON_CREATION' FROM scheduled_activities
WHERE tenant_id = :tenant LIMIT 100000
"""
LEASES = 40
END_LEASES = """
UPDATE scheduled_activities SET status = 'DISPATCHED', attempts = 1, executor = 'robot',
    lease_token = gen_random_uuid(), taken_at = now(),
    lease_expires_at = now() + (CASE WHEN n % 2 = 0 THEN -1 ELSE 1 END) * interval '1 minute',
    expired_leases = CASE WHEN n % 4 = 0 THEN 2 ELSE 0 END
FROM (SELECT id, row_number() OVER () AS n FROM scheduled_activities
    WHERE tenant_id = :tenant AND status = 'DUE' AND channel = 'SALESMAN' LIMIT :leases) AS chosen
WHERE tenant_id = :tenant AND scheduled_activities.id = chosen.id
"""
HERD = FILL.replace("n % 12500 = 0", "true")
BACKLOG = HERD.replace("'WHATSAPP'", "'SALESMAN'").replace("1, :rows", "-:rows, -1")


@pytest.fixture(scope="module")
def filled(postgres: Postgres) -> Iterator[Connection]:
    """Filled with nothing checked and the two indices that matter, the key made after: seconds instead of a minute."""
    engine = create_engine(new_database(postgres))
    values: dict[str, Any] = {"tenant": TENANT, "commerce": COMMERCE}
    with engine.begin() as connection:
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        for (name,) in connection.execute(text(CONSTRAINTS)).all():
            connection.execute(text(f"ALTER TABLE scheduled_activities DROP CONSTRAINT {name} CASCADE"))
        for (name,) in connection.execute(text(INDICES), {"kept": list(KEPT)}).all():
            connection.execute(text(f"DROP INDEX {name}"))
        connection.execute(text(FILL), values | {"rows": ROWS})
        connection.execute(text(BACKLOG), values | {"rows": ROWS // 12})
        connection.execute(text("ALTER TABLE scheduled_activities ADD PRIMARY KEY (tenant_id, id)"))
        connection.execute(text(TARGETS), values)
    with engine.connect() as connection:
        yield connection
        connection.rollback()
    engine.dispose()


def claim(tenant_id: UUID = TENANT, limit: int = 10) -> dict[str, Any]:
    """The parameters of one for all channels but the salesmen's."""
    channels = [channel for channel in Channel if channel is not Channel.SALESMAN]
    return Claim(tenant_id, channels, list(ActivityType), limit, timedelta(minutes=1), "robot", "tester").parameters()


def scans(connection: Connection, statement: Any, parameters: dict[str, Any]) -> list[dict[str, Any]]:
    """Every look at the table, as it went."""
    compiled = statement.compile(connection.engine)
    with connection.begin_nested() as unharmed:
        with planning_in(connection, parameters.get("wanted_tenant_id", TENANT)):
            explained = connection.exec_driver_sql(
                f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled}", compiled.construct_params(parameters)
            )
            (plan,) = explained.scalar_one()
        unharmed.rollback()
    return [node for node in nodes(plan["Plan"]) if node.get("Relation Name") in TABLES]


@pytest.mark.parametrize("is_analyzed", [False, True])
def test_a_claim_reads_no_more_of_many_rows_than_it_takes(
    filled: Connection,
    is_analyzed: bool,  # noqa: FBT001 - pytest's
) -> None:
    """Run each test with and without statistics."""
    if is_analyzed:
        filled.execute(text("ANALYZE scheduled_activities, target_users"))
    for statement in (EXPIRE_STATEMENT, CLAIM_STATEMENT):
        read = [scan for scan in scans(filled, statement, claim()) if scan["Node Type"] != "ModifyTable"]
        assert "Seq Scan" not in {scan["Node Type"] for scan in read}
        found = [scan for scan in read if scan["Relation Name"] == ScheduledActivity.__tablename__]
        assert sum(scan["Actual Rows"] * scan["Actual Loops"] for scan in found) <= 2 * 10
        assert sum(scan.get("Rows Removed by Filter", 0) * scan["Actual Loops"] for scan in found) == 0


def test_twenty_are_due_and_no_more_are_taken(filled: Connection) -> None:
    taken = filled.execute(CLAIM_STATEMENT, claim(limit=100)).all()
    assert len(taken) == ROWS // 12_500
    assert [row.score for row in taken] == sorted((row.score for row in taken), reverse=True)
    assert filled.execute(CLAIM_STATEMENT, claim(limit=100)).all() == []


@pytest.mark.parametrize("status", ["DISPATCHED", "DUE", "FAILED"])
def test_a_list_by_status_reads_leases_as_one_more_range_of_many_rows(filled: Connection, status: str) -> None:
    """Half of the leases have ended, and half of these were the last ones."""
    page = Slice(26, "scheduled_at")
    listed = Listed(TENANT, ActivityFilter.model_validate({"status": [status]}), None)
    with filled.begin_nested() as unharmed:
        filled.execute(text(END_LEASES), {"tenant": TENANT, "leases": LEASES})
        read = scans(filled, listed.snapshots_statement(page), {})
        found = filled.execute(listed.snapshots_statement(page)).all()
        unharmed.rollback()
    assert {row.effective_status for row in found} == {status}
    assert "Seq Scan" not in {scan["Node Type"] for scan in read}
    looked_at = [(scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)) * scan["Actual Loops"] for scan in read]
    assert sum(looked_at) <= 3 * 26 + 2 * LEASES


def test_the_rows_of_a_tenant_that_no_statistic_knows_are_looked_up_by_their_keys(postgres: Postgres) -> None:
    """Else a claim of 20 reads all of them, and the targets of these 20 for each."""
    newcomer, limit = uuid4(), 20
    engine = create_engine(new_database(postgres))
    with engine.connect() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        for tenant in (uuid4(), uuid4(), newcomer):
            if tenant == newcomer:
                connection.execute(text("ANALYZE"))
            connection.execute(text(HERD), {"tenant": tenant, "commerce": COMMERCE, "rows": 1000})
            connection.execute(text(TARGETS), {"tenant": tenant})
        connection.execute(text("RESET session_replication_role"))
        connection.commit()
        parameters = claim(newcomer, limit)
        read = [scan for one in (EXPIRE_STATEMENT, CLAIM_STATEMENT) for scan in scans(connection, one, parameters)]
    engine.dispose()
    assert max(scan["Actual Loops"] for scan in read) <= limit
    targets = [scan for scan in read if scan["Relation Name"] == TargetUser.__tablename__]
    assert sum(scan["Actual Rows"] * scan["Actual Loops"] for scan in targets) <= 4 * limit
