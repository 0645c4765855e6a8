"""Start runs: the first run of an activity, and one that continues from the row."""

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    Priority,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)

from runs.client import TASK_QUEUE, workflow_id
from runs.patience import ANSWER_PATIENCE
from workflows.activities import rejection_of
from workflows.actors import acting_as
from workflows.display import headline
from workflows.messages import RejectedError, ScheduledActivityInput, Snapshot, Standing
from workflows.scheduled_activity import ScheduledActivityWorkflow
from workflows.search_attributes import (
    ACTIVITY_ID,
    ACTIVITY_STATUS,
    ACTIVITY_TYPE,
    CHANNEL,
    COMMERCE_ID,
    SCHEDULED_AT,
    TENANT_ID,
    listed_status,
)
from workflows.words import ActivityStatus

TASK_TIMEOUT = timedelta(seconds=5)
"""The time after which the server gives a killed worker's task to another, well within a request's deadline."""


class RunFailedError(Exception):
    """A run, or one of its updates, has failed for a reason that is the service's own."""


def failure_of(cause: BaseException | None) -> RejectedError | RunFailedError:
    """Return the failure of a run or an update as a rejection, if it carries one, or else as a defect."""
    rejection = rejection_of(cause)
    return RejectedError(rejection) if rejection else RunFailedError()


async def start_run(client: Client, scheduled: ScheduledActivityInput, deadline_seconds: float) -> Snapshot:
    """Start the run and wait for its answer, in one call. The actor travels in a header, not in the run's input.

    Raises:
        WorkflowAlreadyStartedError: the key has a run.
        RejectedError: the run has failed, and its key can be used again.
        WorkflowUpdateRPCTimeoutOrCancelledError, RPCError: no answer; the run may have started, or ended, or not.
    """
    operation = _start_operation(scheduled.model_copy(update={"actor": None}))
    try:
        with acting_as(scheduled.actor):
            async with asyncio.timeout(deadline_seconds):
                return await client.execute_update_with_start_workflow(
                    ScheduledActivityWorkflow.create,  # type: ignore[arg-type]  # the SDK's types lose `async`
                    start_workflow_operation=operation,
                    id=str(scheduled.id),
                )
    except TimeoutError as failure:
        raise WorkflowUpdateRPCTimeoutOrCancelledError from failure
    except WorkflowUpdateFailedError as failure:
        rejection = rejection_of(failure.cause)
        if rejection:
            raise RejectedError(rejection) from failure
        raise WorkflowUpdateRPCTimeoutOrCancelledError from failure  # a reset ends an update that its new run repeats
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
    """Retrieve the operation's own exception, which asyncio would otherwise report as never retrieved."""
    with suppress(Exception, asyncio.CancelledError):
        async with asyncio.timeout(0):
            await operation.workflow_handle()


def start_options(scheduled: ScheduledActivityInput, status: ActivityStatus, scheduled_at: datetime) -> dict[str, Any]:
    """Return the options with which every run is started."""
    request = scheduled.request
    return {
        "id": workflow_id(scheduled.tenant_id, request.idempotency_key),
        "task_queue": TASK_QUEUE,
        "task_timeout": TASK_TIMEOUT,
        "search_attributes": TypedSearchAttributes(
            [
                SearchAttributePair(TENANT_ID, str(scheduled.tenant_id)),
                SearchAttributePair(ACTIVITY_ID, str(scheduled.id)),
                SearchAttributePair(COMMERCE_ID, str(request.commerce_id)),
                SearchAttributePair(CHANNEL, request.channel.value),
                SearchAttributePair(ACTIVITY_TYPE, request.type.value),
                SearchAttributePair(ACTIVITY_STATUS, listed_status(status)),
                SearchAttributePair(SCHEDULED_AT, scheduled_at),
            ]
        ),
        "static_summary": headline(scheduled, scheduled_at),
        "priority": Priority(fairness_key=str(scheduled.tenant_id)),
    }


async def resume_run(client: Client, scheduled: ScheduledActivityInput, standing: Standing) -> str:
    """Start a run that continues from the row, and return its run id.

    Raises:
        WorkflowAlreadyStartedError: the activity has an open run.
    """
    handle = await client.start_workflow(
        "ScheduledActivityWorkflow",
        scheduled,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        rpc_timeout=ANSWER_PATIENCE,
        **start_options(scheduled, standing.status, standing.scheduled_at),
    )
    return handle.first_execution_run_id or ""
