"""Test that closed activities are removed after their tenant's time, and that their keys and ids stay known."""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import InstrumentedAttribute
from temporalio.testing import ActivityEnvironment

from activities_impl.listed_runs import ListedRuns
from activities_impl.reconciliation import Reconciliation
from api.http.auth import Permission
from db.models import ActivityResult, RemovedActivity, ScheduledActivity, StatusEvent, Table
from db.removal import PARTS, remove_activities
from runs.lead import Lead
from tests.support.activities import created
from tests.support.builders import Tenant, contract_example, from_now
from tests.support.bulk import begun, campaign, ended
from tests.support.intercepted import intercepted
from tests.support.locks import row_locked
from tests.support.plans import WITHOUT_LIMITS, planning_as
from tests.support.reconciliation import forget, round_of, run_of
from tests.support.removal import OF_ACTIVITY, RESULTS, age, closed, completed
from tests.support.restoration import execute
from tests.support.service import Service, resources, running_api
from workflows.findings import Compared, Finding, Listing, Page, Part, Reconcile
from workflows.words import RemovalCause

URL, SETTINGS = "/api/activities", "/api/activity-config/retention"
NO_LEAD = Lead(0)


async def keep(http: httpx.AsyncClient, days: int | None) -> None:
    answer = await http.put(SETTINGS, json={"retention_days": days})
    assert (answer.status_code, answer.json()) == (200, {"retentionDays": days})


async def removed_round(service: Service, size: int = 1000) -> Compared:
    """Run the step alone, whose finding names activities of all tenants."""
    step = Reconciliation(service.temporal, service.roles.worker, service.roles.across_tenants, NO_LEAD).remove_closed
    found: Compared = await ActivityEnvironment().run(step, Page(size=size))
    return found


async def test_closed_activities_go_after_the_tenants_days_and_no_others(
    service: Service, http: httpx.AsyncClient
) -> None:
    old, young = await closed(service, http, days=31), await closed(service, http, days=29)
    open_one = await created(http)
    await age(service, open_one, 400)
    await removed_round(service)
    assert (await http.get(f"{URL}/{old['id']}")).status_code == 200, "without a setting all are kept"
    await keep(http, 30)
    found = await removed_round(service)
    assert old["id"] in found.examples[Finding.REMOVED]
    assert [(await http.get(f"{URL}/{one['id']}")).status_code for one in (old, young, open_one)] == [410, 200, 200]
    listed = (await http.get(URL)).json()
    assert {one["id"] for one in listed["data"]} == {young["id"], open_one["id"]}
    assert listed["meta"]["total"] == 2
    by_key = (await http.get(URL, params={"idempotency_key": old["idempotencyKey"]})).json()
    assert by_key["data"] == []


async def test_every_call_that_names_a_removed_activity_says_when_and_why_it_is_gone(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    activity, sent = await completed(http, provider_activity_id="crm-77", raw_payload={"note": "seen"})
    await keep(http, 1)
    await age(service, activity, 2)
    await removed_round(service)
    answers = [
        await http.request(method, f"{URL}/{activity['id']}{path}", json=body) for method, path, body in OF_ACTIVITY
    ]
    later = sent | {"occurred_at": "2025-01-17T09:00:00.000Z", "hard_override": True}
    by_provider = {name: value for name, value in later.items() if name != "activity_id"}
    answers += [await http.post(RESULTS, json=one) for one in (sent, later, by_provider)]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(410, "activity_gone")] * len(
        answers
    )
    problem = answers[0].json()
    assert activity["id"] in problem["detail"]
    assert problem["removedAt"] in problem["detail"]
    assert "closed for longer than the tenant keeps closed activities" in problem["detail"]
    assert problem["cause"] == "RETENTION"
    assert datetime.fromisoformat(problem["removedAt"])
    other = await service.tenant()
    async with service.at(service.url).client(other.id) as stranger:
        assert (await stranger.get(f"{URL}/{activity['id']}")).status_code in {404, 503}
        assert (await stranger.post(RESULTS, json=by_provider)).json()["code"] == "activity_not_found"
    async with service.database.autocommit.connect() as connection:
        tables: tuple[type[Table], ...] = (*PARTS, ActivityResult, ScheduledActivity)
        for table in tables:
            left = select(func.count()).select_from(table).where(table.tenant_id == tenant.id)
            assert (await connection.execute(left)).scalar_one() == 0
        row = (await connection.execute(select(RemovedActivity.__table__).filter_by(tenant_id=tenant.id))).one()
    assert len(row.key_hash) == len(row.request_hash) == 32
    assert len(row.provider_hashes) == 1


