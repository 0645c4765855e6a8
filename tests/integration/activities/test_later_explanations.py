"""Test the explanations of later attempts: at the wake-up, at retries and at assignments."""

import asyncio
from typing import Any

import httpx
import pytest

from api.http.auth import Permission
from tests.integration.activities.test_explanations import attempts, create
from tests.integration.configuration.test_target_configs import CONFIGS
from tests.support.builders import COMMERCE_ID, Tenant, contract_example, from_now
from tests.support.service import Service
from workflows.search_attributes import ACTIVITY_ID


async def until_event(http: httpx.AsyncClient, activity: dict[str, Any], event_type: str) -> None:
    async with asyncio.timeout(60):
        while event_type not in [
            event["eventType"]
            for event in (await http.get(f"/api/activities/{activity['id']}/status-events")).json()["data"]
        ]:
            await asyncio.sleep(0.05)


async def test_what_is_resolved_at_its_time_honours_what_has_changed_since_and_nothing_else_does(
    http: httpx.AsyncClient, tenant: Tenant
) -> None:
    owner = [{"type": "ROLE_MATCH", "config": {"role": "OWNER"}}]
    body = {"resolution_strategy": "ON_DISPATCH", "criteria": owner, "channel": "SMS"}
    config = (await http.post(CONFIGS, json=body)).json()
    later = await create(http, channel="SMS", scheduled_at=from_now(hours=1))
    now = await create(http, channel="EMAIL", target_criteria=owner, scheduled_at=from_now(hours=1))
    assert later["targetUsers"][0]["resolutionStatus"] == "PENDING"

    await http.patch(f"{CONFIGS}/{config['id']}", json={"fallback_to_owner": False})
    await http.patch(f"/api/commerces/{COMMERCE_ID}/users/{tenant.owner_id}", json={"is_active": False})
    for activity in (later, now):
        await http.patch(f"/api/activities/{activity['id']}", json={"scheduled_at": from_now(seconds=1)})
        await until_event(http, activity, "DUE")

    first, second = await attempts(http, later)
    assert (first["target"]["status"], first["target"]["configuration"]["version"]) == ("PENDING", 1)
    assert (second["target"]["status"], second["target"]["configuration"]["version"]) == ("RESOLVED", 2)
    assert (second["moment"], second["reason"], second["attributes"]) == ("WAKE_UP", None, None)
    assert second["target"]["commerceUserId"] == str(tenant.representative_id)
    assert len(await attempts(http, now)) == 1
    (kept,) = (await http.get(f"/api/activities/{now['id']}/target-users")).json()
    assert (kept["commerceUserId"], kept["resolutionStatus"]) == (str(tenant.owner_id), "LOCKED")


async def test_a_manual_target_that_nobody_assigned_in_time_is_explained(http: httpx.AsyncClient) -> None:
    await http.post(CONFIGS, json={"resolution_strategy": "MANUAL"})
    created = await create(http, scheduled_at=from_now(hours=1))

    await http.patch(f"/api/activities/{created['id']}", json={"scheduled_at": from_now(seconds=1)})
    await until_event(http, created, "RESOLUTION_FAILED")

    first, second = await attempts(http, created)
    assert (created["status"], first["target"]["status"]) == ("READY", "PENDING")
    assert (second["moment"], second["target"]["status"]) == ("WAKE_UP", "FAILED")
    assert "MANUAL" in second["target"]["summary"]


async def test_the_parts_of_an_activity_are_shown_as_the_vendor_shows_them(
    http: httpx.AsyncClient, tenant: Tenant
) -> None:
    created = await create(http, scheduled_at=from_now(days=1))
    path = f"/api/activities/{created['id']}"

    (target,) = (await http.get(f"{path}/target-users")).json()
    (attribute,) = (await http.get(f"{path}/attributes")).json()

    assert target["commerceUser"] == {"id": str(tenant.representative_id), "name": "Name of COMMERCE_REP"}
    assert (target["resolutionStatus"], target["resolutionStrategy"]) == ("RESOLVED", "ON_CREATION")
    assert (target["lockReason"], target["lockedAt"]) == ("FALLBACK_COMMERCE_REP", None)
    assert (attribute["key"], attribute["resolverType"]) == ("commerce_info", "INTERNAL_SERVICE")
    assert attribute["value"] == {"name": "Tienda Uno", "taxId": "20-1", "address": "Calle 1"}


@pytest.mark.parametrize("part", ["explanation", "target-users", "attributes"])
async def test_another_tenants_activity_has_no_parts(service: Service, http: httpx.AsyncClient, part: str) -> None:
    created = await create(http)
    other = await service.tenant()
    async with service.client(other.id) as theirs:
        answer = await theirs.get(f"/api/activities/{created['id']}/{part}")

    assert (answer.status_code, answer.json()["code"]) == (404, "activity_not_found")


async def test_viewers_read_explanations_and_only_creators_ask_for_them_beforehand(
    service: Service, http: httpx.AsyncClient, tenant: Tenant
) -> None:
    created = await create(http)
    async with service.client(tenant.id, Permission.VIEW_ACTIVITIES) as viewer:
        assert len(await attempts(viewer, created)) == 1
        assert (await viewer.post("/api/activities/explain", json=contract_example())).status_code == 403


async def test_a_retry_and_an_assignment_are_attempts_of_their_own(http: httpx.AsyncClient, tenant: Tenant) -> None:
    config = {"resolution_strategy": "ON_CREATION", "fallback_to_commerce_rep": False, "fallback_to_owner": False}
    await http.post(CONFIGS, json=config)
    created = await create(http, scheduled_at=from_now(days=1))
    path = f"/api/activities/{created['id']}"

    retried = await http.patch(f"{path}/retry-resolution")
    target_user = f"{path}/target-users/{created['targetUsers'][0]['id']}"
    assigned = await http.patch(f"{target_user}/resolve", json={"commerce_user_id": str(tenant.owner_id)})

    assert (retried.json()["status"], assigned.json()["status"]) == ("UNRESOLVED", "READY"), assigned.text
    found = await attempts(http, created)
    assert [one["moment"] for one in found] == ["CREATION", "RETRY", None]
    assert found[1]["target"]["status"] == "FAILED"
    assert found[2]["target"]["commerceUserId"] == str(tenant.owner_id)


@pytest.mark.parametrize("part", ["explanation", "target-users", "attributes"])
async def test_the_parts_of_a_rejected_creation_answer_with_its_rejection(
    service: Service, http: httpx.AsyncClient, tenant: Tenant, part: str
) -> None:
    refused = await http.post("/api/activities", json=contract_example(reason="unheard of"))
    assert refused.status_code == 400
    ids: list[str] = []
    async with asyncio.timeout(60):
        while not ids:
            runs = service.temporal.list_workflows(f"TenantId = '{tenant.id}' AND ExecutionStatus = 'Failed'")
            ids = [str(run.typed_search_attributes.get(ACTIVITY_ID)) async for run in runs]

    answer = await http.get(f"/api/activities/{ids[0]}/{part}")

    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_reason")
