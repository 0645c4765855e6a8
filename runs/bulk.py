"""Start, resume and read the runs of bulk operations."""

import asyncio
from contextlib import suppress
from uuid import UUID

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from runs.ask import describe_run, describe_silence, limit_time, read_start
from runs.client import BULK_TASK_QUEUE
from runs.patience import BULK_START_PATIENCE
from workflows.actors import acting_as
from workflows.bulk import BulkOperation, bulk_workflow_id
from workflows.bulk_operation import BulkOperationWorkflow
from workflows.search_attributes import TENANT_ID


async def start_bulk_operation(client: Client, operation: BulkOperation) -> bool:
    """Accept the operation by starting its run; return False if a run of this id exists already.

    Raises:
        UnansweredError: the run is not known to have been started.
    """
    try:
        with acting_as(operation.actor):
            accepted = operation.model_copy(update={"actor": None})
            await _start_run(client, accepted, WorkflowIDReusePolicy.REJECT_DUPLICATE)
    except WorkflowAlreadyStartedError:
        return False
    except (RPCError, RuntimeError, TimeoutError) as failure:
        with suppress(RPCError):
            if await read_bulk_operation(client, operation.tenant_id, operation.id):
                return False
        raise describe_silence(failure) from failure
    return True


async def read_bulk_operation(client: Client, tenant_id: UUID, operation_id: UUID) -> BulkOperation | None:
    """Return what the operation's run was started with, or None if Temporal knows none."""
    try:
        operation, actor = await read_start(client, bulk_workflow_id(tenant_id, operation_id), None, BulkOperation)
    except RPCError as failure:
        if failure.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    return operation.model_copy(update={"actor": actor})


@limit_time
async def has_bulk_run(client: Client, tenant_id: UUID, operation_id: UUID) -> bool:
    """Return whether the operation has an open run."""
    run = await describe_run(client, bulk_workflow_id(tenant_id, operation_id))
    return run is not None and run.status is WorkflowExecutionStatus.RUNNING


async def resume_bulk_operation(client: Client, operation: BulkOperation) -> None:
    """Start a run that continues an operation whose run is lost.

    Raises:
        WorkflowAlreadyStartedError: a run is open.
    """
    await _start_run(client, operation, WorkflowIDReusePolicy.ALLOW_DUPLICATE)


async def _start_run(client: Client, operation: BulkOperation, reuse: WorkflowIDReusePolicy) -> None:
    async with asyncio.timeout(BULK_START_PATIENCE.total_seconds()):
        await client.start_workflow(
            BulkOperationWorkflow.run,
            operation,
            id=bulk_workflow_id(operation.tenant_id, operation.id),
            task_queue=BULK_TASK_QUEUE,
            id_reuse_policy=reuse,
            search_attributes=TypedSearchAttributes([SearchAttributePair(TENANT_ID, str(operation.tenant_id))]),
            static_summary=f"{operation.change.verb} many, {operation.per_second} a second",
            priority=Priority(fairness_key=str(operation.tenant_id)),
        )
