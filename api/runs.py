"""The Temporal side of a request: start the run that creates, and ask what became of one whose row isn't there."""

import asyncio
from contextlib import suppress
from uuid import UUID

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from api.patience import patiently
from workflows import search_attributes as sa
from workflows.activities import rejection_of
from workflows.client import start_options, workflow_id
from workflows.payloads import ActivityStatus, Rejection, ScheduledActivityInput, Snapshot
from workflows.scheduled_activity import ScheduledActivityWorkflow

LOST = (WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.CANCELED, WorkflowExecutionStatus.TIMED_OUT)
"""Ended by an operator: what such a run has not recorded by then, it never will."""


class RefusedError(Exception):
    """The run has ended because the request can't be carried out; without a rejection it is our own fault."""

    def __init__(self, rejection: Rejection | None) -> None:
        super().__init__(rejection.code if rejection else "internal_error")
        self.rejection = rejection


async def start(client: Client, scheduled: ScheduledActivityInput, deadline_seconds: float) -> Snapshot:
    """Start the run and wait for its answer, in one call.

    Raises:
        WorkflowAlreadyStartedError: the key has a run.
        RefusedError: the request can't be carried out; the key stays usable.
        WorkflowUpdateRPCTimeoutOrCancelledError, RPCError: nothing is known, not even whether it has started.
    """
    operation = _start_operation(scheduled)
    try:
        async with asyncio.timeout(deadline_seconds):
            return await client.execute_update_with_start_workflow(
                ScheduledActivityWorkflow.create,  # type: ignore[arg-type]  # the SDK's types lose `async` behind a name
                start_workflow_operation=operation,
                id=str(scheduled.id),
            )
    except TimeoutError as failure:
        raise WorkflowUpdateRPCTimeoutOrCancelledError from failure
    except WorkflowUpdateFailedError as failure:
        raise RefusedError(rejection_of(failure.cause)) from failure
    finally:
        await _retrieve(operation)


def _start_operation(
    scheduled: ScheduledActivityInput,
) -> WithStartWorkflowOperation[ScheduledActivityWorkflow, ActivityStatus]:
    return WithStartWorkflowOperation(
        ScheduledActivityWorkflow.run,
        scheduled,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        **start_options(scheduled, ActivityStatus.RESOLVING, scheduled.request.scheduled_at),
    )


async def _retrieve(operation: WithStartWorkflowOperation[ScheduledActivityWorkflow, ActivityStatus]) -> None:
    """Take the operation's own exception, if it has one: the SDK complains of one that nobody took."""
    with suppress(Exception, asyncio.CancelledError):
        async with asyncio.timeout(0):
            await operation.workflow_handle()


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
async def input_of(client: Client, execution: WorkflowExecution) -> ScheduledActivityInput:
    """What a run was started with: its first event has it."""
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    async for event in handle.fetch_history_events(page_size=1):
        payloads = event.workflow_execution_started_event_attributes.input.payloads
        scheduled: ScheduledActivityInput
        (scheduled,) = await client.data_converter.decode(payloads, [ScheduledActivityInput])
        return scheduled
    raise LookupError(execution.id)


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
