"""GET /api/operations: the bulk operations of a tenant, and the trails that name them."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from api.http.auth import Permission
from db.bulk_operations import operations_statement
from tests.support.builders import Tenant
from tests.support.bulk import ACTIVITIES, begun, campaign, ended
from tests.support.plans import nodes, planning_as
from tests.support.service import Service
from workflows.bulk import BulkState, BulkVerb

OPERATIONS = "/api/operations"
ROWS = 5_000
MANY = text("""
INSERT INTO bulk_operations (tenant_id, id, verb, change, filter, actor, per_second, state, created_at)
SELECT :tenant, gen_random_uuid(), 'cancel', '{"verb": "cancel", "reason": "r"}', '{"channel": "SMS"}', 'tester', 20,
    'COMPLETED', now() - n * interval '1 minute'
FROM generate_series(1, :rows) n
""")
ITEMS = text("""
INSERT INTO bulk_operation_items (tenant_id, operation_id, position, activity_id, scheduled_at, outcome)
SELECT :tenant, :operation, n, :activity, now(), 'APPLIED' FROM generate_series(1, :rows) n
""")


async def operations(http: httpx.AsyncClient, **parameters: Any) -> list[str]:
    """The paths of the listed operations."""
    answer = await http.get(OPERATIONS, params=parameters)
    assert answer.status_code == 200, answer.text
    return [f"{OPERATIONS}/{one['id']}" for one in answer.json()["data"]]


async def test_operations_are_listed_the_latest_first_with_their_totals(http: httpx.AsyncClient) -> None:
    activities = await campaign(http, 3)
    moved = await begun(http, "reschedule", per_second=100, shift_seconds=60)
    await ended(http, moved)
    canceled = await begun(http, "cancel", per_second=100)
    await ended(http, canceled)
    nothing = await begun(http, "cancel", filter={"channel": "PUSH"})
    await ended(http, nothing)
    listed = (await http.get(OPERATIONS)).json()
    assert [(one["verb"], one["state"], one["total"], one["reason"]) for one in listed["data"]] == [
        ("cancel", "COMPLETED", 0, "a mistake"),
        ("cancel", "COMPLETED", 3, "a mistake"),
        ("reschedule", "COMPLETED", 3, "a mistake"),
    ]
    assert [f"{OPERATIONS}/{one['id']}" for one in listed["data"]] == [nothing, canceled, moved]
    assert listed["meta"] | {"page": 1, "total": 3} == listed["meta"]
    for one, path in zip(listed["data"], (nothing, canceled, moved), strict=True):
        read = (await http.get(path)).json()
        assert one == {name: value for name, value in read.items() if name not in {"counts", "items"}}
    for one in activities:
        events = (await http.get(f"{ACTIVITIES}/{one['id']}/status-events")).json()["data"]
        named = [
            (event["eventType"], event["operationId"] and f"{OPERATIONS}/{event['operationId']}") for event in events
        ]
        assert named == [("CREATED", None), ("RESCHEDULED", moved), ("CANCELED", canceled)]


async def test_operations_are_filtered_by_state_and_verb_and_paged(http: httpx.AsyncClient) -> None:
    await campaign(http, 1)
    moved = await begun(http, "reschedule", shift_seconds=60)
    await ended(http, moved)
    first, second = await begun(http, "cancel"), await begun(http, "cancel", filter={"channel": "PUSH"})
    for path in (first, second):
        await ended(http, path)
    assert await operations(http, verb="reschedule") == [moved]
    assert await operations(http, verb="cancel") == [second, first]
    assert await operations(http, state="COMPLETED", verb="cancel", per_page=1) == [second]
    assert await operations(http, state="COMPLETED", verb="cancel", per_page=1, page=2) == [first]
    assert await operations(http, state=["COMPLETED", "QUEUED"]) == [second, first, moved]
    assert await operations(http, state="STOPPED") == []


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [({"state": "DONE"}, "/query/state/0"), ({"verb": "retry"}, "/query/verb"), ({"limit": 5}, "/query/limit")],
    ids=["state", "verb", "unknown"],
)
async def test_a_wrong_parameter_of_the_list_is_named(
    http: httpx.AsyncClient, parameters: dict[str, Any], pointer: str
) -> None:
    answer = await http.get(OPERATIONS, params=parameters)
    assert (answer.status_code, [fault["pointer"] for fault in answer.json()["errors"]]) == (400, [pointer])


async def test_operations_are_listed_for_their_tenant_and_its_viewers(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    await begun(http, "cancel", filter={"channel": "PUSH"})
    other = await service.tenant()
    async with service.client(other.id) as theirs:
        assert await operations(theirs) == []
    async with service.client(tenant.id, Permission.CANCEL_ACTIVITY) as blind:
        answer = await blind.get(OPERATIONS)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert "VIEW_ACTIVITIES" in answer.json()["detail"]
    assert (await http.head(OPERATIONS)).status_code == 200
    assert (await http.post(OPERATIONS, json={})).status_code == 405


@pytest.mark.parametrize(
    ("states", "verb"), [((), None), ((BulkState.COMPLETED,), BulkVerb.CANCEL)], ids=["all", "filtered"]
)
async def test_a_page_reads_no_more_than_its_operations(
    service: Service, http: httpx.AsyncClient, states: tuple[BulkState, ...], verb: BulkVerb | None
) -> None:
    """However many operations there were before, and however many items they have."""
    (activity,) = await campaign(http, 1)
    tenant_id, operation = UUID(http.headers["x-tenant-id"]), await begun(http, "cancel", filter={"channel": "PUSH"})
    await ended(http, operation)
    of_last = {"operation": operation.rsplit("/", 1)[1], "activity": activity["id"]}
    async with service.database.transactions.connect() as connection:
        await connection.execute(MANY, {"tenant": tenant_id, "rows": ROWS})
        await connection.execute(ITEMS, {"tenant": tenant_id, "rows": ROWS, **of_last})
        statement = operations_statement(tenant_id, states, verb).limit(26)
        compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
        await connection.execute(text("ANALYZE bulk_operations, bulk_operation_items"))
        async with planning_as(connection, tenant_id):
            planned = await connection.exec_driver_sql(
                f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {compiled}", compiled.construct_params()
            )
        (plan,) = planned.scalar_one()
        (row,) = (await connection.execute(operations_statement(tenant_id).limit(1))).mappings().all()
        await connection.rollback()
    assert row["total"] == ROWS
    scans = [node for node in nodes(plan["Plan"]) if "Relation Name" in node]
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in scans) <= 2 * 26
    assert plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"] < 500