@pytest.mark.parametrize("is_forgotten", [False, True])
async def test_a_key_of_a_removed_activity_stays_used_and_a_hash_says_if_the_request_is_the_same(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, *, is_forgotten: bool
) -> None:
    """Also once Temporal has forgotten the run, so that the first step of a new one finds the key."""
    body = contract_example(
        scheduled_at=from_now(hours=1),
        target_criteria=[{"type": "ROLE_MATCH", "config": {"role": "OWNER"}}],
        attributes=[{"key": "promotions", "value": {"n": 1, "list": [1e23, 0.1], "none": None}}],
    )
    activity = await created(http, **body)
    assert (await http.post(f"{URL}/{activity['id']}/cancel", json={"reason": "r"})).status_code == 200
    await age(service, activity, 2)
    await keep(http, 1)
    await removed_round(service)
    if is_forgotten:
        await forget(service, run_of(service, tenant, activity))
    at = datetime.fromisoformat(body["scheduled_at"])
    same = body | {
        "scheduled_at": at.astimezone(datetime.fromisoformat("2026-01-01T00:00:00-03:00").tzinfo).isoformat(),
        "attribute_keys": [*body["attribute_keys"], *body["attribute_keys"]],
        "score": None,
        "attributes": [{"value": {"none": None, "list": [10**23, 0.10], "n": 1.0}, "key": "promotions"}],
    }
    others: list[dict[str, Any]] = [
        {"score": 1},
        {"channel": "SMS"},
        {"attributes": [{"key": "promotions", "value": {"n": 1, "list": [1e23, 0.1]}}]},
        {"reason": "unknown"},
        {"commerce_id": "990e8400-e29b-41d4-a716-446655440000"},
    ]
    for sent, is_same in ((body, True), (same, True), *((body | other, False) for other in others)):
        answer = await http.post(URL, json=sent)
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_exists"), answer.text
        problem = answer.json()
        assert (problem["decided"], problem["sameRequest"]) == (True, is_same), sent
        assert (problem["activity"], problem["differences"]) == (None, [])
        assert answer.headers["Location"] == f"{URL}/{activity['id']}"
        assert "was removed at" in problem["detail"]
    assert (await http.get(answer.headers["Location"])).status_code == 410


