"""How a change reaches an open run: an update, and what is true of it when no answer comes in time."""

import asyncio
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import UpdateWorkflowExecutionLifecycleStage
from temporalio.api.update.v1 import UpdateRef, WaitPolicy
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest
from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.service import RPCError, RPCStatusCode

from workflows.activities import rejection_of
from workflows.client import TASK_TIMEOUT
from workflows.creation import RefusedError
from workflows.payloads import Apply

DESCRIBE_SECONDS = 2


class Outcome(Enum):
    """What became of an update."""

    APPLIED = auto()
    ACCEPTED = auto()
    NOT_ACCEPTED = auto()
    UNKNOWN = auto()
    RUN_ENDED = auto()


async def send(client: Client, workflow_id: str, wanted: Apply, deadline_seconds: float) -> Outcome:
    """Ask the open run for a change, and say what is certain once the deadline has passed.

    The run accepts it until `answer_by` only; one task time-out later the server knows for good whether it has.

    Raises:
        RefusedError: the run, or the row, does not allow it.
    """
    answer_by = datetime.now(UTC) + max(timedelta(seconds=deadline_seconds) - TASK_TIMEOUT, timedelta(seconds=1))
    change = wanted.change.model_copy(update={"answer_by": answer_by})
    handle = client.get_workflow_handle(workflow_id)
    accepted = False
    try:
        async with asyncio.timeout((answer_by - datetime.now(UTC) + TASK_TIMEOUT).total_seconds()):
            update = await handle.start_update(
                change.verb, change, id=wanted.key, wait_for_stage=WorkflowUpdateStage.ACCEPTED
            )
            accepted = True
            await update.result()
    except WorkflowUpdateFailedError as failure:
        raise RefusedError(rejection_of(failure.cause)) from failure
    except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError):
        return Outcome.ACCEPTED if accepted else await _certain(client, workflow_id, wanted.key)
    except RPCError as failure:
        if failure.status is RPCStatusCode.NOT_FOUND:
            return Outcome.RUN_ENDED
        if failure.status is RPCStatusCode.RESOURCE_EXHAUSTED:
            return Outcome.NOT_ACCEPTED
        return await _certain(client, workflow_id, wanted.key)
    return Outcome.APPLIED


async def _certain(client: Client, workflow_id: str, key: str) -> Outcome:
    """Whether the server has the update in the run's history; unknown where the server itself doesn't answer."""
    request = PollWorkflowExecutionUpdateRequest(
        namespace=client.namespace,
        update_ref=UpdateRef(workflow_execution=WorkflowExecution(workflow_id=workflow_id), update_id=key),
        wait_policy=WaitPolicy(
            lifecycle_stage=UpdateWorkflowExecutionLifecycleStage.UPDATE_WORKFLOW_EXECUTION_LIFECYCLE_STAGE_ACCEPTED
        ),
    )
    try:
        async with asyncio.timeout(1):
            await client.workflow_service.poll_workflow_execution_update(request)
    except (RPCError, TimeoutError):
        return await _unaccepted(client, workflow_id)
    return Outcome.ACCEPTED


async def _unaccepted(client: Client, workflow_id: str) -> Outcome:
    try:
        async with asyncio.timeout(DESCRIBE_SECONDS):
            await client.get_workflow_handle(workflow_id).describe()
    except (RPCError, RuntimeError, TimeoutError):
        return Outcome.UNKNOWN
    return Outcome.NOT_ACCEPTED
