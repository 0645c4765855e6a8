"""POST /api/activities/cancel, /reschedule and /retry-resolution: change all activities that match a filter.

Each request is carried out by a bulk operation.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import Field, WithJsonSchema, model_validator
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from api.activities.duplicates import Difference, walk_differences
from api.activities.listing import MOST_STATUSES, ActivityFilterQuery, ListedStatuses, count_activities
from api.activities.operations import OperationRead, find_operation, read_operation
from api.activities.schemas import ScheduledActivityRead
from api.activities.views import read_recorded
from api.http.auth import Caller, Permission
from api.http.bodies import Json
from api.http.dependencies import CanCancel, CanCreate, Opened, Resources
from api.http.errors import (
    OperationIdExists,
    ProblemRead,
    QuotaExceeded,
    TotalNotConfirmed,
    Unavailable,
    ValidationFailed,
    problem_responses,
)
from api.http.failures import temporary_problem
from api.http.fields import Answer, RequestBody, Text, Time
from api.http.headers import with_headers
from db import bulk_operations as statements
from db.failures import may_pass
from db.listing import PLANNED_ANEW, Listed, Slice
from db.rows import fetch_page
from db.snapshots import build_snapshot, paused_at
from runs.ask import UnansweredError
from runs.bulk_queue import Acceptance, Prepare, QueueIsFullError, accept_operation, check_queue, start_begun
from runs.ids import draw_id
from workflows.bulk import MOST_ITEMS, BulkChange, BulkOperation, BulkState, BulkVerb
from workflows.messages import ActivityFilter, Fault
from workflows.tenant_limits import QUEUED_OPERATIONS

YEAR_SECONDS = 365 * 24 * 3600
SAMPLE = 10
AT_ONCE = 2
"""The most requests of a tenant that are counted and accepted at the same time; the others wait for their turn."""
REQUESTED = {"verb", "filter", "reason", "scheduled_at", "shift_seconds", "per_second", "confirm_total"}
REQUESTED |= {"commerce_user_id", "cancel_open"}
"""The members of an operation that its request has set; `verb` is from the path."""

_CHANGEABLE = {
    "type": "array",
    "items": {"type": "string", "enum": list(BulkVerb.CANCEL.allowed_statuses)},
    "maxItems": MOST_STATUSES,
}

router = APIRouter(prefix="/api/activities", tags=["many at once"])


class BulkFilter(ActivityFilterQuery):
    """The activities to change: the parameters of the list, at least one of them."""

    status: Annotated[ListedStatuses, WithJsonSchema(_CHANGEABLE)] = Field(
        default=[],
        description="One or more statuses; by default all in which the change is possible. DUE ones can't move, and"
        " only UNRESOLVED ones can be resolved again.",
    )

    @model_validator(mode="after")
    def has_a_condition(self) -> Self:
        """Reject the filter that matches every activity of the tenant."""
        if self.as_filter() == ActivityFilter():
            msg = (
                "must have at least one condition: null, an empty list and late=false are none."
                " To select every activity, name its statuses"
            )
            raise ValueError(msg)
        return self


class BulkCreate(RequestBody):
    """The activities to change, and why."""

    filter: BulkFilter
    dry_run: bool = Field(
        default=False, description="Only count the activities and return a sample of ten. Needs `VIEW_ACTIVITIES` too."
    )
    reason: Text
    per_second: Annotated[int, Field(ge=1, le=100)] = Field(
        default=20,
        description="The most activities to change in a second. Operations of the tenant that run at the same time"
        " share it, and on a busy service it is less.",
    )
    operation_id: UUID | None = Field(
        default=None,
        description="A new UUID. With it, a repetition of the request starts nothing twice; any other request with it"
        " is answered 409.",
    )
    confirm_total: Annotated[int, Field(ge=0, le=MOST_ITEMS)] | None = Field(
        default=None,
        description="The most activities that may be changed, for example the `total` of a dry run. Required above"
        " the tenant's `confirmAbove` (1,000 unless configured).",
    )

    def filter_for(self, verb: BulkVerb) -> ActivityFilter:
        """Return the filter; without a status, it matches every status in which the change is possible."""
        wanted = self.filter.as_filter()
        return wanted if wanted.status else wanted.model_copy(update={"status": verb.allowed_statuses})


class BulkCancelCreate(BulkCreate):
    """The activities to cancel."""

    def change(self) -> BulkChange:
        """Return the change to apply to each activity."""
        return BulkChange(verb=BulkVerb.CANCEL, reason=self.reason)


class BulkRescheduleCreate(BulkCreate):
    """The activities to move, all to one time or each by the same number of seconds."""

    scheduled_at: Time | None = None
    shift_seconds: Annotated[int, Field(ge=-YEAR_SECONDS, le=YEAR_SECONDS)] | None = Field(
        default=None, description="Seconds to add to each activity's time, as it was when the activity was chosen."
    )

    @model_validator(mode="after")
    def has_one_way_to_move(self) -> Self:
        """Require exactly one of the two."""
        if (self.scheduled_at is None) == (self.shift_seconds is None):
            msg = "must have either scheduled_at or shift_seconds"
            raise ValueError(msg)
        return self

    def change(self) -> BulkChange:
        """Return the change to apply to each activity."""
        return BulkChange(
            verb=BulkVerb.RESCHEDULE,
            reason=self.reason,
            scheduled_at=self.scheduled_at,
            shift_seconds=self.shift_seconds,
        )


class BulkRetryCreate(BulkCreate):
    """The activities to resolve again."""

    def change(self) -> BulkChange:
        """Return the change to apply to each activity."""
        return BulkChange(verb=BulkVerb.RETRY_RESOLUTION, reason=self.reason)


class OperationIdExistsRead(ProblemRead):
    """The problem of an id that another bulk change has, with that operation."""

    operation: OperationRead
    differences: list[Difference]


class OperationUnavailableRead(ProblemRead):
    """The problem of a bulk change that may have been accepted."""

    operation_id: UUID | None = Field(
        default=None, description="The id to send the request again with; absent if nothing was accepted."
    )


class BulkDryRunRead(Answer):
    """The result of a dry run. Nothing was changed."""

    dry_run: bool = True
    verb: BulkVerb
    total: int
    sample: list[ScheduledActivityRead] = Field(
        description="The ten activities with the earliest times; fewer, if they have many bytes."
    )


PROBLEMS = problem_responses(
    OperationIdExists,
    TotalNotConfirmed,
    QuotaExceeded,
    models={OperationIdExists: OperationIdExistsRead, Unavailable: OperationUnavailableRead},
)
RESPONSES = {
    200: {"model": BulkDryRunRead, "description": "The result of a dry run. Nothing was changed."},
    202: {"description": "The operation as it was accepted.", **with_headers("Location")},
    **PROBLEMS,
    503: PROBLEMS[503] | with_headers("Location"),
}


@router.post("/cancel", status_code=202, response_model=OperationRead, responses=RESPONSES)
async def cancel_activities(caller: CanCancel, opened: Opened, body: Json[BulkCancelCreate]) -> Response:
    """Cancel all activities that match a filter now, at most 100,000.

    Without a status in the filter, READY, UNRESOLVED and DUE activities are cancelled. Each is cancelled as by a call
    for it alone, the earliest first. Read `Location` for the progress and for the outcome of each. While others of the
    tenant run, the operation is QUEUED and begins by itself, in the order of acceptance.
    """
    return await _respond_to(opened, caller, body, body.change())


@router.post("/reschedule", status_code=202, response_model=OperationRead, responses=RESPONSES)
async def reschedule_activities(caller: CanCreate, opened: Opened, body: Json[BulkRescheduleCreate]) -> Response:
    """Move all READY and UNRESOLVED activities that match a filter now, at most 100,000.

    They move to one time, or each by the same number of seconds. Each is moved as by a call for it alone, the earliest
    first. Read `Location` for the progress and for the outcome of each. While others of the tenant run, the operation
    is QUEUED and begins by itself, in the order of acceptance.
    """
    return await _respond_to(opened, caller, body, body.change())


@router.post("/retry-resolution", status_code=202, response_model=OperationRead, responses=RESPONSES)
async def retry_activities(caller: CanCreate, opened: Opened, body: Json[BulkRetryCreate]) -> Response:
    """Resolve all UNRESOLVED activities that match a filter now again, at most 100,000.

    Each is resolved as by a call for it alone, the earliest first: it is READY afterwards, or UNRESOLVED with what
    failed now, which is APPLIED too and has a `detail`. Read `Location` for the progress and for the outcome of each.
    While others of the tenant run, the operation is QUEUED and begins by itself, in the order of acceptance.
    """
    return await _respond_to(opened, caller, body, body.change())


async def _respond_to(opened: Resources, caller: Caller, body: BulkCreate, change: BulkChange) -> Response:
    """Answer a dry run, or accept an operation unless it is known already."""
    wanted = body.filter_for(change.verb)
    if set(wanted.status) - set(change.verb.allowed_statuses):
        possible = ", ".join(change.verb.allowed_statuses)
        raise _field_problem("/filter/status", f"Only {possible} activities can be {change.verb.participle}.")
    turn = opened.accepting.setdefault(caller.tenant_id, asyncio.Semaphore(AT_ONCE))
    if body.dry_run:
        if not caller.may(Permission.VIEW_ACTIVITIES):
            raise caller.describe_lack(Permission.VIEW_ACTIVITIES)
        async with turn:
            return await _rehearse(opened, caller, wanted, change.verb)
    operation = BulkOperation(
        id=body.operation_id or draw_id(),
        tenant_id=caller.tenant_id,
        filter=wanted,
        change=change,
        actor=caller.subject,
        request_id=caller.request_id,
        per_second=body.per_second,
        confirm_total=body.confirm_total,
    )
    if body.operation_id and (answer := await answer_known(opened, caller, operation)):
        return answer
    async with turn:
        with _refusing_above_quota():
            await check_queue(opened.database, operation.tenant_id)
        await _check_total(opened, operation)
        accepted = await _accept(opened, operation)
    return await _begin(opened, caller, operation, accepted)


async def _rehearse(opened: Resources, caller: Caller, wanted: ActivityFilter, verb: BulkVerb) -> Response:
    """Answer a dry run: count the activities and return the earliest."""
    async with opened.database.transactions.begin() as connection:
        listed, total = await _count(connection, caller.tenant_id, wanted)
        part = Slice(SAMPLE, "scheduled_at", descending=False)
        earliest, _ = await fetch_page(connection, listed.snapshots_statement(part), SAMPLE)
    sample = [read_recorded(build_snapshot(row), caller, opened) for row in earliest]
    return _respond(BulkDryRunRead(verb=verb, total=total, sample=sample))


async def _count(connection: AsyncConnection, tenant_id: UUID, wanted: ActivityFilter) -> tuple[Listed, int]:
    """Count the activities that match the filter; reject it if they are more than one operation can change."""
    await connection.execute(PLANNED_ANEW)
    paused = (await connection.execute(select(paused_at(tenant_id)))).scalar_one()
    listed = Listed(tenant_id, wanted, paused)
    total = await count_activities(connection, listed, MOST_ITEMS)
    if total > MOST_ITEMS:
        raise _field_problem("/filter", f"The filter matches more than {MOST_ITEMS:,} activities: narrow it.")
    return listed, total


async def _check_total(opened: Resources, operation: BulkOperation) -> None:
    """Reject the request if the activities are more than the operation may change."""
    async with opened.database.transactions.begin() as connection:
        at_most = operation.confirm_total
        if at_most is None:
            at_most = await statements.read_confirm_above(connection, operation.tenant_id)
        _, total = await _count(connection, operation.tenant_id, operation.filter)
    if total > at_most:
        raise TotalNotConfirmed(
            f"The filter matches {total:,} activities, and at most {at_most:,} are confirmed. Look at a sample of them"
            " by `dry_run`. If all of them are to change, send the request with their number as `confirm_total`.",
            members={"total": total, "atMost": at_most},
        )


async def answer_known(opened: Resources, caller: Caller, operation: BulkOperation) -> Response | None:
    """Answer with the operation that has this id already, if it is the same one; None if the id is new."""
    known = await find_operation(opened, caller, operation.id)
    if known is None:
        return None
    answer = _respond_accepted(known, operation)
    if known.state is BulkState.COLLECTING:  # the process that has accepted it may not have started its run
        await _start(opened, operation, operation.id)
    return answer


async def accept(opened: Resources, caller: Caller, operation: BulkOperation, prepare: Prepare) -> Response:
    """Accept an operation that counts nothing, and answer with it.

    `prepare` writes what belongs to its acceptance in the same transaction, or raises the problem that forbids it.
    """
    accepted = await _accept(opened, operation, prepare)
    return await _begin(opened, caller, operation, accepted)


async def _accept(opened: Resources, operation: BulkOperation, prepare: Prepare | None = None) -> Acceptance | None:
    """Write the operation; return None if it was accepted meanwhile."""
    with _carrying_id(operation), _refusing_above_quota():
        return await accept_operation(opened.database, operation, prepare)


async def _begin(opened: Resources, caller: Caller, operation: BulkOperation, accepted: Acceptance | None) -> Response:
    """Start the runs of the operations whose turn has come, and answer with the accepted one."""
    if accepted is None:
        return _respond_accepted(await read_operation(opened, caller, operation.id), operation)
    for begun in accepted.begun:
        await _start(opened, operation, begun)
    return _respond_accepted(OperationRead.of(accepted.row), operation)


async def _start(opened: Resources, operation: BulkOperation, begun: UUID) -> None:
    """Start the run of an operation that has begun: of `operation`, or of one that was accepted before it."""
    with _carrying_id(operation):
        await start_begun(opened.temporal, opened.database, operation.tenant_id, begun)


@contextmanager
def _carrying_id(operation: BulkOperation) -> Iterator[None]:
    """Answer a failure that may pass with the id that makes a repetition safe: the operation may be accepted."""
    try:
        yield
    except (UnansweredError, SQLAlchemyError, OSError) as failure:
        if isinstance(failure, SQLAlchemyError) and not may_pass(failure):
            raise
        raise temporary_problem(
            failure,
            "The operation may have been accepted, and then begins by itself. Send the request again with this"
            f" `operation_id`, which starts nothing twice, or stop the operation: {operation.id}.",
            location=OperationRead.of_request(operation).path,
            members={"operationId": str(operation.id)},
        ) from failure


@contextmanager
def _refusing_above_quota() -> Iterator[None]:
    try:
        yield
    except QueueIsFullError as full:
        raise QuotaExceeded(
            f"The tenant has as many QUEUED bulk operations as its quota `{QUEUED_OPERATIONS.name}` allows, which"
            " `GET /api/quotas` shows. Nothing was accepted: wait until some have begun, or stop some of them.",
            retry_after=60,
        ) from full


def _respond_accepted(known: OperationRead, sent: BulkOperation) -> Response:
    """Answer 202 with the known operation, or 409 if it was accepted for another request."""
    stored, wanted = (
        read.model_dump(mode="json", by_alias=False, include=REQUESTED)
        for read in (known, OperationRead.of_request(sent))
    )
    location = {"Location": known.path}
    differences = list(walk_differences(stored, wanted))
    if differences:
        raise OperationIdExists(
            f"Another request was accepted with this operation_id: the operation is {known.state}. Read it at"
            " `Location`; for this request, send a new operation_id.",
            headers=location,
            members={
                "operation": known.model_dump(mode="json"),
                "differences": [difference.model_dump(mode="json") for difference in differences],
            },
        )
    return _respond(known, HTTPStatus.ACCEPTED, location)


def _field_problem(pointer: str, detail: str) -> ValidationFailed:
    return ValidationFailed(detail, faults=(Fault(pointer=pointer, detail=detail),))


def _respond(answer: Answer, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    return Response(answer.model_dump_json(), status, headers, media_type="application/json")
