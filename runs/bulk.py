"""Start, read and stop the runs of bulk operations."""

import asyncio
from contextlib import suppress
from uuid import UUID

from temporalio.client import Client, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from runs.ask import UnansweredError, read_start
from runs.client import TASK_QUEUE
from runs.patience import BULK_START_PATIENCE, BULK_STOP_PATIENCE
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
            async with asyncio.timeout(BULK_START_PATIENCE.total_seconds()):
                await client.start_workflow(
                    BulkOperationWorkflow.run,
                    operation.model_copy(update={"actor": None}),
                    id=bulk_workflow_id(operation.tenant_id, operation.id),
                    task_queue=TASK_QUEUE,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    search_attributes=TypedSearchAttributes([SearchAttributePair(TENANT_ID, str(operation.tenant_id))]),
                    static_summary=f"{operation.change.verb} many, {operation.per_second} a second",
                    priority=Priority(fairness_key=str(operation.tenant_id)),
                )
    except WorkflowAlreadyStartedError:
        return False
    except (RPCError, RuntimeError, TimeoutError) as failure:
        with suppress(RPCError):
            if await read_bulk_operation(client, operation.tenant_id, operation.id):
                return False
        raise UnansweredError from failure
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


async def stop_bulk_operation(client: Client, tenant_id: UUID, operation_id: UUID) -> None:
    """Stop the operation and return once it has ended; one that has ended before stays as it is.

    Raises:
        UnansweredError: the run was asked to stop, but has not ended in time.
    """
    handle = client.get_workflow_handle(bulk_workflow_id(tenant_id, operation_id))
    try:
        async with asyncio.timeout(BULK_STOP_PATIENCE.total_seconds()):
            await handle.execute_update("stop", id="stop")
    except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError) as failure:
        raise UnansweredError("The operation was asked to stop, but has not ended yet: look again.") from failure
    except RPCError as failure:
        if failure.status is not RPCStatusCode.NOT_FOUND:
            raise
