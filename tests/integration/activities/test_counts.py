"""GET /api/activities/counts: what is counted, what is refused, and how much is read for it."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.client import Client

from api.http.auth import Permission
from db.counts import IN_ORDER_OF_INDICES, MOST_OF_CELL, SCANNED, Counted, Dimension
from db.listing import Listed
from db.models import ScheduledActivity, TenantPause
from db.rows import Rows
from db.snapshots import EFFECTIVE_STATUS
from embedded.postgres import Postgres
from tests.integration.activities.test_listing_ranges import FILTERS, fill
from tests.support.activities import created
from tests.support.builders import COMMERCE_ID, Tenant
from tests.support.plans import WITHOUT_LIMITS, nodes, planning_as
from tests.support.service import Service, running_service
from tests.support.worlds import new_database, new_namespace
from workflows.messages import ActivityFilter

COUNTS = "/api/activities/counts"
PROPERTIES = [
    frozenset(map(Dimension, names))
    for names in (("status",), ("channel",), ("status", "channel"), ("hour",), ("status", "hour"), tuple(Dimension))
]
SPAN = {"scheduled_from": datetime.now(UTC) - timedelta(days=3), "scheduled_to": datetime.now(UTC) + timedelta(days=1)}

CROWD = text("""
INSERT INTO scheduled_activities (tenant_id, idempotency_key, type, channel, commerce_id, reason_code, reason_label,
    status, scheduled_at, request, run_id)
SELECT :tenant, 'crowd-' || n, CASE n % 3 WHEN 0 THEN 'TASK' ELSE 'MESSAGE' END,
    CASE WHEN n <= :rare THEN 'PUSH' ELSE 'SMS' END, :commerce, 'r', 'R',
    CASE WHEN n % 1000 = 1 THEN 'UNRESOLVED' ELSE 'CANCELED' END,
    date_trunc('hour', CAST(:at AS timestamptz)) + n % 5 * interval '1 hour', '{}', ''
