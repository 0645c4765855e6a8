"""The list on a filled table: each filter finds what it says, by ranges of indices, however deep."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import ColumnElement, Select, and_, insert, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from db.listing import SORTED, Listed, Slice
from db.models import ActivityResult, Commerce, ScheduledActivity, TargetUser, TenantPause
from db.rows import NOW
from db.snapshots import EFFECTIVE_STATUS
from tests.support.builders import Tenant
from tests.support.plans import WITHOUT_LIMITS, nodes, planning_as
from tests.support.service import Service
from workflows.messages import ActivityFilter

LIST = "/api/activities"
ROWS = 20_000
SHOP = UUID(int=7)
PERSON = UUID(int=77)

COMMERCES = text("""
INSERT INTO commerces (tenant_id, id, external_id, name)
SELECT :tenant, lpad(to_hex(n), 32, '0')::uuid, 'shop-' || n, 'x' FROM generate_series(1, 2000) n
""")
ACTIVITIES = text("""
INSERT INTO scheduled_activities (tenant_id, id, idempotency_key, type, channel, commerce_id, reason_code, reason_label,
    status, scheduled_at, due_at, marked_at, lateness_ms, request, run_id, created_at, updated_at, score,
    attempts, executor, lease_token, taken_at, lease_expires_at, expired_leases)
SELECT :tenant, gen_random_uuid(), 'key-' || n % 100 || '-' || n, CASE n % 1000 WHEN 0 THEN 'TASK' ELSE 'MESSAGE' END,
    (ARRAY['SALESMAN', 'CALLCENTER', 'WHATSAPP', 'EMAIL', 'SMS'])[n % 5 + 1], lpad(to_hex(n % 2000 + 1), 32, '0')::uuid,
    CASE n % 4000 WHEN 0 THEN 'rare' ELSE 'reason_' || n % 7 END, 'x',
    status, at, due, due + late, extract(epoch FROM (due + late) - due) * 1000, '{}', '',
    now() - n * interval '1 minute', now() - n * 7 % 20000 * interval '1 minute', nullif(n * 31 % 101, 100),
    taken::int, CASE WHEN taken THEN 'robot' END, CASE WHEN taken THEN gen_random_uuid() END,
    CASE WHEN taken THEN now() END,
    CASE WHEN taken THEN now() + (CASE n % 200 WHEN 8 THEN -1 ELSE 60 END) * interval '1 minute' END,
    CASE n % 400 WHEN 8 THEN 2 ELSE 0 END
FROM (SELECT *, status = 'DISPATCHED' AS taken, CASE WHEN status NOT IN ('READY', 'UNRESOLVED') THEN at END AS due,
        CASE n % 500 WHEN 1 THEN interval '2 seconds' ELSE interval '0' END AS late
    FROM (SELECT *, now() + (n * 7919 % 20000 - passed) * interval '1 minute' AS at
        FROM (SELECT n, CASE WHEN n % 400 = 5 THEN 'UNRESOLVED' WHEN n % 100 = 8 THEN 'DISPATCHED'
                WHEN n % 7 = 5 THEN 'READY' WHEN n % 7 = 4 THEN 'DUE'
                WHEN n % 7 = 6 THEN 'CANCELED' ELSE 'COMPLETED' END AS status,
                CASE n % 7 WHEN 5 THEN 1000 ELSE 18000 END AS passed
            FROM generate_series(1, :rows) n) AS drawn) AS stood) AS timed
""")
"""Times lie on either side of now: some marks are made ahead, some activities are overdue, some leases have ended."""

PEOPLE = text("""
INSERT INTO commerce_users (tenant_id, id, commerce_id, external_id, name)
SELECT :tenant, lpad(to_hex(77 + n), 32, '0')::uuid, lpad(to_hex(1), 32, '0')::uuid, 'u' || n, 'x'
FROM generate_series(0, 199) n
""")
PARTS = text("""
WITH numbered AS (
    SELECT tenant_id, id, row_number() OVER (ORDER BY idempotency_key) AS n FROM scheduled_activities
    WHERE tenant_id = :tenant),
