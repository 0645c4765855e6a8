"""Claim, extend, release: each due activity goes to one executor at a time, and none is lost."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, text, update

from api.http.auth import Permission
from db.models import ScheduledActivity
from db.rows import address
from db.snapshots import EFFECTIVE_STATUS, is_due
from tests.support.activities import trail
from tests.support.builders import Tenant, contract_example, from_now
from tests.support.hand_off import claim, insert_rows, run_out, while_locked
from tests.support.plans import WITHOUT_LIMITS
from tests.support.service import Service, until


async def test_a_claimed_activity_is_whole(http: httpx.AsyncClient, tenant: Tenant) -> None:
    created = await http.post(
        "/api/activities", json=contract_example(score=7, suggested_execution_time=from_now(hours=1))
    )
    await until(http, created.headers["Location"], "DUE")
    (taken,) = await claim(http, lease_seconds=30)
    assert taken["id"] == created.json()["id"]
    assert taken["status"] == "DISPATCHED"
    assert (taken["score"], taken["attempt"]) == (7, 1)
    assert taken["suggestedExecutionTime"] == created.json()["suggestedExecutionTime"]
    assert taken["commerce"] == {"externalId": "store-1", "name": "Tienda Uno"}
    (target,) = taken["targetUsers"]
    assert target["commerceUserId"] == str(tenant.representative_id)
    assert target["resolutionStatus"] == "LOCKED"
    assert target["contact"] == {"contactType": "WHATSAPP", "value": "+5491100000001"}
    assert [(one["key"], one["resolutionStatus"]) for one in taken["attributes"]] == [("commerce_info", "RESOLVED")]
    shown = (await http.get(created.headers["Location"])).json()
    assert shown["status"] == "DISPATCHED"
    assert await claim(http) == []
    assert (await trail(http, taken["id"]))[-1] == ("DISPATCHED", "DUE", "DISPATCHED")


async def test_higher_scores_go_first_and_then_what_is_due_longest(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    async with service.database.transactions.begin() as connection:
        for prefix, score, age in (("none", None, 900), ("new", 5, 10), ("old", 5, 500), ("top", 9, 1)):
            await insert_rows(connection, tenant.id, prefix=prefix, score=score, age=age)
    taken = await claim(http, limit=3) + await claim(http)
    assert [one["idempotencyKey"] for one in taken] == ["top1", "old1", "new1", "none1"]


async def test_only_what_was_asked_for_is_taken(http: httpx.AsyncClient, tenant: Tenant, service: Service) -> None:
    async with service.database.transactions.begin() as connection:
        for channel in ("SMS", "EMAIL", "WHATSAPP"):
            await insert_rows(connection, tenant.id, prefix=channel, channel=channel)
        await insert_rows(connection, tenant.id, prefix="ahead", age=-3600)
    assert await claim(http, types=["TASK"], channels=["SMS", "EMAIL", "WHATSAPP"]) == []
    taken = await claim(http, channels=["EMAIL", "SMS", "SMS"])
    assert sorted(one["channel"] for one in taken) == ["EMAIL", "SMS"]
    assert [one["idempotencyKey"] for one in await claim(http)] == ["WHATSAPP1"]


async def test_twenty_claimers_take_five_thousand_due_activities_exactly_once(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    async with service.database.transactions.begin() as connection:
        await connection.execute(WITHOUT_LIMITS)
        await insert_rows(connection, tenant.id, 5000)

    async def take_all(executor: str) -> list[str]:
        mine: list[str] = []
        wanted = {
            "channels": ["WHATSAPP"],
            "executor": executor,
            "limit": 100,
            "wait_seconds": 1,
            "lease_seconds": 3600,
        }
        while True:
            answer = await http.post("/api/executions/claim", json=wanted)
            assert answer.status_code == 200, answer.text
            if not answer.json()["data"]:
                return mine
            mine += [one["id"] for one in answer.json()["data"]]

    taken = await asyncio.gather(*(take_all(f"robot-{number}") for number in range(20)))
    counted = Counter(activity_id for mine in taken for activity_id in mine)
    assert len(counted) == 5000
    assert set(counted.values()) == {1}


async def test_waiting_ends_as_soon_as_something_is_due(http: httpx.AsyncClient) -> None:
    waiting = asyncio.create_task(claim(http, wait_seconds=20))
    created = await http.post("/api/activities", json=contract_example())
    async with asyncio.timeout(60):
        (taken,) = await waiting
    assert taken["id"] == created.json()["id"]


async def test_waiting_ends_when_a_mark_made_ahead_comes_true(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    """No notification is sent at that moment, whether the mark was written before the wait or during it."""
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id, prefix="before", age=-1.5)
    async with asyncio.timeout(60):
        assert [one["idempotencyKey"] for one in await claim(http, wait_seconds=20)] == ["before1"]
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id, prefix="later", age=-3600)
    waiting = asyncio.create_task(claim(http, wait_seconds=20))
    await asyncio.sleep(0.3)
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id, prefix="during", age=-0.7)
    async with asyncio.timeout(60):
        assert [one["idempotencyKey"] for one in await waiting] == ["during1"]


async def test_waiting_ends_when_a_lease_runs_out(http: httpx.AsyncClient, tenant: Tenant, service: Service) -> None:
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id)
    (first,) = await claim(http, lease_seconds=5, executor="dies")
    async with asyncio.timeout(60):
        (second,) = await claim(http, wait_seconds=20, executor="lives")
    assert second["id"] == first["id"]
    assert second["attempt"] == 2


async def test_the_ear_is_mended_when_its_connection_is_cut(http: httpx.AsyncClient, service: Service) -> None:
    sessions = "FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN scheduled_activity_due'"
    async with service.database.transactions.connect() as connection, asyncio.timeout(60):
        (before,) = (await connection.execute(text(f"SELECT pid {sessions}"))).scalars()
        await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": before})
        while (await connection.execute(text(f"SELECT pid {sessions}"))).scalars().all() in ([], [before]):
            await connection.rollback()
            await asyncio.sleep(0.1)
    await test_waiting_ends_as_soon_as_something_is_due(http)


async def test_waiting_is_in_vain_when_nothing_is_due(http: httpx.AsyncClient) -> None:
    assert await claim(http, wait_seconds=1) == []


async def test_a_caller_who_has_gone_takes_nothing(http: httpx.AsyncClient, tenant: Tenant, service: Service) -> None:
    with pytest.raises(httpx.ReadTimeout):
        await http.post(
            "/api/executions/claim",
            json={"channels": ["WHATSAPP"], "executor": "gone", "wait_seconds": 20},
            timeout=httpx.Timeout(60, read=0.5),
        )
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id)
    (taken,) = await claim(http, wait_seconds=5)
    assert taken["attempt"] == 1


async def test_a_lease_can_be_extended_until_it_is_over(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id)
    (taken,) = await claim(http, lease_seconds=60)
    extended = await http.post(f"/api/executions/{taken['leaseToken']}/extend", json={"lease_seconds": 600})
    assert extended.status_code == 200, extended.text
    assert extended.json()["leaseExpiresAt"] > taken["leaseExpiresAt"]
    assert extended.json()["activityId"] == taken["id"]
    await run_out(service.database, tenant)
    refused = await http.post(f"/api/executions/{taken['leaseToken']}/extend", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "lease_ended")


@pytest.mark.parametrize("verb", ["extend", "release"])
async def test_a_lease_that_runs_out_while_its_row_is_locked_is_over(
    http: httpx.AsyncClient, tenant: Tenant, service: Service, verb: str
) -> None:
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id)
    (taken,) = await claim(http)
    this = (tenant.id, UUID(taken["id"]))
    soon = func.clock_timestamp() + timedelta(seconds=2)
    async with service.database.transactions.begin() as connection:
        await connection.execute(update(ScheduledActivity).where(address(*this)).values(lease_expires_at=soon))
    change = http.post(f"/api/executions/{taken['leaseToken']}/{verb}", json={})
    is_over = ScheduledActivity.lease_expires_at < func.clock_timestamp()
    answer, _ = await while_locked(service.database, this, change, is_over)
    assert (answer.status_code, answer.json()["code"]) == (409, "lease_ended")
    assert [event for event, _, _ in await trail(http, taken["id"])] == ["DISPATCHED"]


async def test_a_released_activity_is_due_at_once_and_that_is_not_held_against_it(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id)
    for attempt in range(1, 6):
        (taken,) = await claim(http)
        assert taken["attempt"] == attempt
        released = await http.post(f"/api/executions/{taken['leaseToken']}/release", json={"reason": "no line"})
        assert (released.status_code, released.json()["status"]) == (200, "DUE")
    assert (await trail(http, taken["id"]))[-1] == ("LEASE_RELEASED", "DISPATCHED", "DUE")
    again = await http.post(f"/api/executions/{taken['leaseToken']}/release", json={})
    assert (again.status_code, again.json()["code"]) == (409, "lease_ended")


async def test_three_leases_may_run_out_then_it_is_failed(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id)
    for attempt in (1, 2, 3):
        (taken,) = await claim(http)
        assert taken["attempt"] == attempt
        await run_out(service.database, tenant)
    assert await claim(http) == []
    shown = (await http.get(f"/api/activities/{taken['id']}")).json()
    assert shown["status"] == "FAILED"
    events = (await http.get(f"/api/activities/{taken['id']}/status-events")).json()["data"]
    assert Counter(event["eventType"] for event in events) == Counter(
        DISPATCHED=3, LEASE_EXPIRED=2, DISPATCH_EXHAUSTED=1
    )
    (exhausted,) = [event for event in events if event["eventType"] == "DISPATCH_EXHAUSTED"]
    assert (exhausted["errorCode"], exhausted["toStatus"]) == ("dispatch_exhausted", "FAILED")


async def test_how_often_a_lease_may_run_out_is_the_tenants_setting(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    assert (await http.get("/api/activity-config/dispatch")).json() == {"maxAttempts": 3}
    assert (await http.put("/api/activity-config/dispatch", json={"max_attempts": 1})).json() == {"maxAttempts": 1}
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id)
    (taken,) = await claim(http)
    await run_out(service.database, tenant)
    assert await claim(http) == []
    assert (await http.get(f"/api/activities/{taken['id']}")).json()["status"] == "FAILED"


async def test_an_activity_with_its_last_lease_is_claimed_alone(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    """An executor that such an activity kills takes no other activity with it."""
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id, prefix="bad", score=9)
        await insert_rows(connection, tenant.id, 2, prefix="good", score=5)
    for _ in range(2):
        assert len(await claim(http)) == 3
        await run_out(service.database, tenant)
        for one in ("good1", "good2"):
            await forget_expiry(service, tenant, one)
    assert [one["idempotencyKey"] for one in await claim(http)] == ["bad1"]
    assert sorted(one["idempotencyKey"] for one in await claim(http)) == ["good1", "good2"]


async def test_a_claim_ends_before_an_activity_with_its_last_lease(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    async with service.database.transactions.begin() as connection:
        for prefix, score in (("first", 9), ("bad", 5), ("next", 1)):
            await insert_rows(connection, tenant.id, prefix=prefix, score=score)
        this = (ScheduledActivity.tenant_id == tenant.id, ScheduledActivity.idempotency_key == "bad1")
        await connection.execute(update(ScheduledActivity).where(*this).values(expired_leases=2))
    claimed = [[one["idempotencyKey"] for one in await claim(http)] for _ in range(4)]
    assert claimed == [["first1"], ["bad1"], ["next1"], []]


async def forget_expiry(service: Service, tenant: Tenant, key: str) -> None:
    """Return a claimed activity as an executor that releases it does."""
    this = (ScheduledActivity.tenant_id == tenant.id, ScheduledActivity.idempotency_key == key)
    async with service.database.transactions.begin() as connection:
        await connection.execute(update(ScheduledActivity).where(*this).values(status="DUE"))


async def test_a_lease_is_its_tenants_secret(http: httpx.AsyncClient, tenant: Tenant, service: Service) -> None:
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id)
    (taken,) = await claim(http)
    stranger = await service.tenant()
    async with service.client(stranger.id) as other:
        answer = await other.post(f"/api/executions/{taken['leaseToken']}/release", json={})
    assert (answer.status_code, answer.json()["code"]) == (404, "lease_not_found")
    async with service.client(tenant.id, Permission.VIEW_ACTIVITIES) as viewer:
        told = [await viewer.get(f"/api/activities/{taken['id']}{path}") for path in ("", "/status-events")]
        refused = await viewer.post("/api/executions/claim", json={})
    assert all(taken["leaseToken"] not in answer.text for answer in told)
    assert refused.status_code == 403


async def test_what_is_taken_cant_be_cancelled_and_what_is_cancelled_cant_be_taken(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id)
    (taken,) = await claim(http, executor="call-centre-7")
    refused = await http.post(f"/api/activities/{taken['id']}/cancel", json={"reason": "changed my mind"})
    assert refused.status_code == 409, refused.text
    assert "call-centre-7" in refused.json()["detail"]
    assert taken["leaseExpiresAt"] in refused.json()["detail"]
    await run_out(service.database, tenant)
    canceled = await http.post(f"/api/activities/{taken['id']}/cancel", json={"reason": "changed my mind"})
    assert canceled.status_code == 200, canceled.text
    assert await claim(http) == []
    assert (await trail(http, taken["id"]))[-2:] == [
        ("LEASE_EXPIRED", "DISPATCHED", "DUE"),
        ("CANCELED", "DUE", "CANCELED"),
    ]


async def test_lateness_is_measured_by_channel(http: httpx.AsyncClient, tenant: Tenant, service: Service) -> None:
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id, channel="PUSH")
    await claim(http, channels=["PUSH"])
    metrics = (await http.get("/metrics")).text
    for name in ("claimable", "claimed"):
        assert f'scheduled_activity_{name}_lateness_seconds_count{{channel="PUSH"}}' in metrics


async def test_due_for_executors_is_due_for_everyone(tenant: Tenant, service: Service) -> None:
    """One is written for indices, the other for eyes: they must not drift apart."""
    async with service.database.transactions.begin() as connection:
        for status in ("DUE", "CANCELED"):
            for age in (60, -60):
                await insert_rows(connection, tenant.id, prefix=f"{status}{age}", status=status, age=age)
        statement = select(EFFECTIVE_STATUS, is_due(tenant.id)).where(ScheduledActivity.tenant_id == tenant.id)
        found = (await connection.execute(statement)).all()
    assert {tuple(row) for row in found} == {("DUE", True), ("READY", False), ("CANCELED", False)}
