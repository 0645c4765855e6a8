"""Test the pause: nothing becomes due, nothing is lost, and other tenants are not affected."""

import asyncio
from datetime import datetime
from typing import Any

import httpx
from sqlalchemy import func, select

from api.http.auth import Permission
from db.models import ScheduledActivity
from db.pauses import RELEASED_AT_ONCE
from runs.client import workflow_id
from tests.support.builders import LONG_AGO, Tenant, contract_example, from_now
from tests.support.hand_off import claim, insert_rows
from tests.support.service import Service, until

PAUSE = "/api/activity-config/pause"


async def created(http: httpx.AsyncClient, **changes: Any) -> str:
    """Create an activity, by default with a past time, and return its URL."""
    answer = await http.post("/api/activities", json=contract_example(**changes))
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


async def paused(http: httpx.AsyncClient, reason: str = "stocktaking") -> dict[str, Any]:
    """The answer to a pause."""
    answer = await http.put(PAUSE, json={"paused": True, "reason": reason})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def resumed(http: httpx.AsyncClient) -> dict[str, Any]:
    """The answer to a resumption."""
    answer = await http.put(PAUSE, json={"paused": False, "reason": "done counting"})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def held(service: Service, tenant: Tenant, http: httpx.AsyncClient) -> str:
    """An activity of a paused tenant whose time has come and whose run has marked it."""
    location = await created(http, scheduled_at=LONG_AGO)
    key = (await http.get(location)).json()["idempotencyKey"]
    assert await service.temporal.get_workflow_handle(workflow_id(tenant.id, key)).result() == "DUE"
    return location


async def event_types(http: httpx.AsyncClient, location: str) -> list[str]:
    return [event["eventType"] for event in (await http.get(f"{location}/status-events")).json()["data"]]


async def test_what_becomes_due_in_a_pause_stays_ready_and_becomes_due_late_when_it_is_resumed(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    await paused(http)
    location = await held(service, tenant, http)
    waiting = await http.get(location)
    seen = waiting.json()
    assert (seen["status"], seen["markedAt"], seen["latenessMs"], waiting.headers["ETag"]) == (
        "READY",
        None,
        None,
        '"1"',
    )
    assert seen["heldSince"] is not None
    assert await event_types(http, location) == ["CREATED"]
    state = (await http.get(PAUSE)).json()
    assert (state["paused"], state["reason"], state["actor"], state["held"]) == (True, "stocktaking", "tester", 1)

    assert (await resumed(http))["released"] == 1
    due = (await http.get(location)).json()
    assert (due["status"], due["heldSince"]) == ("DUE", None)
    assert due["markedAt"] >= seen["heldSince"]
    since_creation = datetime.fromisoformat(due["markedAt"]) - datetime.fromisoformat(due["createdAt"])
    assert abs(due["latenessMs"] - since_creation.total_seconds() * 1000) <= 1
    event = (await http.get(f"{location}/status-events")).json()["data"][-1]
    assert (event["eventType"], event["occurredAt"]) == ("DUE", due["markedAt"])
    assert event["details"] == {
        "heldSince": seen["heldSince"],
        "pauseReason": "stocktaking",
        "resumedBy": "tester",
        "resumeReason": "done counting",
    }


async def test_a_pause_does_not_affect_other_tenants(service: Service, http: httpx.AsyncClient) -> None:
    other = await service.tenant()
    await paused(http)
    async with service.client(other.id) as theirs:
        location = await created(theirs, scheduled_at=LONG_AGO)
        assert (await until(theirs, location, "DUE"))["heldSince"] is None
        assert (await theirs.get(PAUSE)).json()["paused"] is False
        assert (await resumed(theirs))["released"] == 0
    assert (await http.get(PAUSE)).json()["paused"] is True


async def test_executors_are_given_nothing_of_a_paused_tenant_not_even_what_was_due_before(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    location = await created(http, scheduled_at=LONG_AGO)
    before = await until(http, location, "DUE")
    await paused(http)
    await held(service, tenant, http)
    assert (await http.get(location)).json() == before
    assert await claim(http) == []
    assert (await resumed(http))["released"] == 1
    assert before["id"] in {taken["id"] for taken in await claim(http)}


async def test_an_executor_who_waits_hears_of_the_resumption(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    await paused(http)
    await held(service, tenant, http)
    waiting = asyncio.create_task(claim(http, wait_seconds=20))
    await asyncio.sleep(0.2)
    await resumed(http)
    assert len(await waiting) == 1


async def test_however_much_is_held_it_is_let_go_in_one_moment(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    await paused(http)
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id, count=2 * RELEASED_AT_ONCE + 7)
    assert (await http.get(PAUSE)).json()["held"] == 2 * RELEASED_AT_ONCE + 7
    assert (await http.get("/api/activities", params={"status": "DUE"})).json()["data"] == []
    assert (await resumed(http))["released"] == 2 * RELEASED_AT_ONCE + 7
    marks = select(func.count(ScheduledActivity.marked_at.distinct())).where(ScheduledActivity.tenant_id == tenant.id)
    async with service.database.transactions.connect() as connection:
        assert (await connection.execute(marks)).scalar_one() == 1


async def test_nothing_can_be_executed_now_in_a_pause(http: httpx.AsyncClient) -> None:
    await paused(http)
    location = await created(http, scheduled_at=from_now(hours=1))
    refused = await http.post(f"{location}/execute-now")
    assert (refused.status_code, refused.json()["code"]) == (409, "wrong_status")
    await resumed(http)
    assert (await http.post(f"{location}/execute-now")).json()["status"] == "DUE"


async def test_a_held_activity_can_be_cancelled_and_leaves_no_trace_of_its_mark(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    await paused(http)
    location = await held(service, tenant, http)
    assert (await http.post(f"{location}/cancel", json={"reason": "no more"})).json()["status"] == "CANCELED"
    assert (await resumed(http))["released"] == 0
    assert await event_types(http, location) == ["CREATED", "CANCELED"]


async def test_a_held_activity_can_be_moved_and_is_due_at_its_new_time(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    await paused(http)
    location = await held(service, tenant, http)
    moved = await http.patch(location, json={"scheduled_at": from_now(hours=1)})
    assert (moved.status_code, moved.json()["status"], moved.json()["heldSince"]) == (200, "READY", None)
    assert (await resumed(http))["released"] == 0
    assert (await http.get(location)).json()["status"] == "READY"
    await http.patch(location, json={"scheduled_at": LONG_AGO})
    await until(http, location, "DUE")
    assert await event_types(http, location) == ["CREATED", "RESCHEDULED", "RESCHEDULED", "DUE"]


async def test_pausing_again_keeps_its_beginning(http: httpx.AsyncClient) -> None:
    first = await paused(http, "a")
    second = await paused(http, "b")
    assert second == first | {"reason": "b"}
    assert await resumed(http) == {**dict.fromkeys(first), "paused": False, "held": 0, "released": 0}


async def test_a_pause_without_a_reason_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.put(PAUSE, json={"paused": True})
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_failed")
    assert (await http.get(PAUSE)).json()["paused"] is False


async def test_only_operators_may_pause(service: Service, tenant: Tenant) -> None:
    others = [permission for permission in Permission if permission is not Permission.OPERATE]
    async with service.client(tenant.id, *others) as client:
        answer = await client.put(PAUSE, json={"paused": True, "reason": "mischief"})
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
