"""The Temporal side of a request: ask what became of a run whose row isn't there."""

from typing import TypeVar
from uuid import UUID

from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from temporalio.service import RPCError, RPCStatusCode

from api.patience import patiently
from workflows import search_attributes as sa
from workflows.activities import rejection_of
from workflows.client import workflow_id
from workflows.creation import RefusedError
from workflows.payloads import ScheduledActivityInput

Input = TypeVar("Input")

LOST = (WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.CANCELED, WorkflowExecutionStatus.TIMED_OUT)
"""Ended by an operator: what such a run has not recorded by then, it never will."""


async def exists(client: Client, scheduled: ScheduledActivityInput) -> bool:
    """Whether a start of which nothing was heard has started a run all the same; False if nobody answers."""
    try:
        run = await latest(client, scheduled.tenant_id, scheduled.request.idempotency_key)
    except RPCError:
        return False
    return run is not None and run.typed_search_attributes.get(sa.ACTIVITY_ID) == str(scheduled.id)


@patiently
async def latest(client: Client, tenant_id: UUID, idempotency_key: str) -> WorkflowExecution | None:
    """The latest run of a key, if Temporal knows one."""
    try:
        return await client.get_workflow_handle(workflow_id(tenant_id, idempotency_key)).describe()
    except RPCError as failure:
        if failure.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


@patiently
async def of_activity(client: Client, tenant_id: UUID, activity_id: UUID) -> WorkflowExecution | None:
    """The latest run of an activity, if Temporal knows one."""
    query = f"ActivityId = '{activity_id}' AND TenantId = '{tenant_id}'"
    async for execution in client.list_workflows(query, limit=1):
        return execution
    return None


@patiently
async def input_of(client: Client, workflow_id: str, run_id: str | None, kind: type[Input]) -> Input:
    """What a run, the latest one unless it is named, was started with: its first event has it."""
    async for event in client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history_events(page_size=1):
        payloads = event.workflow_execution_started_event_attributes.input.payloads
        started_with: Input
        (started_with,) = await client.data_converter.decode(payloads, [kind])
        return started_with
    raise LookupError(workflow_id)


@patiently
async def refusal(client: Client, execution: WorkflowExecution) -> RefusedError | None:
    """Why a failed run was refused; None for a run that hasn't failed."""
    if execution.status is not WorkflowExecutionStatus.FAILED:
        return None
    try:
        await client.get_workflow_handle(execution.id, run_id=execution.run_id).result()
    except WorkflowFailureError as failure:
        return RefusedError(rejection_of(failure.cause))
    return None
