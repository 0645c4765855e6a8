"""Permissions of calls that show or do what another call has a permission for."""

from typing import Any

import httpx
import pytest

from api.http.auth import Permission
from tests.support.builders import Tenant, contract_example
from tests.support.hand_off import claim
from tests.support.service import Service, until

DRY_RUNS: list[tuple[str, dict[str, Any], Permission]] = [
    ("/api/activities/explain", contract_example(), Permission.CREATE_ACTIVITY),
    (
        "/api/activities/cancel",
        {"filter": {"channel": "SMS"}, "reason": "r", "dry_run": True},
        Permission.CANCEL_ACTIVITY,
    ),
    (
        "/api/activities/reschedule",
        {"filter": {"channel": "SMS"}, "reason": "r", "dry_run": True, "shift_seconds": 60},
        Permission.CREATE_ACTIVITY,
    ),
    (
        "/api/activities/retry-resolution",
        {"filter": {"channel": "SMS"}, "reason": "r", "dry_run": True},
        Permission.CREATE_ACTIVITY,
    ),
]


@pytest.mark.parametrize(("url", "body", "own"), DRY_RUNS, ids=[url for url, _, _ in DRY_RUNS])
async def test_a_dry_run_shows_activities_or_users_only_to_a_caller_that_may_view_them(
    service: Service, tenant: Tenant, url: str, body: dict[str, Any], own: Permission
) -> None:
    for permissions, expected in (
        ((own,), 403),
        ((Permission.VIEW_ACTIVITIES,), 403),
        ((own, Permission.VIEW_ACTIVITIES), 200),
    ):
        async with service.client(tenant.id, *permissions) as client:
            answer = await client.post(url, json=body)
        assert answer.status_code == expected, answer.text
    async with service.client(tenant.id, own) as client:
        answer = await client.post(url, json=body)
    assert answer.json()["code"] == "permission_denied"
    assert "VIEW_ACTIVITIES" in answer.json()["detail"]


async def test_a_result_creates_a_follow_up_only_for_a_caller_that_may_create_activities(
    service: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    types = [
        {"code": "call_back", "label": "Call back", "requires_future_scheduled_at": True},
        {"code": "sold", "label": "Sold"},
    ]
    await http.put("/api/activity-config/task-result-types", json={"types": types})
    created = await http.post("/api/activities", json=contract_example())
    await until(http, created.headers["Location"], "DUE")
    (activity,) = await claim(http)
    body = {
        "activity_id": activity["id"],
        "status": "COMPLETED",
        "occurred_at": "2025-01-16T09:00:00Z",
        "task_result": {"result": "call_back", "future_scheduled_at": "2031-05-06T07:08:09.000Z"},
    }
    results = "/api/activity-results/tasks"
    async with service.client(tenant.id, Permission.SUBMIT_ACTIVITY_RESULT, subject="executor") as executor:
        refused = await executor.post(results, json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
        assert "CREATE_ACTIVITY" in refused.json()["detail"]
        assert (await http.get(f"{created.headers['Location']}/results")).json() == []
        assert (await http.get(created.headers["Location"])).json()["status"] == "DISPATCHED"
        both = (Permission.SUBMIT_ACTIVITY_RESULT, Permission.CREATE_ACTIVITY)
        async with service.client(tenant.id, *both, subject="executor") as creator:
            accepted = await creator.post(results, json=body)
        assert accepted.status_code == 201, accepted.text
        assert accepted.json()["followUpId"]
        repeated = await executor.post(results, json=body)
        assert (repeated.status_code, repeated.json()) == (200, accepted.json())
