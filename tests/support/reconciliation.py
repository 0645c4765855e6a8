"""Rounds of reconciliation as tests run them, and what happens to runs in Temporal."""

import asyncio
from typing import Any
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowHandle

from runs.ask import describe_run
from runs.client import TASK_QUEUE, workflow_id
from tests.support.builders import Tenant
from tests.support.service import Service
from workflows.findings import Compared, Finding, Page, Reconcile
from workflows.reconciliation import ReconciliationWorkflow


async def reconciled(client: Client, **page: Any) -> Compared:
    """Run one round without grace for rows that were just written."""
    return await round_of(client, Reconcile(page=Page(**{"grace_seconds": 0} | page), stuck_seconds=0))


async def round_of(client: Client, wanted: Reconcile) -> Compared:
    """Run one round with these arguments."""
    return await client.execute_workflow(
        ReconciliationWorkflow.run, wanted, id=f"reconciliation-{uuid4()}", task_queue=TASK_QUEUE
    )


async def until_found(client: Client, finding: Finding, activity_id: str) -> Compared:
    """Repeat rounds until one names this activity: Temporal's lists lag behind."""
    async with asyncio.timeout(60):
        while activity_id not in (found := await reconciled(client)).examples.get(finding, ()):
            await asyncio.sleep(0.2)
    return found


async def until_asleep(client: Client, number: int) -> None:
    """Return once Temporal lists so many runs as SCHEDULED: before, a round may find them still RESOLVING."""
    async with asyncio.timeout(60):
        while (await client.count_workflows("ActivityStatus = 'SCHEDULED'")).count < number:
            await asyncio.sleep(0.05)


def run_of(service: Service, tenant: Tenant, activity: dict[str, Any]) -> WorkflowHandle[Any, Any]:
    """Return the latest run of the activity's key."""
    return service.temporal.get_workflow_handle(workflow_id(tenant.id, activity["idempotencyKey"]))


async def forget(service: Service, run: WorkflowHandle[Any, Any]) -> None:
    """Delete the run, and return once Temporal knows nothing of it."""
    await service.temporal.workflow_service.delete_workflow_execution(
        DeleteWorkflowExecutionRequest(
            namespace=service.temporal.namespace, workflow_execution=WorkflowExecution(workflow_id=run.id)
        ),
        retry=True,
    )
    async with asyncio.timeout(60):
        while await describe_run(service.temporal, run.id):
            await asyncio.sleep(0.1)
