"""Change an activity that is recorded; each call waits for its change and answers what became of it."""

import re
from typing import Annotated, ClassVar, Self
from uuid import UUID, uuid4

from fastapi import APIRouter, Header, Response
from pydantic import WithJsonSchema, model_validator
from sqlalchemy.exc import SQLAlchemyError

from api.activities.schemas import ScheduledActivityRead
from api.activities.unrecorded import require_resolving
from api.activities.views import respond_recorded
from api.http.auth import Caller
from api.http.bodies import Json, validation_problem
from api.http.dependencies import CanCancel, CanCreate, CanDispatch, Opened, Resources
from api.http.errors import (
    ActivityGone,
    ActivityNotFound,
    InternalError,
    NotFound,
    RateLimited,
    StaleEtag,
    Unavailable,
    WrongStatus,
    from_rejection,
    problem_responses,
)
from api.http.fields import Int32, RequestBody, Text, Time
from api.http.headers import with_headers
from db import changes
from db.failures import may_pass
from db.snapshots import read_snapshot
from runs.change import Accepted, Changes, Outcome, Rejected, Withdrawn
from workflows.limits import CLEARABLE, VERSIONS_AT_MOST
from workflows.messages import (
    Apply,
    AssignTarget,
    Cancel,
    Change,
    ExecuteNow,
    Fault,
    Reschedule,
    RetryResolution,
    Snapshot,
)

router = APIRouter(prefix="/api/activities/{activity_id}", tags=["activities"])


class ActivityPatch(RequestBody):
    """The fields of an activity that may still change; an absent field stays as it is."""

    clearable: ClassVar[frozenset[str]] = CLEARABLE

    scheduled_at: Time | None = None
    suggested_execution_time: Time | None = None
    score: Int32 | None = None
    change_reason: Text | None = None

    @model_validator(mode="after")
    def changes_something(self) -> Self:
        """Reject a body that changes nothing."""
        if not self.model_fields_set - {"change_reason"}:
            msg = "must change at least one of scheduled_at, suggested_execution_time and score"
            raise ValueError(msg)
        return self


class CancelCreate(RequestBody):
    """The reason of a cancellation."""

    reason: Text


class TargetAssignment(RequestBody):
    """The target user to assign: an active user of the activity's commerce."""

    commerce_user_id: UUID


IF_MATCH = (
    'The ETag that the activity was read with, several in a list, or `*`. A weak tag (`W/"3"`), which a proxy that'
    " compresses makes of it, counts as the strong one."
)
IfMatch = Annotated[list[str], WithJsonSchema({"type": "string"})]
"""All lines of the header: RFC 9110 makes one list of them."""

CHANGED = {
    200: {"description": "The activity after the change.", **with_headers("Location", "ETag")},
    202: {
        "model": ScheduledActivityRead,
        "description": "Accepted durably; it will be carried out. Look at `Location`.",
        **with_headers("Location", "ETag"),
    },
}
ANSWERS = CHANGED | problem_responses(ActivityNotFound, ActivityGone, WrongStatus)


@router.patch(
    "",
    response_model=ScheduledActivityRead,
    responses=ANSWERS | problem_responses(ActivityNotFound, ActivityGone, WrongStatus, StaleEtag),
)
async def change_activity(
    caller: CanCreate,
    opened: Opened,
    activity_id: UUID,
    body: Json[ActivityPatch],
    if_match: Annotated[IfMatch | None, Header(description=IF_MATCH)] = None,
) -> Response:
    """Move a READY or UNRESOLVED activity, or change its score or suggested time; the timer moves with it.

    A null clears the score or the suggested time.
    """
    values = body.model_dump(exclude={"change_reason"})
    cleared = [name for name in sorted(body.clearable & body.model_fields_set) if values[name] is None]
    lead = opened.lead.before(body.scheduled_at) if body.scheduled_at else 0
    change = Reschedule(
        reason=body.change_reason,
        if_versions=_parse_versions(if_match),
        lead_seconds=lead,
        clear=cleared or None,
        **values,
    )
    return await carry_out(opened, caller, activity_id, change)


@router.post("/cancel", response_model=ScheduledActivityRead, responses=ANSWERS)
async def cancel_activity(
    caller: CanCancel,
    opened: Opened,
    activity_id: UUID,
    body: Json[CancelCreate],
) -> Response:
    """Cancel a READY, UNRESOLVED or DUE activity that no executor has claimed; after a 200 it is never executed."""
    return await carry_out(opened, caller, activity_id, Cancel(reason=body.reason))


@router.post("/execute-now", response_model=ScheduledActivityRead, responses=ANSWERS)
async def execute_activity_now(caller: CanDispatch, opened: Opened, activity_id: UUID) -> Response:
    """Make a READY activity due at once; its `scheduledAt` stays, and it does not count as late."""
    return await carry_out(opened, caller, activity_id, ExecuteNow())


