"""POST /api/activities/retry-resolution: many UNRESOLVED activities are resolved again, by a bulk operation."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import update

from api.http.auth import Permission
from db.models import CommerceUser
from tests.support.activities import created
from tests.support.builders import Tenant, from_now
from tests.support.bulk import ACTIVITIES, begun, ended, outcomes, statuses
from tests.support.service import Service

RETRY = "retry-resolution"
SETTINGS = "/api/activity-config/bulk"


@pytest.fixture
async def unresolved(service: Service, tenant: Tenant, http: httpx.AsyncClient) -> list[dict[str, Any]]:
    """Activities that found no target user, because the tenant's users were not active."""
    await set_active(service, tenant, is_active=False)
    found = [await created(http, channel="SMS", scheduled_at=from_now(minutes=10 * n + 30)) for n in range(3)]
    assert {one["status"] for one in found} == {"UNRESOLVED"}
    return found


async def set_active(service: Service, tenant: Tenant, *, is_active: bool) -> None:
    async with service.database.transactions.begin() as connection:
        await connection.execute(
            update(CommerceUser).where(CommerceUser.tenant_id == tenant.id).values(is_active=is_active)
        )


async def events(http: httpx.AsyncClient, activity: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await http.get(f"{ACTIVITIES}/{activity['id']}/status-events")).json()["data"]
    return found


async def test_unresolved_activities_are_resolved_again_and_others_are_left(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, unresolved: list[dict[str, Any]]
) -> None:
    await set_active(service, tenant, is_active=True)
    ready = await created(http, channel="SMS", scheduled_at=from_now(minutes=5))
    operation = await ended(http, await begun(http, RETRY, per_second=100))
    assert (operation["verb"], operation["state"], operation["total"]) == (RETRY, "COMPLETED", 3)
    assert outcomes(operation) == [(one["id"], "APPLIED") for one in unresolved]
    assert [item["detail"] for item in operation["items"]["data"]] == [None] * 3
    assert await statuses(http, [*unresolved, ready]) == ["READY"] * 4
    for one in unresolved:
        event = (await events(http, one))[-1]
        assert (event["eventType"], event["actor"]) == ("RESOLUTION_RETRY_SUCCESS", "tester")
        assert event["operationId"] == operation["id"]
    assert [event["eventType"] for event in await events(http, ready)] == ["CREATED"]


async def test_what_fails_again_is_applied_and_says_what_is_missing(
    http: httpx.AsyncClient, unresolved: list[dict[str, Any]]
) -> None:
    operation = await ended(http, await begun(http, RETRY, per_second=100))
    assert operation["counts"]["applied"] == 3
    for item in operation["items"]["data"]:
        assert item["detail"].startswith("target user: No user was found")
    assert await statuses(http, unresolved) == ["UNRESOLVED"] * 3
    last = (await events(http, unresolved[0]))[-1]
    assert (last["eventType"], last["operationId"]) == ("RESOLUTION_RETRY_FAILED", operation["id"])


async def test_a_dry_run_counts_the_unresolved_ones_and_changes_nothing(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, unresolved: list[dict[str, Any]]
) -> None:
    await set_active(service, tenant, is_active=True)
    await created(http, channel="SMS", scheduled_at=from_now(minutes=5))
    body = {"filter": {"channel": "SMS"}, "reason": "r", "dry_run": True}
    answer = await http.post(f"{ACTIVITIES}/{RETRY}", json=body)
    assert (answer.status_code, answer.json()["verb"], answer.json()["total"]) == (200, RETRY, 3)
    assert [one["id"] for one in answer.json()["sample"]] == [one["id"] for one in unresolved]
    assert await statuses(http, unresolved) == ["UNRESOLVED"] * 3


async def test_the_total_is_confirmed_and_an_id_starts_one_operation(
    http: httpx.AsyncClient, unresolved: list[dict[str, Any]]
) -> None:
    await http.put(SETTINGS, json={"confirm_above": 1})
    body = {"filter": {"channel": "SMS"}, "reason": "r", "operation_id": str(uuid4())}
    refused = await http.post(f"{ACTIVITIES}/{RETRY}", json=body)
    assert (refused.status_code, refused.json()["code"], refused.json()["total"]) == (409, "total_not_confirmed", 3)
    confirmed = body | {"confirm_total": len(unresolved)}
    first = await http.post(f"{ACTIVITIES}/{RETRY}", json=confirmed)
    again = await http.post(f"{ACTIVITIES}/{RETRY}", json=confirmed)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.headers["Location"] == again.headers["Location"] == f"/api/operations/{body['operation_id']}"
    other = await http.post(f"{ACTIVITIES}/cancel", json=confirmed)
    assert (other.status_code, other.json()["code"]) == (409, "operation_id_exists")
    await ended(http, first.headers["Location"])
    assert [event["eventType"] for event in await events(http, unresolved[0])] == ["CREATED", "RESOLUTION_RETRY_FAILED"]


async def test_a_retry_is_stopped_by_who_may_retry(
    service: Service, tenant: Tenant, http: httpx.AsyncClient, unresolved: list[dict[str, Any]]
) -> None:
    unresolved += await asyncio.gather(*(created(http, channel="SMS") for _ in range(12)))
    operation = await begun(http, RETRY, per_second=1)
    async with service.client(tenant.id, Permission.VIEW_ACTIVITIES, Permission.CANCEL_ACTIVITY) as canceler:
        refused = await canceler.post(f"{operation}/stop")
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
        body = {"filter": {"channel": "SMS"}, "reason": "r"}
        assert (await canceler.post(f"{ACTIVITIES}/{RETRY}", json=body)).status_code == 403
    async with service.client(tenant.id, Permission.VIEW_ACTIVITIES, Permission.CREATE_ACTIVITY) as creator:
        stopped = await creator.post(f"{operation}/stop")
        assert stopped.json()["state"] in {"STOPPED", "STOPPING"}
    final = await ended(http, operation)
    tried = [len(await events(http, one)) - 1 for one in unresolved]
    assert (final["state"], sum(tried)) == ("STOPPED", final["counts"]["applied"])
    assert sum(tried) < len(unresolved)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"filter": {}}, "/filter"),
        ({"filter": {"status": ["READY"]}}, "/filter/status"),
        ({"filter": {"channel": "SMS"}, "shift_seconds": 1}, "/shift_seconds"),
    ],
    ids=["nothing", "status", "time"],
)
async def test_what_can_not_be_resolved_again_is_refused(
    http: httpx.AsyncClient, body: dict[str, Any], pointer: str
) -> None:
    answer = await http.post(f"{ACTIVITIES}/{RETRY}", json={"reason": "r"} | body)
    assert (answer.status_code, [fault["pointer"] for fault in answer.json()["errors"]]) == (400, [pointer])
