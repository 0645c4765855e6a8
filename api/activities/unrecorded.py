"""Answer for an activity that has no row: it is still resolving, was never recorded, or could not be created."""

from uuid import UUID

from api.activities.create import creation_problem
from api.activities.removed import require_not_removed
from api.http.auth import Caller
from api.http.dependencies import Resources
from api.http.errors import ActivityNotFound, Problem, RateLimited, Unavailable
from runs import ask
from runs.ids import is_young
from workflows.messages import ScheduledActivityInput
from workflows.search_attributes import TENANT_ID


async def require_resolving(activity_id: UUID, caller: Caller, opened: Resources) -> ScheduledActivityInput:
    """Return what the run of an activity without a row was started with, while that run is resolving it.

    Raises:
        ActivityGone: the activity was removed.
        ActivityNotFound: no run is known, or it was ended from outside before it recorded the activity.
        Unavailable: no run is known yet, and the activity may have been accepted just now.
        RateLimited: the tenant has asked for too many activities without a row.
        Problem: the creation failed, with this answer.
    """
    async with opened.database.autocommit.connect() as connection:
        await require_not_removed(connection, caller.tenant_id, activity_id)
    allowance = await opened.rate_limits.take(opened.lookups, "lookups", str(caller.tenant_id))
    if not allowance.is_kept:
        raise RateLimited(
            f"The tenant may ask for {opened.lookups.amount} activities that are not known in"
            f" {opened.lookups.get_expiry()} s. Ask for each once a second.",
            retry_after=allowance.seconds,
        )
    run = await ask.find_run_of(opened.temporal, activity_id)
    if run is None:
        raise unknown_problem(activity_id)
    if run.typed_search_attributes.get(TENANT_ID) != str(caller.tenant_id):
        raise not_found(activity_id)
    if run.status in ask.ENDED_FROM_OUTSIDE:
        raise ActivityNotFound(
            f"Activity {activity_id} was never recorded: its run was ended from outside. Its key can be used again."
        )
    scheduled = await ask.read_input(opened.temporal, run.id, run.run_id, ScheduledActivityInput)
    failure = await ask.read_failure(opened.temporal, run)
    if failure:
        raise await creation_problem(failure, scheduled, caller, opened)
    return scheduled


def unknown_problem(activity_id: UUID) -> Problem:
    """Return the problem of an id that neither PostgreSQL nor Temporal's list knows: 503 while it is young, else 404.

    The list is behind by seconds, and for longer while Temporal can't write it.
    """
    if is_young(activity_id):
        return Unavailable(
            f"Activity {activity_id} is not known, but may have been accepted within the last two minutes and not be"
            " listed yet: ask again. After two minutes the answer is 404.",
            retry_after=1,
        )
    return not_found(activity_id)


def not_found(activity_id: UUID) -> ActivityNotFound:
    """Return the 404 of an id that is not one of the tenant's."""
    return ActivityNotFound(f"This tenant has no activity {activity_id}.")
