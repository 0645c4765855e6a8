"""Overriding a result takes back what no longer counts, and nothing else: its contact and its follow-up."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update
from temporalio.testing import ActivityEnvironment

from activities_impl.reconciliation import Reconciliation
from db.models import ActivityResult, CommerceUser, ContactLogEntry
from db.rows import parts_of
from runs.lead import Lead
from tests.support.activities import trail
from tests.support.builders import COMMERCE_ID, Tenant, contract_example, from_now
from tests.support.hand_off import claim
from tests.support.service import Service, until
from workflows.findings import Page

SOON = "2031-05-06T07:08:09.000Z"
LATER = "2032-05-06T07:08:09.000Z"
CALL_BACK = {"code": "call_back", "label": "Call back", "requires_future_scheduled_at": True}
SOLD = {"code": "sold", "label": "Sold"}


@pytest.fixture(autouse=True)
async def result_types(http: httpx.AsyncClient) -> None:
    """Let the tenant have one result that asks for a follow-up."""
    await http.put("/api/activity-config/task-result-types", json={"types": [CALL_BACK, SOLD]})


async def claim_some(http: httpx.AsyncClient, count: int = 1) -> list[str]:
    """Return the ids of activities that an executor holds."""
    for _ in range(count):
        created = await http.post("/api/activities", json=contract_example())
        await until(http, created.headers["Location"], "DUE")
    return [one["id"] for one in await claim(http)]


async def report(http: httpx.AsyncClient, activity_id: str, occurred_at: str, **changes: Any) -> dict[str, Any]:
    """Report a result that counts, whatever was reported before; return the answer."""
    body = {"activity_id": activity_id, "status": "COMPLETED", "occurred_at": occurred_at, "hard_override": True}
    answer = await http.post("/api/activity-results/tasks", json=body | changes)
    assert answer.status_code in {200, 201}, answer.text
    found: dict[str, Any] = answer.json()
    return found


def call_back(at: str) -> dict[str, Any]:
    """Return the members of a result that asks for a follow-up."""
    return {"task_result": {"result": "call_back", "future_scheduled_at": at}}


async def contacts(service: Service, tenant: Tenant) -> list[str]:
    """Return the times of the tenant's contacts."""
    statement = select(ContactLogEntry.contacted_at).where(ContactLogEntry.tenant_id == tenant.id)
    async with service.database.transactions.connect() as connection:
        found = (await connection.execute(statement.order_by(ContactLogEntry.contacted_at))).scalars()
    return [one.isoformat(timespec="milliseconds") for one in found]


