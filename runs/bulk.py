"""The Temporal side of bulk operations: their runs are started, asked about and stopped here."""

import asyncio
from uuid import UUID

from temporalio.client import Client, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from runs.ask import UnansweredError, read_input
from runs.client import TASK_QUEUE
from runs.patience import BULK_START_PATIENCE, BULK_STOP_PATIENCE
from workflows.bulk import BulkOperation, bulk_workflow_id
from workflows.bulk_operation import BulkOperationWorkflow
from workflows.search_attributes import TENANT_ID


async def start(client: Client, operation: BulkOperation) -> None:
    """Accept the operation by starting its run; one of this id that exists already is the same one.

    Raises:
        UnansweredError: nothing is known to have been started.
    """
    try:
        await client.start_workflow(
            BulkOperationWorkflow.run,
            operation,
            id=bulk_workflow_id(operation.tenant_id, operation.id),
            task_queue=TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            search_attributes=TypedSearchAttributes([SearchAttributePair(TENANT_ID, str(operation.tenant_id))]),
            static_summary=f"{operation.change.verb} many, {operation.per_second} a second",
            priority=Priority(fairness_key=str(operation.tenant_id)),
            rpc_timeout=BULK_START_PATIENCE,
        )
    except WorkflowAlreadyStartedError:
        return
    except RPCError as failure:
        if await asked(client, operation.tenant_id, operation.id) is None:
            raise UnansweredError(
                f"Nothing is known to have been started. Look at /api/operations/{operation.id} before you try again,"
                " or send `operation_id`, which makes a repetition safe."
            ) from failure


async def asked(client: Client, tenant_id: UUID, operation_id: UUID) -> BulkOperation | None:
    """What a run was started with; None if there is none."""
    try:
        return await read_input(client, bulk_workflow_id(tenant_id, operation_id), None, BulkOperation)
    except RPCError as failure:
        if failure.status is RPCStatusCode.NOT_FOUND:
            return None
        raise


async def stop(client: Client, tenant_id: UUID, operation_id: UUID) -> None:
    """Return once it has ended, be it that it had already.

    Raises:
        UnansweredError: it has been asked to, but hasn't answered.
    """
    handle = client.get_workflow_handle(bulk_workflow_id(tenant_id, operation_id))
    try:
        async with asyncio.timeout(BULK_STOP_PATIENCE.total_seconds()):
            await handle.execute_update("stop", id="stop")
    except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError) as failure:
        raise UnansweredError("It has been asked to stop, but hasn't answered yet: look again.") from failure
    except RPCError as failure:
        if failure.status is not RPCStatusCode.NOT_FOUND:
            raise
