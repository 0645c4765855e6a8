"""The 409 of a used idempotency key: what exists under it, and whether it is what was asked for."""

from temporalio.client import WorkflowExecutionStatus

from api import runs
from api.auth import Caller
from api.dependencies import Resources
from api.differences import differences
from api.errors import IdempotencyKeyExists, Problem, Unavailable
from api.schemas import ScheduledActivityRead
from api.views import location, read, read_resolving
from db.models import ScheduledActivity
from db.queries import SNAPSHOTS, snapshot
from workflows.payloads import ScheduledActivityInput, ScheduledActivityRequest


async def duplicate_of(scheduled: ScheduledActivityInput, caller: Caller, opened: Resources) -> Problem:
    """Look the first one up; twice, for a run may write its row and end while we look."""
    found = await _look_up(scheduled, caller, opened) or await _look_up(scheduled, caller, opened)
    return found or Unavailable(
        "An attempt with this idempotency key has just ended; send the request again.", retry_after=1
    )


async def _look_up(scheduled: ScheduledActivityInput, caller: Caller, opened: Resources) -> IdempotencyKeyExists | None:
    """In PostgreSQL, or, while it is still resolving, in its run's first event."""
    key = scheduled.request.idempotency_key
    statement = SNAPSHOTS.where(
        ScheduledActivity.tenant_id == caller.tenant_id, ScheduledActivity.idempotency_key == key
    )
    async with opened.autocommit.connect() as connection:
        row = (await connection.execute(statement)).one_or_none()
    if row:
        stored = ScheduledActivityRequest.model_validate(row.request)
        return _conflict(read(snapshot(row), caller, opened), stored, scheduled.request, decided=True)
    run = await runs.latest(opened.temporal, caller.tenant_id, key)
    if run is None or run.status is not WorkflowExecutionStatus.RUNNING:
        return None
    first = await runs.input_of(opened.temporal, run.id, run.run_id, ScheduledActivityInput)
    return _conflict(read_resolving(first), first.request, scheduled.request, decided=False)


def _conflict(
    existing: ScheduledActivityRead, stored: ScheduledActivityRequest, sent: ScheduledActivityRequest, *, decided: bool
) -> IdempotencyKeyExists:
    differ = differences(stored, sent)
    same = "This very request was accepted before" if not differ else "Another request was accepted with this key"
    return IdempotencyKeyExists(
        f"{same}: activity {existing.id} is {existing.status}.",
        headers={"Location": location(existing.id)} | ({} if decided else {"Retry-After": "1"}),
        members={
            "decided": decided,
            "sameRequest": not differ,
            "activity": existing.model_dump(mode="json"),
            "differences": [difference.model_dump(mode="json") for difference in differ],
        },
    )
