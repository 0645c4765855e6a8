"""Create one activity, from a request of its own or from an item of a batch."""

from http import HTTPStatus
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request, Response
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.activities.duplicates import IdempotencyKeyExistsRead, find_accepted, find_duplicate
from api.activities.idempotency import KeyedBody
from api.activities.schemas import ScheduledActivityCreate, ScheduledActivityRead
from api.activities.views import respond_recorded, respond_resolving
from api.http.auth import Caller
from api.http.dependencies import CanCreate, Opened, Resources
from api.http.errors import (
    AttributeValueMissing,
    CommerceNotFound,
    IdempotencyKeyExists,
    InternalError,
    Problem,
    QuotaExceeded,
    UnknownAttributeKey,
    UnknownReason,
    UnknownUserStatus,
    from_rejection,
    problem_responses,
)
from api.http.failures import temporary_problem
from api.http.headers import with_headers
from api.http.metrics import CREATIONS
from api.http.quotas import COUNT_EVERY_SECONDS
from runs.ask import UnansweredError
from runs.creation import create_activity as create_by_run
from runs.ids import draw_id
from runs.start import RunFailedError
from workflows.messages import RejectedError, ScheduledActivityInput
from workflows.tenant_limits import CRITERIA_A_REQUEST, OPEN_ACTIVITIES

router = APIRouter(prefix="/api/activities", tags=["activities"])

CREATION_REJECTIONS = (CommerceNotFound, UnknownReason, UnknownUserStatus, UnknownAttributeKey, AttributeValueMissing)
"""The problems with which a resolution rejects a creation."""


@router.post(
    "",
    status_code=201,
    response_model=ScheduledActivityRead,
    responses={
        201: {"description": "Created and recorded.", **with_headers("Location", "ETag")},
        202: {
            "model": ScheduledActivityRead,
            "description": "Accepted, still RESOLVING: look at `Location`.",
            **with_headers("Location", "Retry-After"),
        },
        **problem_responses(
            *CREATION_REJECTIONS,
            IdempotencyKeyExists,
            QuotaExceeded,
            models={IdempotencyKeyExists: IdempotencyKeyExistsRead},
        ),
    },
)
async def create_activity(
    request: Request,
    caller: CanCreate,
    opened: Opened,
    body: Annotated[ScheduledActivityCreate, Depends(KeyedBody(ScheduledActivityCreate))],
) -> Response:
    """Create a new activity (TASK or MESSAGE) with commerce assignment, target resolution, and attribute resolution.

    201 means that it is durable: recorded, and executed at `scheduled_at` whatever restarts meanwhile. 202 means that
    it is accepted just as durably, but not yet resolved. The idempotency key makes a repetition safe: its answer is 409
    with the activity that exists, and `sameRequest` says whether it is what you asked for.
    """
    more = len(body.target_criteria or ()) // CRITERIA_A_REQUEST
    if more:
        await opened.rate_limits.take_request(caller, request, more)
    return await create(body, caller, opened)


async def create(body: ScheduledActivityCreate, caller: Caller, opened: Resources) -> Response:
    """Create one activity and answer within the deadline, which begins here.

    Raises:
        Problem: nothing was created, or it is not known.
    """
    scheduled = ScheduledActivityInput(
        id=draw_id(),
        tenant_id=caller.tenant_id,
        request=body.as_request(),
        lead_seconds=opened.lead.before(body.scheduled_at),
        actor=caller.subject,
        request_id=caller.request_id,
    )
    structlog.contextvars.bind_contextvars(activity_id=str(scheduled.id))
    if await opened.quotas.is_full(caller.tenant_id):
        raise await find_accepted(scheduled, caller, opened) or QuotaExceeded(
            f"The tenant's quota `{OPEN_ACTIVITIES.name}` is reached. Cancel activities, or wait until some are due.",
            retry_after=COUNT_EVERY_SECONDS,
        )
    try:
        answer = await _start_and_wait(scheduled, caller, opened)
    except Problem as problem:
        CREATIONS.labels(problem.code).inc()
        raise
    opened.quotas.note_creation(caller.tenant_id)
    CREATIONS.labels("created" if answer.status_code == HTTPStatus.CREATED else "accepted").inc()
    return answer


async def _start_and_wait(scheduled: ScheduledActivityInput, caller: Caller, opened: Resources) -> Response:
    """Start the run and answer 201, or 202 if it goes on beyond the deadline."""
    try:
        created = await create_by_run(opened.temporal, scheduled, opened.answer_deadline_seconds)
    except WorkflowAlreadyStartedError as failure:
        raise await find_duplicate(scheduled, caller, opened) from failure
    except (RejectedError, RunFailedError) as failure:
        raise await creation_problem(failure, scheduled, caller, opened) from failure
    except UnansweredError as failure:
        raise _build_unanswered_problem(failure) from failure
    if created is None:
        return respond_resolving(scheduled, status_code=202)
    return respond_recorded(created, caller, opened, status_code=201)


async def creation_problem(
    failure: RejectedError | RunFailedError, scheduled: ScheduledActivityInput, caller: Caller, opened: Resources
) -> Problem:
    """Return the problem with which a failed creation is answered."""
    if isinstance(failure, RunFailedError):
        return InternalError("The activity could not be created, and the reason is ours. Its key can be used again.")
    if failure.rejection.code == IdempotencyKeyExists.code:
        return await find_duplicate(scheduled, caller, opened)
    return from_rejection(failure.rejection)


def _build_unanswered_problem(failure: UnansweredError) -> Problem:
    structlog.get_logger(__name__).warning("no answer from Temporal", failure=type(failure.__cause__).__name__)
    return temporary_problem(
        failure,
        "Nothing is known to have been created. Send the same request again, with the same idempotency key: if it was"
        " created after all, the answer is 409 with `sameRequest: true`.",
    )
