"""Start the run that creates an activity, and wait for its answer."""

import asyncio
from contextlib import suppress

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from runs.client import start_options
from workflows.activities import rejection_of
from workflows.messages import RejectedError, ScheduledActivityInput, Snapshot
from workflows.scheduled_activity import ScheduledActivityWorkflow
from workflows.words import ActivityStatus


class RunFailedError(Exception):
    """A run, or one of its updates, has failed for a reason that is the service's own."""


def failure_of(cause: BaseException | None) -> RejectedError | RunFailedError:
    """Return the failure of a run or an update as a rejection, if it carries one, or else as a defect."""
    rejection = rejection_of(cause)
    return RejectedError(rejection) if rejection else RunFailedError()


async def start(client: Client, scheduled: ScheduledActivityInput, deadline_seconds: float) -> Snapshot:
    """Start the run and wait for its answer, in one call.

    Raises:
        WorkflowAlreadyStartedError: the key has a run.
        RejectedError, RunFailedError: the run has failed, and its key can be used again.
        WorkflowUpdateRPCTimeoutOrCancelledError, RPCError: no answer in time; the run may have started or not.
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
        raise failure_of(failure.cause) from failure
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
