"""Activities as tests need them, and what became of them."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import update
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import WorkflowHandle

from api.activities.schemas import ScheduledActivityCreate
from db.models import CommerceUser
from runs.client import workflow_id
from runs.ids import draw_id
from runs.start import start_run
from tests.support.builders import Tenant, contract_example, from_now
from tests.support.service import Service
from workflows.messages import ScheduledActivityInput


def drawn_ago(seconds: float) -> UUID:
    """An id as the service drew it that many seconds ago; a negative number is the future."""
    return UUID(int=draw_id().int - (round(seconds * 1000) << 80))


async def created(http: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    """A new activity, an hour ahead unless said otherwise; a busy machine may answer 202 before it is recorded."""
    answer = await http.post("/api/activities", json=contract_example(**{"scheduled_at": from_now(hours=1)} | changes))
    assert answer.status_code in {201, 202}, answer.text
    body: dict[str, Any] = answer.json()
    async with asyncio.timeout(60):
        while body["status"] == "RESOLVING":
            await asyncio.sleep(0.2)
            body = (await http.get(f"/api/activities/{body['id']}")).json()
    return body


async def trail(http: httpx.AsyncClient, activity_id: str) -> list[tuple[str, str | None, str]]:
    """Type, from and to of every event."""
    events = (await http.get(f"/api/activities/{activity_id}/status-events?per_page=100")).json()["data"]
    return [(event["eventType"], event["fromStatus"], event["toStatus"]) for event in events]


async def marked_ahead(service: Service, tenant: Tenant) -> dict[str, Any]:
    """An activity whose run has marked it and ended, while its time is still to come: its lead is longer than that."""
    request = ScheduledActivityCreate.model_validate_json(json.dumps(contract_example(scheduled_at=from_now(hours=1))))
    scheduled = ScheduledActivityInput(
        id=UUID(int=uuid4().int | 0xFFFF), tenant_id=tenant.id, request=request.as_request(), lead_seconds=7200
    )
    await start_run(service.temporal, scheduled, 20)
    run = service.temporal.get_workflow_handle(workflow_id(tenant.id, request.idempotency_key))
    assert await run.result() == "DUE"
    async with service.client(tenant.id) as http:
        seen = await http.get(f"/api/activities/{scheduled.id}")
        assert (seen.json()["status"], seen.json()["markedAt"], seen.headers["ETag"]) == ("READY", None, '"1"')
    found: dict[str, Any] = seen.json()
    return found


async def unresolved(service: Service, http: httpx.AsyncClient, tenant: Tenant) -> dict[str, Any]:
    """Create an activity that is UNRESOLVED, because none of its users is active."""
    async with service.database.transactions.begin() as connection:
        await connection.execute(
            update(CommerceUser).where(CommerceUser.tenant_id == tenant.id).values(is_active=False)
        )
    body = await created(http)
    assert body["status"] == "UNRESOLVED"
    assert "No user was found" in body["statusReason"]
    return body


async def activate(service: Service, tenant: Tenant, user_id: UUID) -> None:
    async with service.database.transactions.begin() as connection:
        await connection.execute(
            update(CommerceUser)
            .where(CommerceUser.tenant_id == tenant.id, CommerceUser.id == user_id)
            .values(is_active=True)
        )


async def reset(service: Service, run: WorkflowHandle[Any, Any], finish_event: int) -> str:
    """Reset the run to before the end of that workflow task, as the web UI does; return the new run's id."""
    before = await run.describe()
    answer = await service.temporal.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=service.temporal.namespace,
            workflow_execution=WorkflowExecution(workflow_id=run.id, run_id=before.run_id),
            workflow_task_finish_event_id=finish_event,
            reason="try again",
            request_id=str(uuid4()),
        ),
        retry=True,
    )
    return answer.run_id
