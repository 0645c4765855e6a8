"""How a change reaches an open run: an update, and what has come of it within the deadline."""

import asyncio
from enum import Enum, auto

from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.service import RPCError, RPCStatusCode

from runs.start import failure_of
from workflows.messages import Apply


class Outcome(Enum):
    """What became of an update."""

    APPLIED = auto()
    ACCEPTED = auto()
    UNHEARD = auto()
    RUN_ENDED = auto()


async def send(client: Client, workflow_id: str, wanted: Apply, deadline_seconds: float) -> Outcome:
    """Ask the open run for a change; UNHEARD says nothing of it, neither that it was carried out nor that it wasn't.

    Raises:
        RejectedError: the run, or the row, does not allow it.
        RunFailedError: it has failed by a defect of ours.
    """
    handle = client.get_workflow_handle(workflow_id)
    accepted = False
    try:
        async with asyncio.timeout(deadline_seconds):
            update = await handle.start_update(
                wanted.change.verb, wanted.change, id=wanted.key, wait_for_stage=WorkflowUpdateStage.ACCEPTED
            )
            accepted = True
            await update.result()
    except WorkflowUpdateFailedError as failure:
        raise failure_of(failure.cause) from failure
    except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError):
        return Outcome.ACCEPTED if accepted else Outcome.UNHEARD
    except RPCError as failure:
        if failure.status is RPCStatusCode.NOT_FOUND:
            return Outcome.RUN_ENDED
        return Outcome.ACCEPTED if accepted else Outcome.UNHEARD
    except RuntimeError:  # no connection could be made since the process began
        return Outcome.UNHEARD
    return Outcome.APPLIED
