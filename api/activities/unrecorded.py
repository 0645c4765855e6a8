"""Answer for an activity that has no row: it is still resolving, was never recorded, or could not be created."""

from uuid import UUID

from api.activities.create import creation_problem
from api.http.auth import Caller
from api.http.dependencies import Resources
from api.http.errors import ActivityNotFound
from runs import ask
from workflows.messages import ScheduledActivityInput


async def require_resolving(activity_id: UUID, caller: Caller, opened: Resources) -> ScheduledActivityInput:
    """Return what the run of an activity without a row was started with, while that run is resolving it.

    Raises:
        ActivityNotFound: no run is known, or it was ended from outside before it recorded the activity.
        Problem: the creation failed, with this answer.
    """
    run = await ask.find_run_of(opened.temporal, caller.tenant_id, activity_id)
    if run is None:
        raise ActivityNotFound(f"This tenant has no activity {activity_id}.")
    if run.status in ask.ENDED_FROM_OUTSIDE:
        raise ActivityNotFound(
            f"Activity {activity_id} was never recorded: its run was ended from outside. Its key can be used again."
        )
    scheduled = await ask.read_input(opened.temporal, run.id, run.run_id, ScheduledActivityInput)
    failure = await ask.read_failure(opened.temporal, run)
    if failure:
        raise await creation_problem(failure, scheduled, caller, opened)
    return scheduled
