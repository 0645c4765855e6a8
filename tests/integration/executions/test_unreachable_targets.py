"""Targets that were lost while their activities slept: a claim returns the others and leaves these to an operator."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from db.models import CommerceUser
from runs.client import workflow_id
from tests.support.activities import trail
from tests.support.builders import CONTACTS, Tenant, contract_example, from_now
from tests.support.hand_off import claim, run_out
from tests.support.service import Service, until
from workflows.messages import Reschedule

REACHABLE = [{"contact_type": kind, "value": value} for kind, value in CONTACTS.items()]
SET_ASIDE = ("RESOLUTION_FAILED", "DUE", "UNRESOLVED")


async def change_user(service: Service, tenant: Tenant, user_id: UUID, **values: Any) -> None:
    """Change a user of the tenant, as a synchronization would."""
    this = (CommerceUser.tenant_id == tenant.id, CommerceUser.id == user_id)
    async with service.database.transactions.begin() as connection:
        await connection.execute(update(CommerceUser).where(*this).values(**values))


async def become_due(http: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    """Return an activity that is due."""
    created = await http.post("/api/activities", json=contract_example(**changes))
    return await until(http, created.headers["Location"], "DUE")


async def lose_target(http: httpx.AsyncClient, service: Service, tenant: Tenant, **changes: Any) -> dict[str, Any]:
    """Return an activity that a claim has set aside because its target was deactivated."""
    lost = await become_due(http, **changes)
    await change_user(service, tenant, tenant.representative_id, is_active=False)
    assert await claim(http) == []
    return (await http.get(f"/api/activities/{lost['id']}")).json()  # type: ignore[no-any-return]


def only(*kinds: str) -> list[dict[str, str]]:
    """Return the contacts of these types."""
    return [contact for contact in REACHABLE if contact["contact_type"] in kinds]


@pytest.mark.parametrize(
    ("channel", "loss"),
    [
        ("WHATSAPP", ({"is_active": False}, "is inactive")),
        ("SALESMAN", ({"is_active": False}, "is inactive")),
        ("WHATSAPP", ({"contacts": only("EMAIL")}, "has no WHATSAPP or PHONE contact, which WHATSAPP needs")),
        ("SMS", ({"contacts": only("WHATSAPP")}, "has no PHONE contact, which SMS needs")),
        ("CALLCENTER", ({"contacts": []}, "has no PHONE contact, which CALLCENTER needs")),
        ("EMAIL", ({"contacts": only("PHONE", "WHATSAPP")}, "has no EMAIL contact, which EMAIL needs")),
    ],
)
async def test_an_unreachable_target_is_not_handed_out(
    http: httpx.AsyncClient, tenant: Tenant, service: Service, channel: str, loss: tuple[dict[str, Any], str]
) -> None:
    values, rule = loss
    lost = await become_due(http, channel=channel, score=9)
    await change_user(service, tenant, tenant.representative_id, **values)
    other = await become_due(http, channel=channel)  # its target is the owner, who can be reached
    assert [one["id"] for one in await claim(http, channels=[channel], limit=1)] == [other["id"]]
    shown = (await http.get(f"/api/activities/{lost['id']}")).json()
    why = f"User {tenant.representative_id} {rule}."
    assert (shown["status"], shown["statusReason"]) == ("UNRESOLVED", f"target user: {why}")
    assert (shown["markedAt"], shown["latenessMs"]) == (None, None)
    (target,) = shown["targetUsers"]
    assert (target["resolutionStatus"], target["errorMessage"]) == ("FAILED", why)
    assert (target["commerceUserId"], target["lockReason"]) == (str(tenant.representative_id), None)
    (event,) = (await http.get(f"/api/activities/{lost['id']}/status-events")).json()["data"][2:]
    assert (event["eventType"], event["fromStatus"], event["toStatus"]) == SET_ASIDE
    assert (event["errorCode"], event["errorMessage"]) == ("resolution_failed", f"target user: {why}")
    attempts = (await http.get(f"/api/activities/{lost['id']}/explanation")).json()["attempts"]
    assert (attempts[-1]["moment"], attempts[-1]["target"]["summary"]) == (None, why)
    assert await claim(http, channels=[channel]) == []


@pytest.mark.parametrize(
    ("channel", "contacts"),
    [("WHATSAPP", only("PHONE")), ("WHATSAPP", only("WHATSAPP")), ("SALESMAN", []), ("PUSH", [])],
)
async def test_a_target_with_another_usable_contact_is_handed_out(
    http: httpx.AsyncClient, tenant: Tenant, service: Service, channel: str, contacts: list[dict[str, str]]
) -> None:
    due = await become_due(http, channel=channel)
    await change_user(service, tenant, tenant.representative_id, contacts=contacts)
    assert [one["id"] for one in await claim(http, channels=[channel])] == [due["id"]]


async def test_many_unreachable_targets_do_not_hide_a_reachable_one(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    lost = [await become_due(http, score=9) for _ in range(3)]
    await change_user(service, tenant, tenant.representative_id, is_active=False)
    other = await become_due(http)
    assert [one["id"] for one in await claim(http, limit=1)] == [other["id"]]
    for one in lost:
        assert (await http.get(f"/api/activities/{one['id']}")).json()["status"] == "UNRESOLVED"


async def test_a_retry_starts_a_run_and_finds_another_user(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    lost = await lose_target(http, service, tenant)
    retried = await http.patch(f"/api/activities/{lost['id']}/retry-resolution")
    assert retried.status_code == 200, retried.text
    await until(http, f"/api/activities/{lost['id']}", "DUE")
    (taken,) = await claim(http)
    assert (taken["id"], taken["attempt"]) == (lost["id"], 1)
    assert taken["targetUsers"][0]["commerceUserId"] == str(tenant.owner_id)
    assert await trail(http, lost["id"]) == [
        ("CREATED", None, "READY"),
        ("DUE", "READY", "DUE"),
        SET_ASIDE,
        ("RUN_RESUMED", "UNRESOLVED", "UNRESOLVED"),
        ("RESOLUTION_RETRY_SUCCESS", "UNRESOLVED", "READY"),
        ("DUE", "READY", "DUE"),
        ("DISPATCHED", "DUE", "DISPATCHED"),
    ]


async def test_an_assignment_starts_a_run(http: httpx.AsyncClient, tenant: Tenant, service: Service) -> None:
    lost = await lose_target(http, service, tenant)
    path = f"/api/activities/{lost['id']}/target-users/{lost['targetUsers'][0]['id']}/resolve"
    assigned = await http.patch(path, json={"commerce_user_id": str(tenant.owner_id)})
    assert assigned.status_code == 200, assigned.text
    await until(http, f"/api/activities/{lost['id']}", "DUE")
    (taken,) = await claim(http)
    assert taken["targetUsers"][0]["commerceUserId"] == str(tenant.owner_id)


async def test_a_move_starts_a_run_that_sleeps_until_the_new_time(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    lost = await lose_target(http, service, tenant)
    moved = await http.patch(f"/api/activities/{lost['id']}", json={"scheduled_at": from_now(hours=1)})
    assert (moved.status_code, moved.json()["status"]) == (200, "UNRESOLVED"), moved.text
    run = await service.temporal.get_workflow_handle(workflow_id(tenant.id, lost["idempotencyKey"])).describe()
    assert run.close_time is None
    retried = await http.patch(f"/api/activities/{lost['id']}/retry-resolution")
    assert (retried.status_code, retried.json()["status"]) == (200, "READY"), retried.text


async def test_a_cancellation_needs_no_run(http: httpx.AsyncClient, tenant: Tenant, service: Service) -> None:
    lost = await lose_target(http, service, tenant)
    canceled = await http.post(f"/api/activities/{lost['id']}/cancel", json={"reason": "gone"})
    assert (canceled.status_code, canceled.json()["status"]) == (200, "CANCELED"), canceled.text


async def test_a_late_result_of_an_earlier_claim_still_counts(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    await become_due(http)
    (taken,) = await claim(http)
    await run_out(service.database, tenant)
    await change_user(service, tenant, tenant.representative_id, is_active=False)
    assert await claim(http) == []
    late = await http.post(
        "/api/activity-results/tasks",
        json={"activity_id": taken["id"], "status": "COMPLETED", "occurred_at": from_now(seconds=-1)},
    )
    assert (late.status_code, late.json()["fromStatus"], late.json()["toStatus"]) == (201, "UNRESOLVED", "COMPLETED")


@pytest.mark.parametrize("is_assigned", [True, False])
async def test_a_late_result_is_no_contact_with_a_user_who_was_assigned_after_its_claim(
    http: httpx.AsyncClient, tenant: Tenant, service: Service, *, is_assigned: bool
) -> None:
    due = await become_due(http)
    (taken,) = await claim(http)
    await run_out(service.database, tenant)
    await change_user(service, tenant, tenant.representative_id, is_active=False)
    assert await claim(http) == []
    path = f"/api/activities/{due['id']}"
    assert (await http.patch(path, json={"scheduled_at": from_now(hours=1)})).status_code == 200
    if is_assigned:
        assign = f"{path}/target-users/{due['targetUsers'][0]['id']}/resolve"
        assigned = await http.patch(assign, json={"commerce_user_id": str(tenant.owner_id)})
        assert (assigned.status_code, assigned.json()["status"]) == (200, "READY"), assigned.text
    result = {"activity_id": taken["id"], "status": "COMPLETED", "occurred_at": from_now(seconds=-1)}
    assert (await http.post("/api/activity-results/tasks", json=result)).json()["toStatus"] == "COMPLETED"
    log = (await http.get(f"/api/commerces/{due['commerceAssignment']['commerceId']}/contact-log")).json()["data"]
    assert [one["commerceUserId"] for one in log] == ([] if is_assigned else [str(tenant.representative_id)])


async def test_a_retry_after_an_assignment_was_lost_asks_for_another_one(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    lost = await lose_target(http, service, tenant)
    path = f"/api/activities/{lost['id']}"
    assign = f"{path}/target-users/{lost['targetUsers'][0]['id']}/resolve"
    assert (await http.patch(assign, json={"commerce_user_id": str(tenant.owner_id)})).status_code == 200
    await until(http, path, "DUE")
    await change_user(service, tenant, tenant.owner_id, is_active=False)
    assert await claim(http) == []
    retried = (await http.patch(f"{path}/retry-resolution")).json()
    why = "target user: No user is assigned. The strategy MANUAL needs an operator for that."
    assert (retried["status"], retried["statusReason"]) == ("UNRESOLVED", why)


async def test_a_mark_ahead_after_an_earlier_mark_can_be_moved(
    http: httpx.AsyncClient, tenant: Tenant, service: Service
) -> None:
    """Only the event of the unseen mark is undone: the earlier mark stays in the trail."""
    lost = await lose_target(http, service, tenant)
    path = f"/api/activities/{lost['id']}"
    assert (await http.patch(path, json={"score": 1})).status_code == 200
    run = service.temporal.get_workflow_handle(workflow_id(tenant.id, lost["idempotencyKey"]))
    in_an_hour = datetime.now(UTC) + timedelta(hours=1)
    await run.execute_update("reschedule", Reschedule(scheduled_at=in_an_hour, lead_seconds=36_000))
    assert (await http.patch(f"{path}/retry-resolution")).status_code == 200
    assert await run.result() == "DUE"
    again = await http.patch(path, json={"scheduled_at": from_now(hours=100)})
    assert (again.status_code, again.json()["status"]) == (200, "READY"), again.text
    assert [event for event, _, _ in await trail(http, lost["id"])].count("DUE") == 1