FROM generate_series(1, :rows) n
""")
CROWD_AT = datetime(2031, 1, 1, 8, tzinfo=UTC)
CROWD_ROWS = SCANNED + 10_000
RARE = 7


@pytest.fixture(scope="module")
async def service(postgres: Postgres, temporal: Client) -> AsyncIterator[Service]:
    """A service with a database of its own: so many rows would change the plans of other tests."""
    async with running_service(new_database(postgres), await new_namespace(temporal)) as running:
        yield running


async def counts(http: httpx.AsyncClient, by: str, **parameters: Any) -> list[dict[str, Any]]:
    """The cells of an answer."""
    answer = await http.get(COUNTS, params={"by": by, **parameters})
    assert answer.status_code == 200, answer.text
    cells: list[dict[str, Any]] = answer.json()["data"]
    return cells


@pytest.fixture(scope="module")
async def crowded(service: Service) -> Tenant:
    """A tenant with more activities than are read one by one."""
    tenant = await service.tenant()
    values = {"tenant": tenant.id, "commerce": COMMERCE_ID, "rows": CROWD_ROWS, "rare": RARE, "at": CROWD_AT}
    async with service.database.transactions.begin() as connection:
        await connection.execute(WITHOUT_LIMITS)
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await connection.execute(CROWD, values)
    async with service.database.autocommit.connect() as connection:
        await connection.execute(text("VACUUM ANALYZE scheduled_activities"))
    return tenant


@pytest.fixture(scope="module")
async def filled(service: Service) -> Tenant:
    """A tenant with enough activities in every status for more cells than an answer may have."""
    return await fill(service, 8_000)


async def test_activities_are_counted_by_what_is_asked_for(http: httpx.AsyncClient) -> None:
    times = ["2031-01-01T09:00:00Z", "2031-01-01T09:59:59.999Z", "2031-01-01T12:30:00+02:30"]
    activities = [await created(http, channel="SMS", scheduled_at=time) for time in times]
    await created(http, channel="EMAIL", scheduled_at=times[0])
    await http.post(f"/api/activities/{activities[0]['id']}/cancel", json={"reason": "r"})
    nothing = {"status": None, "channel": None, "hour": None}
    assert await counts(http, "status") == [
        nothing | {"status": "READY", "count": 3, "atLeast": False},
        nothing | {"status": "CANCELED", "count": 1, "atLeast": False},
    ]
    assert await counts(http, "channel", status="READY") == [
        nothing | {"channel": "EMAIL", "count": 1, "atLeast": False},
        nothing | {"channel": "SMS", "count": 2, "atLeast": False},
    ]
    day = {"scheduled_from": "2031-01-01T00:00:00Z", "scheduled_to": "2031-02-01T00:00:00Z"}
    assert await counts(http, "status,channel,hour", **day) == [
        {"status": status, "channel": channel, "hour": f"2031-01-01T{hour}:00:00.000Z", "count": 1, "atLeast": False}
        for status, channel, hour in (
            ("READY", "EMAIL", "09"),
            ("READY", "SMS", "09"),
            ("READY", "SMS", "10"),
            ("CANCELED", "SMS", "09"),
        )
    ]
    answer = await http.get(COUNTS, params=[("by", "channel"), ("by", "status"), ("status", "CANCELED")])
    assert answer.json()["data"] == [
        {"status": "CANCELED", "channel": "SMS", "hour": None, "count": 1, "atLeast": False}
    ]


@pytest.mark.parametrize(
    ("parameters", "pointers"),
    [
        ({}, ["/query/by"]),
        ({"by": ""}, ["/query/by/0"]),
        ({"by": "status,type"}, ["/query/by/1"]),
        ({"by": "status,status"}, ["/query/by"]),
        ({"by": "hour"}, ["/query/scheduled_from", "/query/scheduled_to"]),
        ({"by": "hour", "scheduled_from": "2031-01-01T00:00:00Z"}, ["/query/scheduled_to"]),
        (
            {"by": "hour", "scheduled_from": "2031-01-01T00:00:00Z", "scheduled_to": "2031-02-01T00:00:00.001Z"},
            ["/query/scheduled_to"],
        ),
        ({"by": "status", "state": "READY"}, ["/query/state"]),
        ({"by": "status", "page": 1}, ["/query/page"]),
    ],
    ids=str,
)
async def test_what_can_not_be_counted_is_refused_and_named(
    http: httpx.AsyncClient, parameters: dict[str, str], pointers: list[str]
) -> None:
    answer = await http.get(COUNTS, params=parameters)
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert [fault["pointer"] for fault in answer.json()["errors"]] == pointers


async def test_counts_are_their_tenants_and_need_the_permission_to_view(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    await created(http)
    other = await service.tenant()
    async with service.client(other.id) as theirs:
        assert await counts(theirs, "status") == []
    others = [permission for permission in Permission if permission is not Permission.VIEW_ACTIVITIES]
    async with service.client(tenant.id, *others) as blind:
        answer = await blind.get(COUNTS, params={"by": "status"})
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


async def test_the_path_is_no_activity_and_other_methods_are_refused(http: httpx.AsyncClient) -> None:
    assert (await http.head(COUNTS, params={"by": "status"})).status_code == 200
    for method in ("PUT", "DELETE", "OPTIONS"):
        answer = await http.request(method, COUNTS)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert "GET" in answer.headers["Allow"]


async def test_a_cell_above_ten_thousand_says_at_least_and_the_others_are_exact(
    service: Service, crowded: Tenant
) -> None:
    async with service.client(crowded.id) as http:
        cells = await counts(http, "status,channel")
        assert [(one["status"], one["channel"], one["count"], one["atLeast"]) for one in cells] == [
            ("UNRESOLVED", "SMS", CROWD_ROWS // 1000 - 1, False),
            ("UNRESOLVED", "PUSH", 1, False),
            ("CANCELED", "SMS", MOST_OF_CELL, True),
            ("CANCELED", "PUSH", RARE - 1, False),
        ]
        by_hour = await counts(
            http,
            "hour",
            channel="PUSH",
            scheduled_from=CROWD_AT.isoformat(),
            scheduled_to=(CROWD_AT + timedelta(days=31)).isoformat(),
        )
        assert [one["count"] for one in by_hour] == [1, 2, 2, 1, 1]
        narrow = await http.get(COUNTS, params={"by": "status", "reason": "r"})
    assert (narrow.status_code, narrow.json()["errors"][0]["pointer"]) == (400, "/query/scheduled_to")


async def test_more_than_a_thousand_cells_are_refused(service: Service, filled: Tenant) -> None:
    span = {name: value.isoformat() for name, value in SPAN.items()}
    async with service.client(filled.id) as http:
        answer = await http.get(COUNTS, params={"by": "status,channel,hour", **span})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/query/by")
        assert len(await counts(http, "hour", **span)) <= 1000


@pytest.mark.parametrize("paused", [None, datetime.now(UTC) - timedelta(hours=50)], ids=["going on", "paused"])
async def test_both_ways_to_count_agree_with_the_effective_status_of_each_activity(
    service: Service, filled: Tenant, paused: datetime | None
) -> None:
    async with service.database.transactions.connect() as connection:
        await connection.execute(WITHOUT_LIMITS)
        if paused:
            await connection.execute(
                insert(TenantPause).values(tenant_id=filled.id, paused_at=paused, reason="x", actor="x")
            )
        for name, conditions in FILTERS.items():
            wanted = ActivityFilter.model_validate(SPAN | conditions)
            rows = await _rows_of_the_list(connection, Listed(filled.id, wanted, paused))
            for by in PROPERTIES:
                counted = Counted(filled.id, wanted, paused, by)
                expected = _count_plainly(rows, by)
                assert await _read(connection, counted.scan_statement()) == expected, (name, by)
                if counted.is_served:
                    found = await _read(connection, counted.cells_statement())
                    assert _cut(found) == _cut(expected), (name, by)
        await connection.rollback()


async def _read(connection: AsyncConnection, statement: Rows) -> Counter[tuple[Any, ...]]:
    found: Counter[tuple[Any, ...]] = Counter()
    for status, channel, hour, number, _ in await connection.execute(statement):
        found[status, channel, hour] += number
    return Counter({cell: number for cell, number in found.items() if number})


def _cut(cells: Counter[tuple[Any, ...]]) -> dict[tuple[Any, ...], int]:
    return {cell: min(number, MOST_OF_CELL + 1) for cell, number in cells.items()}


async def _rows_of_the_list(connection: AsyncConnection, listed: Listed) -> list[tuple[str, str, datetime]]:
    """The effective status, channel and hour of each row that the list finds."""
    ids = listed.ids_statement(100_000).subquery("ids")
    rows = await connection.execute(
        select(EFFECTIVE_STATUS, ScheduledActivity.channel, ScheduledActivity.scheduled_at).join(
            ids, ScheduledActivity.id == ids.c.id
        )
    )
    return [(status, channel, at.replace(minute=0, second=0, microsecond=0)) for status, channel, at in rows]


def _count_plainly(rows: list[tuple[str, str, datetime]], by: frozenset[Dimension]) -> Counter[tuple[Any, ...]]:
    places = [dimension in by for dimension in (Dimension.STATUS, Dimension.CHANNEL, Dimension.HOUR)]
    return Counter(tuple(value if wanted else None for value, wanted in zip(row, places, strict=True)) for row in rows)


@pytest.mark.parametrize("by", PROPERTIES, ids=lambda by: "-".join(sorted(by)))
async def test_each_cell_is_a_range_of_an_index_that_is_read_up_to_its_limit(
    service: Service, crowded: Tenant, by: frozenset[Dimension]
) -> None:
    span = {"scheduled_from": CROWD_AT, "scheduled_to": CROWD_AT + timedelta(days=31)}
    for conditions in ({}, {"type": "TASK"}, {"channel": "PUSH"}, {"status": ("UNRESOLVED", "CANCELED")}):
        wanted = ActivityFilter.model_validate(conditions | (span if Dimension.HOUR in by else {}))
        counted = Counted(crowded.id, wanted, None, by)
        async with service.database.transactions.connect() as connection:
            await connection.execute(IN_ORDER_OF_INDICES)
            plan = await _explain(connection, crowded, counted.cells_statement())
            cells = [row for row in await connection.execute(counted.cells_statement()) if row.number]
        scans = [node for node in nodes(plan["Plan"]) if node.get("Relation Name") == "scheduled_activities"]
        assert {node["Node Type"] for node in scans} <= {"Index Scan", "Index Only Scan"}, conditions
        read = sum(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"] for node in scans
        )
        assert read <= sum(row.number for row in cells) + len(scans), conditions
        assert max(row.number for row in cells) <= MOST_OF_CELL + 1


async def test_the_scan_stops_above_its_bound(service: Service, crowded: Tenant) -> None:
    counted = Counted(crowded.id, ActivityFilter(reason="r"), None, frozenset({Dimension.STATUS}))
    async with service.database.transactions.connect() as connection:
        await connection.execute(IN_ORDER_OF_INDICES)
        plan = await _explain(connection, crowded, counted.scan_statement())
    scans = [node for node in nodes(plan["Plan"]) if node.get("Relation Name") == "scheduled_activities"]
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in scans) <= 7 * (SCANNED + 1)


async def _explain(connection: AsyncConnection, tenant: Tenant, statement: Rows) -> dict[str, Any]:
    compiled = statement.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    async with planning_as(connection, tenant.id):
        explained = await connection.exec_driver_sql(
            f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled}", compiled.construct_params()
        )
    (plan,) = explained.scalar_one()
    found: dict[str, Any] = plan
    return found
