"""Start, resume and find the runs of bulk operations."""

import asyncio
from contextlib import suppress
from uuid import UUID

from temporalio.client import Client, WorkflowExecutionDescription
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from runs.ask import describe_run, describe_silence, limit_time
from runs.client import BULK_TASK_QUEUE
from runs.patience import BULK_START_PATIENCE
from workflows.actors import acting_as
from workflows.bulk import BulkOperation, bulk_workflow_id
from workflows.bulk_operation import BulkOperationWorkflow
from workflows.search_attributes import TENANT_ID


async def start_bulk_operation(client: Client, operation: BulkOperation) -> bool:
    """Start the run of an operation; return False if a run of this id exists already.

    Raises:
        UnansweredError: the run is not known to have been started.
    """
    try:
        await _start_run(client, operation, WorkflowIDReusePolicy.REJECT_DUPLICATE)
    except WorkflowAlreadyStartedError:
        return False
    except (RPCError, RuntimeError, TimeoutError) as failure:
        with suppress(RPCError):
            if await find_bulk_run(client, operation.tenant_id, operation.id):
                return False
        raise describe_silence(failure) from failure
    return True


@limit_time
async def find_bulk_run(client: Client, tenant_id: UUID, operation_id: UUID) -> WorkflowExecutionDescription | None:
    """Return the operation's latest run, or None if Temporal knows none."""
    return await describe_run(client, bulk_workflow_id(tenant_id, operation_id))


async def resume_bulk_operation(client: Client, operation: BulkOperation) -> None:
    """Start a run that continues an operation whose run is lost.

    Raises:
        WorkflowAlreadyStartedError: a run is open.
    """
    await _start_run(client, operation, WorkflowIDReusePolicy.ALLOW_DUPLICATE)


async def _start_run(client: Client, operation: BulkOperation, reuse: WorkflowIDReusePolicy) -> None:
    async with asyncio.timeout(BULK_START_PATIENCE.total_seconds()):
        with acting_as(operation.actor):
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