aimed AS (
    INSERT INTO target_users (tenant_id, activity_id, commerce_user_id, status, strategy)
    SELECT tenant_id, id, lpad(to_hex(77 + n % 200), 32, '0')::uuid, 'RESOLVED', 'ON_CREATION' FROM numbered)
INSERT INTO activity_results (tenant_id, activity_id, attempt, provider_activity_id, occurred_at, status, hard_override,
    fingerprint, from_status, to_status, actor)
SELECT tenant_id, id, 1, 'provider-' || n % 2000, now(), 'COMPLETED', false, 'f', 'DISPATCHED', 'COMPLETED', 'a'
FROM numbered
""")

NOW_ISH = datetime.now(UTC)
FILTERS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "READY": {"status": ("READY",)},
    "DUE": {"status": ("DUE",)},
    "UNRESOLVED": {"status": ("UNRESOLVED",)},
    "FAILED, which only ended leases are": {"status": ("FAILED",)},
    "DISPATCHED": {"status": ("DISPATCHED",)},
    "DISPATCHED or DUE": {"status": ("DISPATCHED", "DUE")},
    "READY or DUE": {"status": ("READY", "DUE")},
    "type": {"type": "MESSAGE"},
    "rare type": {"type": "TASK"},
    "channel": {"channel": "SMS"},
    "channel without any": {"channel": "PUSH"},
    "type and channel": {"type": "MESSAGE", "channel": "SMS"},
    "commerce": {"commerce_id": SHOP},
    "reason": {"reason": "reason_3"},
    "rare reason": {"reason": "rare"},
    "campaign": {"reason": "reason_3", "status": ("READY", "UNRESOLVED", "DUE")},
    "time": {"scheduled_from": NOW_ISH - timedelta(hours=9), "scheduled_to": NOW_ISH + timedelta(hours=1)},
    "key": {"idempotency_key": "key-1-1"},
    "search by key": {"search": "key-17-"},
    "search by commerce": {"search": "shop-77"},
    "search for nothing": {"search": "nobody"},
    "late": {"late": True},
    "late and DUE": {"late": True, "status": ("DUE",)},
    "late and READY": {"late": True, "status": ("READY",)},
    "executor": {"executor": "robot"},
    "executor without any": {"executor": "nobody"},
    "executor and DISPATCHED": {"executor": "robot", "status": ("DISPATCHED",)},
    "target user": {"commerce_user_id": PERSON},
    "provider's id": {"provider_activity_id": "provider-3"},
    "target user and provider's id": {"commerce_user_id": PERSON, "provider_activity_id": "provider-0"},
}
TIMES = tuple(product(("scheduled_at", "created_at"), (False, True)))
ORDERS = (*TIMES, *product(("updated_at", "score"), (False, True)))


async def fill(service: Service, rows: int = ROWS) -> Tenant:
    """Create a tenant with many activities in every status."""
    tenant = await service.tenant()
    async with service.database.transactions.begin() as connection:
        await connection.execute(WITHOUT_LIMITS)
        await connection.execute(text("SET LOCAL session_replication_role = replica"))
        await connection.execute(COMMERCES, {"tenant": tenant.id})
        await connection.execute(ACTIVITIES, {"tenant": tenant.id, "rows": rows})
        await connection.execute(PEOPLE, {"tenant": tenant.id})
        await connection.execute(PARTS, {"tenant": tenant.id})
    async with service.database.transactions.begin() as connection:
        await connection.execute(WITHOUT_LIMITS)
        await connection.execute(text("ANALYZE scheduled_activities, commerces, target_users, activity_results"))
    return tenant


@pytest.fixture(scope="module")
async def filled(service: Service) -> Tenant:
    return await fill(service)


def said_plainly(tenant: Tenant, wanted: ActivityFilter) -> Select[Any]:
    """The same by the effective status of each row, without a thought of indices."""
    row = ScheduledActivity
    overdue = and_(EFFECTIVE_STATUS.in_(("READY", "UNRESOLVED")), row.scheduled_at < NOW)
    late = and_(EFFECTIVE_STATUS != "READY", row.lateness_ms > 1000)
    shops = select(Commerce.id).where(
        Commerce.tenant_id == tenant.id, Commerce.external_id.startswith(wanted.search or "", autoescape=True)
    )
    meanings: dict[str, ColumnElement[bool]] = {
        "status": EFFECTIVE_STATUS.in_(wanted.status),
        "type": row.type == wanted.type,
        "channel": row.channel == wanted.channel,
        "commerce_id": row.commerce_id == wanted.commerce_id,
        "reason": row.reason_code == wanted.reason,
        "scheduled_from": row.scheduled_at >= (wanted.scheduled_from or NOW),
        "scheduled_to": row.scheduled_at < (wanted.scheduled_to or NOW),
        "idempotency_key": row.idempotency_key == wanted.idempotency_key,
        "search": or_(row.idempotency_key.startswith(wanted.search or "", autoescape=True), row.commerce_id.in_(shops)),
        "late": or_(overdue, late),
        "executor": row.executor == wanted.executor,
        "commerce_user_id": row.id.in_(
            select(TargetUser.activity_id).where(TargetUser.commerce_user_id == wanted.commerce_user_id)
        ),
        "provider_activity_id": row.id.in_(
            select(ActivityResult.activity_id).where(
                ActivityResult.tenant_id == tenant.id,
                ActivityResult.provider_activity_id == wanted.provider_activity_id,
            )
        ),
    }
    return select(row.id).where(row.tenant_id == tenant.id, *(meanings[name] for name in wanted.model_fields_set))


@pytest.mark.parametrize("paused", [None, NOW_ISH - timedelta(hours=50)], ids=["going on", "paused"])
@pytest.mark.parametrize("conditions", FILTERS.values(), ids=FILTERS)
async def test_a_filter_lets_through_what_it_says_by_the_effective_status(
    service: Service, filled: Tenant, conditions: dict[str, Any], paused: datetime | None
) -> None:
    wanted = ActivityFilter.model_validate(conditions)
    listed = Listed(filled.id, wanted, paused)
    async with service.database.transactions.connect() as connection:
        if paused:
            await connection.execute(
                insert(TenantPause).values(tenant_id=filled.id, paused_at=paused, reason="x", actor="x")
            )
        expected = set((await connection.execute(said_plainly(filled, wanted))).scalars())
        found = [row.id for row in await connection.execute(listed.ids_statement(ROWS + 1))]
        assert (len(found), set(found)) == (len(expected), expected)
        assert (await connection.execute(listed.count_statement(500))).scalar_one() == min(500, len(expected))
        await connection.rollback()


@pytest.mark.parametrize("order", ORDERS, ids=str)
async def test_each_first_page_is_read_from_ranges_of_indices(
    service: Service, filled: Tenant, order: tuple[str, bool]
) -> None:
    read = {}
    async with service.database.transactions.connect() as connection:
        for name, conditions in FILTERS.items():
            listed = Listed(filled.id, ActivityFilter.model_validate(conditions), None)
            total = (await connection.execute(listed.count_statement(SORTED + 1))).scalar_one()
            listed = listed.with_total(0 if conditions.get("search") else total, order[0])
            scans = await scans_of(connection, filled.id, listed.snapshots_statement(Slice(26, *order)))
            assert [scan for scan in scans if scan["Node Type"] == "Seq Scan"] == [], name
            read[name] = sum(looked_at(scan) for scan in scans) - (total if listed.few else 0)
    assert {name: rows for name, rows in read.items() if rows > ROWS / 10} == {}


@pytest.mark.parametrize("order", TIMES, ids=str)
async def test_a_search_by_key_is_read_from_the_index_of_the_keys_alone(
    service: Service, filled: Tenant, order: tuple[str, bool]
) -> None:
    statement = Listed(filled.id, ActivityFilter(search="key-17-"), None).snapshots_statement(Slice(26, *order))
    async with service.database.autocommit.connect() as connection:
        for _ in range(50):
            # Without this option few dead rows stay in the index, and their pages are looked at.
            await connection.execute(text("VACUUM (INDEX_CLEANUP ON) scheduled_activities"))
            scans = await scans_of(connection, filled.id, statement)
            (keys,) = [scan for scan in scans if scan["Node Type"] == "Index Only Scan" and looked_at(scan) > 100]
            if keys["Heap Fetches"] == 0:
                break
            await asyncio.sleep(0.1)  # another connection may still read what it was to remove
    assert (looked_at(keys), keys["Heap Fetches"]) == (ROWS / 100, 0)
    assert sum(looked_at(scan) for scan in scans if scan is not keys) < 100


@pytest.mark.parametrize("order", ORDERS, ids=str)
async def test_a_search_that_many_match_walks_along_the_order_as_far_as_the_page(
    service: Service, filled: Tenant, order: tuple[str, bool]
) -> None:
    async with service.database.transactions.connect() as connection:
        for search in ("key-", "shop-", "key-1"):
            pages = []
            for many in (True, False):
                listed = Listed(filled.id, ActivityFilter(search=search), None, many=many)
                statement = listed.snapshots_statement(Slice(26, *order))
                pages.append([row.id for row in await connection.execute(statement)])
                if many:
                    scans = await scans_of(connection, filled.id, statement)
                    of_activities = [scan for scan in scans if scan["Relation Name"] == "scheduled_activities"]
                    assert sum(map(looked_at, of_activities)) < ROWS / 10
            assert pages[0] == pages[1]


async def scans_of(connection: AsyncConnection, tenant_id: UUID, statement: Select[Any]) -> list[dict[str, Any]]:
    """Each place in the plan, as it was carried out, where rows of activities or commerces were looked at."""
    compiled = statement.compile(dialect=connection.dialect)
    async with planning_as(connection, tenant_id):
        explained = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {compiled}", compiled.params)
    (whole,) = explained.scalar_one()
    return [node for node in nodes(whole["Plan"]) if node.get("Relation Name") in {"scheduled_activities", "commerces"}]


def looked_at(scan: dict[str, Any]) -> float:
    """Rows, those that were passed over among them."""
    return float(scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)) * float(scan["Actual Loops"])


async def page_of(http: httpx.AsyncClient, **parameters: Any) -> dict[str, Any]:
    """The answer to a list."""
    answer = await http.get("/api/activities", params=parameters)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_what_isnt_counted_to_its_end_says_so_and_goes_on_by_cursor(service: Service, filled: Tenant) -> None:
    async with service.client(filled.id) as http:
        first = await page_of(http, per_page=100, sort="scheduled_at", order="asc")
        meta = first["meta"]
        assert (meta["total"], meta["totalPages"], meta["totalIsExact"]) == (10_000, 100, False)
        deep = await page_of(http, per_page=100, page=100, sort="scheduled_at", order="asc")
        after = await page_of(http, per_page=100, sort="scheduled_at", order="asc", cursor=deep["meta"]["nextCursor"])
        assert deep["data"][-1]["scheduledAt"] <= after["data"][0]["scheduledAt"]
        assert (after["meta"]["page"], after["meta"]["total"]) == (101, 10_000)
        assert (await http.get("/api/activities", params={"per_page": 100, "page": 101})).status_code == 400


@pytest.mark.parametrize("per_page", [1, 3, 7, 25, 30, 33, 64, 99, 100])
async def test_the_last_page_that_is_promised_is_the_last_that_is_served(
    service: Service, filled: Tenant, per_page: int
) -> None:
    async with service.client(filled.id) as http:
        first = await page_of(http, per_page=per_page)
        last = await page_of(http, per_page=per_page, page=first["meta"]["totalPages"])
        beyond = await http.get("/api/activities", params={"per_page": per_page, "page": last["meta"]["page"] + 1})
    assert len(last["data"]) == per_page
    assert last["meta"]["page"] == -(-10_000 // per_page)
    assert (beyond.status_code, beyond.json()["errors"][0]["pointer"]) == (400, "/query/page")
