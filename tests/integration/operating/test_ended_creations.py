"""Test creations whose runs are reset or terminated while they are resolving: what is said of them is true."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from embedded.postgres import Postgres
from runs.client import workflow_id
from tests.support.activities import reset
from tests.support.builders import Tenant, contract_example, from_now
from tests.support.hand_off import claim
from tests.support.service import Service, until
from tests.support.worlds import idle_service, work

URL = "/api/activities"
CALL_BACK_AT = "2031-05-06T07:08:09.000Z"


@pytest.fixture
async def own(postgres: Postgres, temporal: Client) -> AsyncIterator[Service]:
    """The service without a worker, in a world that the test breaks."""
    async with idle_service(postgres, temporal) as service:
        yield service


@pytest.fixture
async def tenant(own: Service) -> Tenant:
    """Create a tenant of that service."""
    return await own.tenant()


@pytest.fixture
async def http(own: Service, tenant: Tenant) -> AsyncIterator[httpx.AsyncClient]:
    """Call that service as this tenant."""
    async with own.client(tenant.id) as client:
        yield client


def rename_reasons(postgres: Postgres, service: Service, before: str, after: str) -> None:
    """Rename the table of reasons; without it, no creation succeeds."""
    with postgres.connect(str(service.database.url.database)) as connection:
        connection.execute(f"ALTER TABLE {before} RENAME TO {after}".encode())


async def until_in_trouble(run: WorkflowHandle[Any, Any]) -> None:
    """Return once the run shows a step that fails."""
    async with asyncio.timeout(60):
        while not await _has_pending_step(run):
            await asyncio.sleep(0.05)


async def _has_pending_step(run: WorkflowHandle[Any, Any]) -> bool:
    try:
        return bool((await run.describe()).raw_description.pending_activities)
    except RPCError:  # not started yet
        return False


async def test_a_creation_whose_run_is_reset_while_resolving_is_accepted_and_becomes_ready(
    postgres: Postgres, own: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    body = contract_example(scheduled_at=from_now(hours=1))
    run = own.temporal.get_workflow_handle(workflow_id(tenant.id, body["idempotency_key"]))
    rename_reasons(postgres, own, "reasons", "hidden")
    async with work(own):
        creating = asyncio.create_task(http.post(URL, json=body))
        await until_in_trouble(run)
        await reset(own, run, 4)
        answer = await creating
        assert (answer.status_code, answer.json()["status"]) == (202, "RESOLVING"), answer.text
        rename_reasons(postgres, own, "hidden", "reasons")
        assert (await until(http, answer.headers["Location"], "READY"))["id"] == answer.json()["id"]


async def test_a_creation_whose_run_is_terminated_is_not_called_accepted(
    own: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    body = contract_example(scheduled_at=from_now(hours=1))
    run = own.temporal.get_workflow_handle(workflow_id(tenant.id, body["idempotency_key"]))
    creating = asyncio.create_task(http.post(URL, json=body))
    async with asyncio.timeout(60):
        while not await _is_terminated(run):
            await asyncio.sleep(0.05)
    answer = await creating
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), answer.text
    async with work(own):
        assert (await http.post(URL, json=body)).status_code == 201


async def _is_terminated(run: WorkflowHandle[Any, Any]) -> bool:
    try:
        await run.terminate()
    except RPCError:  # not started yet
        return False
    return True


async def test_a_follow_up_whose_run_is_reset_while_resolving_is_noted_as_created(
    postgres: Postgres, own: Service, tenant: Tenant, http: httpx.AsyncClient
) -> None:
    async with work(own):
        types = [{"code": "call_back", "label": "Call back", "requires_future_scheduled_at": True}]
        assert (await http.put("/api/activity-config/task-result-types", json={"types": types})).is_success
        activity = (await http.post(URL, json=contract_example())).json()
        await until(http, f"{URL}/{activity['id']}", "DUE")
        assert [one["id"] for one in await claim(http)] == [activity["id"]]
        rename_reasons(postgres, own, "reasons", "hidden")
        body = {
            "activity_id": activity["id"],
            "status": "COMPLETED",
            "occurred_at": "2026-01-01T00:00:00Z",
            "task_result": {"result": "call_back", "future_scheduled_at": CALL_BACK_AT},
        }
        reporting = asyncio.create_task(http.post("/api/activity-results/tasks", json=body))
        results: list[dict[str, Any]] = []
        async with asyncio.timeout(60):
            while not results:
                results = (await http.get(f"{URL}/{activity['id']}/results")).json()
        run = own.temporal.get_workflow_handle(workflow_id(tenant.id, f"follow-up:{results[0]['id']}"))
        await until_in_trouble(run)
        await reset(own, run, 4)
        reported = await reporting
        assert reported.is_success, reported.text
        assert reported.json()["followUpError"] is None
        rename_reasons(postgres, own, "hidden", "reasons")
        async with asyncio.timeout(60):
            while (again := await http.post("/api/activity-results/tasks", json=body)).json()["followUpId"] is None:
                await asyncio.sleep(0.1)
    assert again.json()["followUpError"] is None
