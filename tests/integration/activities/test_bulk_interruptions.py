"""A bulk operation outlives its worker and its run: nothing is left out, and nothing is done twice."""

import asyncio
from typing import Any

import httpx

from embedded.postgres import Postgres
from embedded.temporal_server import DYNAMIC_CONFIG, free_port, running_temporal
from tests.support.builders import contract_example, from_now
from tests.support.service import running_service, temporal_client
from tests.support.worlds import new_database
from workflows.bulk import bulk_workflow_id

SIZE = 14


async def progress(http: httpx.AsyncClient, operation: str, *, applied: int) -> dict[str, Any]:
    """The operation, as soon as so many items are changed."""
    async with asyncio.timeout(90):
        while (answer := (await http.get(operation)).json())["counts"]["applied"] < applied:
            await asyncio.sleep(0.1)
    found: dict[str, Any] = answer
    return found


async def test_an_operation_goes_on_after_its_worker_was_lost_and_in_a_new_run(postgres: Postgres) -> None:
    with running_temporal(
        database=None,
        port=free_port(),
        ui_port=None,
        dynamic_config=DYNAMIC_CONFIG | {"limit.historyCount.suggestContinueAsNew": "20"},
    ) as server:
        client = await temporal_client(server.address)
        async with running_service(new_database(postgres), client, work=False) as service:
            tenant = await service.tenant()
            async with service.client(tenant.id) as http:
                async with service.worker(client):
                    created = [
                        await http.post("/api/activities", json=contract_example(scheduled_at=from_now(minutes=n + 30)))
                        for n in range(SIZE)
                    ]
                    body = {"filter": {"status": "READY"}, "reason": "a mistake", "per_second": 1}
                    begun = await http.post("/api/activities/cancel", json=body)
                    operation = begun.headers["Location"]
                    first = client.get_workflow_handle(bulk_workflow_id(tenant.id, begun.json()["id"]))
                    run_id = (await first.describe()).run_id
                    await progress(http, operation, applied=3)
                async with service.worker(client):
                    ended = await progress(http, operation, applied=SIZE)
                    assert await first.result() == "COMPLETED"
                assert ended["counts"] == {"pending": 0, "applied": SIZE, "accepted": 0, "refused": 0, "failed": 0}
                assert (await first.describe()).run_id != run_id
                for one in created:
                    trail = (await http.get(f"{one.headers['Location']}/status-events")).json()["data"]
                    assert [event["eventType"] for event in trail] == ["CREATED", "CANCELED"]
