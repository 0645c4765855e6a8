"""Create an activity by its run, and answer what the run itself says."""

from temporalio.client import Client, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.service import RPCError

from runs.ask import ENDED_FROM_OUTSIDE, describe_silence, find_latest_run, read_failure
from runs.start import start_run
from workflows.messages import ScheduledActivityInput, Snapshot
from workflows.search_attributes import ACTIVITY_ID


async def create_activity(
    client: Client, scheduled: ScheduledActivityInput, deadline_seconds: float
) -> Snapshot | None:
    """Start the activity's run and return the recorded activity, or None if its run has recorded none in time.

    If the call fails, the run is described: it may go on, in another run after a reset, or have ended.

    Raises:
        WorkflowAlreadyStartedError: the key has a run.
        RejectedError, RunFailedError: the run has failed, and its key can be used again.
        UnansweredError: no run of this activity is known that goes on, or that has recorded it.
    """
    try:
        return await start_run(client, scheduled, deadline_seconds)
    except (WorkflowUpdateRPCTimeoutOrCancelledError, RPCError, RuntimeError) as failure:
        try:
            run = await find_latest_run(client, scheduled.tenant_id, scheduled.request.idempotency_key)
            ended = await read_failure(client, run) if run else None
        except RPCError as silence:
            raise describe_silence(silence) from failure
        is_own = run is not None and run.typed_search_attributes.get(ACTIVITY_ID) == str(scheduled.id)
        if run is None or not is_own or run.status in ENDED_FROM_OUTSIDE:
            raise describe_silence(failure) from failure
        if ended:
            raise ended from failure
        return None