async def test_a_contact_that_another_activity_stands_for_stays(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    first, second = await claim_some(http, 2)
    at = from_now(seconds=-9)
    for one in (first, second):
        await report(http, one, at)
    await report(http, first, at, status="NOT_EXECUTED")
    assert await contacts(service, tenant) == [at]
    await report(http, second, at, status="CANCELED")
    assert await contacts(service, tenant) == []


async def test_a_result_that_was_overridden_itself_stands_for_nothing(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    first, second = await claim_some(http, 2)
    at, other = from_now(seconds=-9), from_now(seconds=-5)
    for one in (first, second):
        await report(http, one, at)
    await report(http, second, other)
    assert await contacts(service, tenant) == [at, other]
    await report(http, first, at, status="NOT_EXECUTED")
    assert await contacts(service, tenant) == [other]


async def test_a_contact_that_the_tenant_has_sent_stays(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    (activity_id,) = await claim_some(http)
    at = from_now(seconds=-9)
    await report(http, activity_id, at)
    entry = {"commerce_user_id": str(tenant.representative_id), "channel": "WHATSAPP", "contacted_at": at}
    for _ in range(2):
        put = await http.put(f"/api/commerces/{COMMERCE_ID}/contact-log", json={"entries": [entry]})
        assert put.json() == {"added": 0, "removed": 0}, put.text
    await report(http, activity_id, from_now(seconds=-5), status="NOT_EXECUTED")
    assert await contacts(service, tenant) == [at]


async def test_an_override_at_the_same_time_takes_the_contact_back_unless_it_is_one(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    (activity_id,) = await claim_some(http)
    at = from_now(seconds=-9)
    await report(http, activity_id, at)
    await report(http, activity_id, at, status="TRANSFERRED")
    assert await contacts(service, tenant) == [at]
    await report(http, activity_id, at, status="NOT_EXECUTED")
    assert await contacts(service, tenant) == []


async def test_simultaneous_overrides_and_results_leave_the_right_contact(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    activities = await claim_some(http, 4)
    at = from_now(seconds=-9)
    for one in activities[:2]:
        await report(http, one, at)
    await asyncio.gather(
        *(report(http, one, at, status="NOT_EXECUTED") for one in activities[:2]),
        *(report(http, one, at) for one in activities[2:]),
    )
    assert await contacts(service, tenant) == [at]
    await asyncio.gather(*(report(http, one, at, status="NOT_EXECUTED") for one in activities[2:]))
    assert await contacts(service, tenant) == []


async def test_the_follow_up_of_an_overridden_result_is_cancelled(http: httpx.AsyncClient) -> None:
    (activity_id,) = await claim_some(http)
    at = from_now(seconds=-9)
    first = await report(http, activity_id, at, **call_back(SOON))
    assert first["overriddenFollowUp"] is None
    second = await report(http, activity_id, at, **call_back(LATER))
    assert second["overriddenFollowUp"] == {"id": first["followUpId"], "status": "CANCELED"}
    assert (await http.get(f"/api/activities/{second['followUpId']}")).json()["status"] == "READY"
    old = (await http.get(f"/api/activities/{first['followUpId']}/status-events")).json()["data"][-1]
    assert (old["eventType"], old["actor"]) == ("CANCELED", "tester")
    assert first["id"] in old["details"]["reason"]
    assert second["id"] in old["details"]["reason"]
    third = await report(http, activity_id, at, task_result={"result": "sold"})
    assert third["overriddenFollowUp"] == {"id": second["followUpId"], "status": "CANCELED"}
    assert third["followUpId"] is None
    assert (await report(http, activity_id, at, task_result={"result": "sold"})) == third, "a repetition"
    listed = (await http.get(f"/api/activities/{activity_id}/results")).json()
    assert [one["overriddenFollowUp"] for one in listed] == [
        one["overriddenFollowUp"] for one in (first, second, third)
    ]
    everything = (await http.get("/api/activities", params={"status": "READY"})).json()
    assert everything["data"] == []


async def test_a_follow_up_that_an_executor_has_claimed_stays(http: httpx.AsyncClient) -> None:
    (activity_id,) = await claim_some(http)
    at = from_now(seconds=-9)
    first = await report(http, activity_id, at, **call_back(from_now(seconds=-1)))
    await until(http, f"/api/activities/{first['followUpId']}", "DUE")
    assert [one["id"] for one in await claim(http)] == [first["followUpId"]]
    second = await report(http, activity_id, at, status="NOT_EXECUTED")
    assert second["overriddenFollowUp"] == {"id": first["followUpId"], "status": "DISPATCHED"}


async def test_a_follow_up_that_is_due_or_unresolved_is_cancelled(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    due, unresolved = await claim_some(http, 2)
    at = from_now(seconds=-9)
    first = await report(http, due, at, **call_back(from_now(seconds=-1)))
    await until(http, f"/api/activities/{first['followUpId']}", "DUE")
    async with service.database.transactions.begin() as connection:
        await connection.execute(
            update(CommerceUser).where(CommerceUser.tenant_id == tenant.id).values(is_active=False)
        )
    other = await report(http, unresolved, at, **call_back(SOON))
    await until(http, f"/api/activities/{other['followUpId']}", "UNRESOLVED")
    for activity_id in (due, unresolved):
        overriding = await report(http, activity_id, at, status="NOT_EXECUTED")
        assert overriding["overriddenFollowUp"]["status"] == "CANCELED"


async def test_a_missing_follow_up_of_an_overridden_result_is_never_created(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    """The process that accepted the result was cut off before it created the follow-up."""
    (activity_id,) = await claim_some(http)
    at = from_now(seconds=-9)
    body = call_back(SOON)
    first = await report(http, activity_id, at, **body)
    await report(http, activity_id, at, status="NOT_EXECUTED")
    this = parts_of(ActivityResult, tenant.id, UUID(activity_id))
    async with service.database.transactions.begin() as connection:
        await connection.execute(
            update(ActivityResult).where(this, ActivityResult.id == UUID(first["id"])).values(follow_up_id=None)
        )
    again = {"activity_id": activity_id, "status": "COMPLETED", "occurred_at": at} | body
    repeated = await http.post("/api/activity-results/tasks", json=again)
    assert (repeated.status_code, repeated.json()["followUpId"]) == (200, None)


async def test_reconciliation_cancels_a_follow_up_that_was_left(http: httpx.AsyncClient, service: Service) -> None:
    """The process that accepted the override was cut off, or the follow-up was created beside it."""
    (activity_id,) = await claim_some(http)
    at = from_now(seconds=-9)
    overridden = await report(http, activity_id, at, task_result={"result": "sold"})
    overriding = await report(http, activity_id, at, status="NOT_EXECUTED")
    assert overriding["overriddenFollowUp"] is None
    late = contract_example(idempotency_key=f"follow-up:{overridden['id']}", scheduled_at=SOON)
    created = await http.post("/api/activities", json=late)
    reconciliation = Reconciliation(service.temporal, service.roles.worker, service.roles.across_tenants, Lead(0))
    environment = ActivityEnvironment()
    await environment.run(reconciliation.take_back_follow_ups, Page(grace_seconds=0))
    assert (await trail(http, created.json()["id"]))[-1] == ("CANCELED", "READY", "CANCELED")
