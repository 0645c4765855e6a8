"""/api/activities: create one, look at it, follow its trail."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID, uuid4

import structlog
from fastapi import APIRouter, Depends, Response
from sqlalchemy import select
from temporalio.client import WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from api import runs
from api.auth import Caller
from api.bodies import body_of, json_body
from api.dependencies import CanCreate, CanView, Opened, Resources
from api.duplicates import duplicate_of
from api.errors import (
    ActivityNotFound,
    AttributeValueMissing,
    BodyTooLarge,
    CommerceNotFound,
    IdempotencyKeyExists,
    InternalError,
    Problem,
    Unavailable,
    UnknownAttributeKey,
    UnknownReason,
    UnknownUserStatus,
    UnsupportedMediaType,
    documented,
    from_rejection,
)
from api.metrics import CREATIONS
from api.schemas import ScheduledActivityCreate, ScheduledActivityRead, StatusEventRead
from api.views import recorded, resolving
from db.models import ScheduledActivity, StatusEvent
from db.queries import EVENT_IS_SEEN, SNAPSHOTS, snapshot
from workflows.client import lead_seconds
from workflows.creation import RefusedError, start
from workflows.payloads import ScheduledActivityInput

router = APIRouter(prefix="/api/activities", tags=["activities"])


@router.post(
    "",
    status_code=201,
    response_model=ScheduledActivityRead,
    openapi_extra=body_of(ScheduledActivityCreate),
    responses={
        202: {"model": ScheduledActivityRead, "description": "Accepted, still RESOLVING: look at `Location`."},
        **documented(
            CommerceNotFound,
            UnknownReason,
            UnknownUserStatus,
            UnknownAttributeKey,
            AttributeValueMissing,
            IdempotencyKeyExists,
            BodyTooLarge,
            UnsupportedMediaType,
        ),
    },
)
async def create_activity(
    caller: CanCreate,
    opened: Opened,
    body: Annotated[ScheduledActivityCreate, Depends(json_body(ScheduledActivityCreate))],
) -> Response:
    """Create a new activity (TASK or MESSAGE) with commerce assignment, target resolution, and attribute resolution.

    201 means that it is durable: recorded, and executed at `scheduled_at` whatever restarts meanwhile. 202 means that
    it is accepted just as durably, but not yet resolved. The idempotency key makes a repetition safe: its answer is 409
    with the activity that exists, and `sameRequest` says whether it is what you asked for.
    """
    return await create(body, caller, opened)


async def create(body: ScheduledActivityCreate, caller: Caller, opened: Resources) -> Response:
    """One creation, whether it came alone or in a batch; its deadline begins here.

    Raises:
        Problem: nothing was created, or nothing is known of it.
    """
    scheduled = ScheduledActivityInput(
        id=uuid4(),
        tenant_id=caller.tenant_id,
        request=body.as_request(),
        lead_seconds=lead_seconds(body.scheduled_at, datetime.now(UTC), opened.max_lead_seconds),
        actor=caller.subject,
    )
    structlog.contextvars.bind_contextvars(activity_id=str(scheduled.id))
    try:
        answer = await _create(scheduled, caller, opened)
    except Problem as problem:
        CREATIONS.labels(problem.code).inc()
        raise
    CREATIONS.labels("created" if answer.status_code == HTTPStatus.CREATED else "accepted").inc()
    return answer


async def _create(scheduled: ScheduledActivityInput, caller: Caller, opened: Resources) -> Response:
    """One call to Temporal decides; only where it is refused or unheard is anything asked again."""
    try:
        created = await start(opened.temporal, scheduled, opened.answer_deadline_seconds)
    except WorkflowAlreadyStartedError as failure:
        raise await duplicate_of(scheduled, caller, opened) from failure
    except RefusedError as refused:
        raise await _refusal(refused, scheduled, caller, opened) from refused
    except (WorkflowUpdateRPCTimeoutOrCancelledError, RPCError, RuntimeError) as failure:
        if not await runs.exists(opened.temporal, scheduled):
            raise _unheard(failure) from failure
        return resolving(scheduled, status_code=202)
    return recorded(created, caller, opened, status_code=201)


async def _refusal(
    refused: RefusedError, scheduled: ScheduledActivityInput, caller: Caller, opened: Resources
) -> Problem:
    if refused.rejection is None:
        return InternalError("The activity could not be created, and the reason is ours. Its key can be used again.")
    if refused.rejection.code == IdempotencyKeyExists.code:
        return await duplicate_of(scheduled, caller, opened)
    return from_rejection(refused.rejection)


def _unheard(failure: Exception) -> Problem:
    structlog.get_logger(__name__).warning("no answer from Temporal", failure=type(failure).__name__)
    return Unavailable(
        "Nothing is known to have been created. Send the same request again, with the same idempotency key: if it was"
        " created after all, the answer is 409 with `sameRequest: true`."
    )


@router.get("/{activity_id}", response_model=ScheduledActivityRead, responses=documented(ActivityNotFound))
async def get_activity(caller: CanView, opened: Opened, activity_id: UUID) -> Response:
    """The activity as it is now; `RESOLVING` while its creation is under way.

    If the creation turned out to be impossible, the answer is the problem that the creating call would have got.
    """
    statement = SNAPSHOTS.where(ScheduledActivity.tenant_id == caller.tenant_id, ScheduledActivity.id == activity_id)
    async with opened.autocommit.connect() as connection:
        row = (await connection.execute(statement)).one_or_none()
    if row:
        return recorded(snapshot(row), caller, opened)
    return await _unrecorded(activity_id, caller, opened)


async def _unrecorded(activity_id: UUID, caller: Caller, opened: Resources) -> Response:
    """What Temporal knows of an activity that has no row: it is being resolved, or why it never will be."""
    execution = await runs.of_activity(opened.temporal, caller.tenant_id, activity_id)
    if execution is None:
        raise ActivityNotFound(f"This tenant has no activity {activity_id}.")
    if execution.status in runs.LOST:
        raise ActivityNotFound(
            f"Activity {activity_id} was never recorded: its run was ended from outside. Its key can be used again."
        )
    scheduled = await runs.input_of(opened.temporal, execution.id, execution.run_id, ScheduledActivityInput)
    refused = await runs.refusal(opened.temporal, execution)
    if refused:
        raise await _refusal(refused, scheduled, caller, opened)
    return resolving(scheduled)


@router.get("/{activity_id}/status-events", responses=documented(ActivityNotFound))
async def list_status_events(caller: CanView, opened: Opened, activity_id: UUID) -> list[StatusEventRead]:
    """The trail of the activity, oldest first; empty while it is RESOLVING."""
    statement = (
        select(StatusEvent)
        .where(
            StatusEvent.tenant_id == caller.tenant_id,
            StatusEvent.activity_id == activity_id,
            EVENT_IS_SEEN,
        )
        .order_by(StatusEvent.occurred_at, StatusEvent.id)
    )
    async with opened.autocommit.connect() as connection:
        events = [StatusEventRead.model_validate(row) for row in await connection.execute(statement)]
    if not events:
        await _unrecorded(activity_id, caller, opened)
    return events