@router.patch("/retry-resolution", response_model=ScheduledActivityRead, responses=ANSWERS)
async def retry_resolution(caller: CanCreate, opened: Opened, activity_id: UUID) -> Response:
    """Resolve again what an UNRESOLVED activity lacks; it is READY afterwards, or UNRESOLVED with what failed now."""
    return await carry_out(opened, caller, activity_id, RetryResolution())


@router.patch(
    "/target-users/{target_user_id}/resolve",
    response_model=ScheduledActivityRead,
    responses=ANSWERS | problem_responses(ActivityNotFound, ActivityGone, NotFound, WrongStatus),
)
async def assign_target(
    caller: CanCreate,
    opened: Opened,
    activity_id: UUID,
    target_user_id: UUID,
    body: Json[TargetAssignment],
) -> Response:
    """Assign a user to a PENDING or FAILED target; the activity becomes READY if nothing else is missing."""
    change = AssignTarget(target_user_id=target_user_id, commerce_user_id=body.commerce_user_id)
    return await carry_out(opened, caller, activity_id, change)


NOTHING_CHANGED = "Nothing was changed, and nothing will be."


async def carry_out(opened: Resources, caller: Caller, activity_id: UUID, change: Change) -> Response:
    """Carry the change out and answer with the activity: 200 if it was changed, 202 if it will be.

    Raises:
        Problem: nothing was changed, and nothing will be; or PostgreSQL doesn't answer, so that this is not known.
    """
    seen = await _read_snapshot(opened, caller, activity_id)
    change = change.model_copy(update={"request_id": caller.request_id})
    wanted = Apply(tenant_id=caller.tenant_id, id=activity_id, key=str(uuid4()), actor=caller.subject, change=change)
    carrier = Changes(opened.temporal, opened.database, opened.lead)
    try:
        outcome = await carrier.carry_out(
            wanted, seen.idempotency_key, seen.standing.status, opened.answer_deadline_seconds
        )
        _require_carried_out(outcome)
        why_not = await _read_resolution_failure(opened, wanted)
        now = await _read_snapshot(opened, caller, activity_id)
    except (SQLAlchemyError, OSError) as failure:
        if not may_pass(failure):
            raise
        detail = "PostgreSQL doesn't answer, so the change may have been carried out or not: read the activity again."
        raise Unavailable(detail) from failure
    if why_not:
        raise WrongStatus(f"It could not be resolved: {why_not}", members={"actualStatus": now.status})
    return respond_recorded(now, caller, opened, status_code=202 if isinstance(outcome, Accepted) else 200)


def _require_carried_out(outcome: Outcome) -> None:
    """Raise the problem of a change that was rejected or withdrawn."""
    match outcome:
        case Rejected(rejection):
            raise from_rejection(rejection)
        case Withdrawn(is_defect=True):
            raise InternalError(f"{NOTHING_CHANGED} The reason is ours.")
        case Withdrawn(detail, is_limit=True):
            raise RateLimited(f"{NOTHING_CHANGED} {detail} Try again more slowly.")
        case Withdrawn(detail):
            raise Unavailable(f"{NOTHING_CHANGED} {detail} Try again.")


async def _read_resolution_failure(opened: Resources, wanted: Apply) -> str | None:
    """Return why the call's own `ExecuteNow` made nothing due: by now another change may have done so, or undone it."""
    if not isinstance(wanted.change, ExecuteNow):
        return None
    async with opened.database.autocommit.connect() as connection:
        return await changes.read_resolution_failure(connection, wanted)


async def _read_snapshot(opened: Resources, caller: Caller, activity_id: UUID) -> Snapshot:
    async with opened.database.autocommit.connect() as connection:
        found = await read_snapshot(connection, caller.tenant_id, activity_id)
    if found:
        return found
    await require_resolving(activity_id, caller, opened)
    raise WrongStatus("The activity is RESOLVING: wait until it is recorded.", members={"actualStatus": "RESOLVING"})


def _parse_versions(if_match: list[str] | None) -> tuple[int, ...] | None:
    """Return the versions that the lines of `If-Match` allow, or None if they allow all; a foreign tag allows none.

    Raises:
        ValidationFailed: they have too many tags.
    """
    if if_match is None or [line.strip() for line in if_match] == ["*"]:
        return None
    tags = re.findall(r'"([^"]*)"', ",".join(if_match))
    if len(tags) > VERSIONS_AT_MOST:
        detail = (
            f"This has {len(tags):,} ETags; at most {VERSIONS_AT_MOST} are allowed. Send the one that was read last."
        )
        raise validation_problem([Fault(pointer="/header/if-match", detail=detail)])
    return tuple(int(tag) for tag in tags if re.fullmatch(r"[1-9]\d{0,8}", tag, re.ASCII))