async def test_a_removed_activity_is_not_restored_from_its_run(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    """Neither by the list of completed runs nor by a reset of its run."""
    activity = await closed(service, http, days=2)
    await run_of(service, tenant, activity).result()
    await keep(http, 1)
    await removed_round(service)
    step = ListedRuns(service.temporal, service.roles.worker, service.roles.across_tenants, NO_LEAD).restore_completed
    listing = Listing(began_at=datetime.fromisoformat("2020-01-01T00:00:00Z"), size=1000)
    found = await ActivityEnvironment().run(step, listing)
    assert Finding.RESTORED not in found.counts
    assert (await http.get(f"{URL}/{activity['id']}")).status_code == 410


@pytest.mark.parametrize(
    "of", [ScheduledActivity.id, StatusEvent.activity_id], ids=["scheduled_activities", "status_events"]
)
async def test_a_row_that_is_locked_waits_for_the_next_round_and_holds_up_no_other(
    service: Service, http: httpx.AsyncClient, of: InstrumentedAttribute[UUID]
) -> None:
    locked, other = await closed(service, http, days=3), await closed(service, http, days=2)
    await keep(http, 1)
    async with row_locked(service, locked, of):
        found = await removed_round(service)
        assert other["id"] in found.examples[Finding.REMOVED]
        assert (await http.get(f"{URL}/{locked['id']}")).status_code == 200
    await removed_round(service)
    assert (await http.get(f"{URL}/{locked['id']}")).status_code == 410


async def test_a_round_removes_a_bounded_number_the_longest_overdue_first(own: tuple[str, Service]) -> None:
    _, service = own
    tenant, other = await service.tenant(), await service.tenant()
    async with service.client(tenant.id) as http, service.client(other.id) as theirs:
        await keep(http, 1)
        await keep(theirs, 10)
        mine = [await closed(service, http, days=days) for days in (5, 3, 2)]
        foreign = await closed(service, theirs, days=13.5)
        found = await removed_round(service, size=2)
        assert found.has_more
        assert set(found.examples[Finding.REMOVED]) == {mine[0]["id"], foreign["id"]}
        rounds = await round_of(service.temporal, Reconcile(page=Page(grace_seconds=0), parts=(Part.ROWS,)))
        assert rounds.counts == {Finding.REMOVED: 2}
        assert not (await http.get(URL)).json()["data"]


async def test_an_activity_that_was_part_of_a_bulk_operation_can_be_removed(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    (activity,) = await campaign(http, 1)
    operation = await begun(http, "cancel")
    await ended(http, operation)
    async with service.database.transactions.begin() as connection:
        ids = [UUID(activity["id"])]
        assert await remove_activities(connection, tenant.id, ids, RemovalCause.RETENTION) == ids
    read = (await http.get(operation)).json()
    assert (read["counts"]["applied"], read["items"]["data"][0]["activityId"]) == (1, activity["id"])


async def test_a_stored_request_that_this_version_can_not_read_is_removed_too(
    service: Service, http: httpx.AsyncClient
) -> None:
    activity = await closed(service, http, days=2)
    unreadable = 'UPDATE scheduled_activities SET request = \'{"from": "another version"}\' WHERE id = :id'
    await execute(service, unreadable, id=UUID(activity["id"]))
    await keep(http, 1)
    await removed_round(service)
    assert (await http.get(f"{URL}/{activity['id']}")).status_code == 410


async def test_the_setting_is_the_tenants_is_audited_and_needs_the_permission_to_erase(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    assert (await http.get(SETTINGS)).json() == {"retentionDays": None}
    await keep(http, 30)
    await keep(http, None)
    entries = (await http.get("/api/audit", params={"resource": "RETENTION_SETTINGS"})).json()["data"]
    changes = [(entry["actor"], entry["before"], entry["after"]) for entry in entries]
    days = {"retention_days": 30}
    assert changes == [("tester", days, None), ("tester", None, days)]
    for wrong in (0, -1, 36_501, "30", 1.5, True):
        answer = await http.put(SETTINGS, json={"retention_days": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/retention_days")
    for lacking in (Permission.ERASE_PERSONAL_DATA, Permission.MANAGE_ACTIVITY_CONFIG):
        others = [one for one in Permission if one is not lacking]
        async with service.client(tenant.id, *others) as client:
            answer = await client.put(SETTINGS, json={"retention_days": 1})
            assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
            assert lacking in answer.json()["detail"]


async def test_a_removal_is_found_by_its_providers_id_in_an_index_and_in_the_own_tenant_alone(
    service: Service, tenant: Tenant
) -> None:
    other = await service.tenant()
    fill = """
        INSERT INTO removed_activities (tenant_id, activity_id, key_hash, request_hash, cause, provider_hashes)
        SELECT :tenant, gen_random_uuid(), sha256(cast(cast(n AS text) AS bytea)), sha256(''), 'RETENTION',
            ARRAY[sha256(cast('p' || n AS bytea))]
        FROM generate_series(1, 20000) n"""
    for one in (tenant, other):
        await execute(service, WITHOUT_LIMITS.text, fill, tenant=one.id)
    async with service.database.autocommit.connect() as connection:
        await connection.execute(text("VACUUM ANALYZE removed_activities"))  # the index takes in its waiting entries
    looked = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM find_removal_of_provider(sha256('p77'))"
    async with service.database.transactions.connect() as connection, planning_as(connection, tenant.id):
        await connection.exec_driver_sql(looked)  # the first call plans the function
        plan = (await connection.exec_driver_sql(looked)).scalar_one()[0]["Plan"]
        found = (await connection.execute(text("SELECT * FROM find_removal_of_provider(sha256('p77'))"))).all()
        mine = select(RemovedActivity.activity_id).where(
            RemovedActivity.tenant_id == tenant.id, RemovedActivity.key_hash == hashlib.sha256(b"77").digest()
        )
        assert [row.activity_id for row in found] == list((await connection.execute(mine)).scalars())
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= 100


async def test_a_result_is_answered_although_its_activity_is_removed_before_its_follow_up_is_noted(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    types = [{"code": "call_back", "label": "Call back", "requires_future_scheduled_at": True}]
    assert (await http.put("/api/activity-config/task-result-types", json={"types": types})).is_success

    async def remove_closed_before(_: str, call: Callable[[], Awaitable[Any]]) -> Any:
        async with service.database.transactions.begin() as connection:
            ids = (await connection.scalars(select(ScheduledActivity.id).filter_by(tenant_id=tenant.id))).all()
            await remove_activities(connection, tenant.id, ids, RemovalCause.ERASURE)
        return await call()

    opened = resources(service.roles.api, intercepted(service.temporal, remove_closed_before))
    async with running_api(opened) as url, service.at(url).client(tenant.id) as caller:
        called_back = {"result": "call_back", "future_scheduled_at": from_now(hours=1)}
        activity, _ = await completed(caller, task_result=called_back)
    assert (await http.get(f"{URL}/{activity['id']}")).status_code == 410
