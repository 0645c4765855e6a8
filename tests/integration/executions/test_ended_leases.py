"""A lease that has ended: every reading says what expiring would write, before a claim or reconciliation writes it."""

from typing import Any

import httpx
import pytest

from tests.support.activities import trail
from tests.support.builders import Tenant
from tests.support.hand_off import claim, insert_rows, run_out
from tests.support.service import Service

WHY = "No executor has said what became of it before its lease ran out."


@pytest.fixture
async def taken(http: httpx.AsyncClient, tenant: Tenant, service: Service) -> dict[str, Any]:
    """Return an activity whose lease has ended and was not expired by any write."""
    async with service.database.transactions.begin() as connection:
        await insert_rows(connection, tenant.id)
    (activity,) = await claim(http)
    await run_out(service.database, tenant)
    return activity


async def list_ids(http: httpx.AsyncClient, status: str) -> list[str]:
    """Return the ids of the activities with a status, after a check of the page's total."""
    page = (await http.get("/api/activities", params={"status": status})).json()
    assert page["meta"]["total"] == len(page["data"])
    assert {one["status"] for one in page["data"]} <= {status}
    return [one["id"] for one in page["data"]]


@pytest.mark.parametrize(("max_attempts", "status", "why"), [(3, "DUE", None), (1, "FAILED", WHY)])
async def test_every_reading_says_what_expiring_would_write(
    http: httpx.AsyncClient, taken: dict[str, Any], max_attempts: int, status: str, why: str | None
) -> None:
    await http.put("/api/activity-config/dispatch", json={"max_attempts": max_attempts})
    path = f"/api/activities/{taken['id']}"
    answer = await http.get(path)
    before = answer.json()
    assert (before["status"], before["statusReason"]) == (status, why)
    listed = {name: await list_ids(http, name) for name in ("DISPATCHED", "DUE", "FAILED")}
    assert listed == {"DISPATCHED": [], "DUE": [], "FAILED": []} | {status: [taken["id"]]}
    assert [event for event, _, _ in await trail(http, taken["id"])] == ["DISPATCHED"], "no reading writes"
    await claim(http, channels=["SMS"])  # it expires the leases of the tenant
    after = (await http.get(path)).json()
    assert {name: one for name, one in after.items() if name != "updatedAt"} == {
        name: one for name, one in before.items() if name != "updatedAt"
    }
    assert int(answer.headers["ETag"].strip('"')) + 1 == int((await http.get(path)).headers["ETag"].strip('"'))


async def test_a_bulk_change_chooses_by_the_effective_status(http: httpx.AsyncClient, taken: dict[str, Any]) -> None:
    body = {"filter": {"status": ["DUE"]}, "reason": "x", "dry_run": True}
    answer = await http.post("/api/activities/cancel", json=body)
    assert answer.json()["total"] == 1, (answer.text, taken["id"])


async def test_a_change_after_the_end_names_the_effective_status(
    http: httpx.AsyncClient, taken: dict[str, Any]
) -> None:
    refused = await http.post(f"/api/activities/{taken['id']}/execute-now")
    assert (refused.status_code, refused.json()["actualStatus"]) == (409, "DUE"), refused.text


@pytest.mark.parametrize(("max_attempts", "status"), [(3, "DUE"), (1, "FAILED")])
@pytest.mark.parametrize("verb", ["extend", "release"])
async def test_an_executor_that_comes_too_late_is_told_the_effective_status(
    http: httpx.AsyncClient, taken: dict[str, Any], verb: str, max_attempts: int, status: str
) -> None:
    await http.put("/api/activity-config/dispatch", json={"max_attempts": max_attempts})
    refused = await http.post(f"/api/executions/{taken['leaseToken']}/{verb}", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "lease_ended")
    assert f"and the activity is {status}." in refused.json()["detail"]


async def test_the_last_lease_cannot_be_cancelled_after_its_end(http: httpx.AsyncClient, taken: dict[str, Any]) -> None:
    await http.put("/api/activity-config/dispatch", json={"max_attempts": 1})
    refused = await http.post(f"/api/activities/{taken['id']}/cancel", json={"reason": "x"})
    assert (refused.status_code, refused.json()["actualStatus"]) == (409, "FAILED"), refused.text
