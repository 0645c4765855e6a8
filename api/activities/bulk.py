"""POST /api/activities/cancel and /reschedule: change all activities that match a filter, by a bulk operation."""

from http import HTTPStatus
from typing import Annotated, Self
from uuid import UUID, uuid4

from fastapi import APIRouter, Response
from pydantic import Field, model_validator
from sqlalchemy import select

from api.activities.listing import ActivityFilterQuery, count_activities
from api.activities.operations import OperationRead, read_operation
from api.activities.schemas import ScheduledActivityRead
from api.activities.views import read_recorded
from api.http.auth import Caller
from api.http.bodies import Json
from api.http.dependencies import CanCancel, CanCreate, Opened, Resources
from api.http.errors import Unavailable, ValidationFailed, problem_responses
from api.http.fields import Answer, RequestBody, Text, Time
from db import bulk_operations as statements
from db.listing import PLANNED_ANEW, Listed, Slice
from db.snapshots import build_snapshot, paused_at
from runs.ask import UnansweredError
from runs.bulk import start_bulk_operation
from workflows.bulk import BulkChange, BulkOperation, BulkVerb
from workflows.messages import ActivityFilter, Fault

YEAR_SECONDS = 365 * 24 * 3600
SAMPLE = 10

router = APIRouter(prefix="/api/activities", tags=["many at once"])


class BulkFilter(ActivityFilterQuery):
    """The activities to change: the parameters of the list, at least one of them."""

    @model_validator(mode="after")
    def has_a_condition(self) -> Self:
        """Reject the filter that matches every activity of the tenant."""
        if self.as_filter() == ActivityFilter():
            msg = "must have at least one condition"
            raise ValueError(msg)
        return self


class BulkCreate(RequestBody):
    """The activities to change, and why."""

    filter: BulkFilter
    dry_run: bool = Field(default=False, description="Only count the activities and return a sample of ten.")
    reason: Text
    per_second: Annotated[int, Field(ge=1, le=100)] = Field(
        default=20, description="The most activities to change in a second."
    )
    operation_id: UUID | None = Field(
        default=None, description="A new UUID. With it, a repetition of the request starts nothing twice."
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


class BulkDryRunRead(Answer):
    """The result of a dry run. Nothing was changed."""

    dry_run: bool = True
    verb: BulkVerb
    total: int
    sample: list[ScheduledActivityRead] = Field(description="The ten activities with the earliest times.")


RESPONSES = {
    200: {"model": BulkDryRunRead, "description": "The result of a dry run. Nothing was changed."},
    **problem_responses(),
}


@router.post("/cancel", status_code=202, response_model=OperationRead, responses=RESPONSES)
async def cancel_activities(caller: CanCancel, opened: Opened, body: Json[BulkCancelCreate]) -> Response:
    """Cancel all activities that match a filter now, at most 100,000.

    Without a status in the filter, READY, UNRESOLVED and DUE activities are cancelled. Each is cancelled as by a call
    for it alone, the earliest first. Read `Location` for the progress and for the outcome of each.
    """
    return await _start(opened, caller, body, body.change())


@router.post("/reschedule", status_code=202, response_model=OperationRead, responses=RESPONSES)
async def reschedule_activities(caller: CanCreate, opened: Opened, body: Json[BulkRescheduleCreate]) -> Response:
    """Move all READY and UNRESOLVED activities that match a filter now, at most 100,000.

    They move to one time, or each by the same number of seconds. Each is moved as by a call for it alone, the earliest
    first. Read `Location` for the progress and for the outcome of each.
    """
    return await _start(opened, caller, body, body.change())


async def _start(opened: Resources, caller: Caller, body: BulkCreate, change: BulkChange) -> Response:
    wanted = body.filter_for(change.verb)
    if set(wanted.status) - set(change.verb.allowed_statuses):
        possible = ", ".join(change.verb.allowed_statuses)
        raise _field_problem("/filter/status", f"Only {possible} activities can be {change.verb.participle}.")
    async with opened.database.transactions.begin() as connection:
        await connection.execute(PLANNED_ANEW)
        paused = (await connection.execute(select(paused_at(caller.tenant_id)))).scalar_one()
        listed = Listed(caller.tenant_id, wanted, paused)
        total = await count_activities(connection, listed, statements.ITEMS)
        if total > statements.ITEMS:
            raise _field_problem("/filter", f"The filter matches more than {statements.ITEMS:,} activities: narrow it.")
        if body.dry_run:
            earliest = await connection.execute(
                listed.snapshots_statement(Slice(SAMPLE, "scheduled_at", descending=False))
            )
            sample = [read_recorded(build_snapshot(row), caller, opened) for row in earliest.mappings()]
            return _respond(BulkDryRunRead(verb=change.verb, total=total, sample=sample))
    operation = BulkOperation(
        id=body.operation_id or uuid4(),
        tenant_id=caller.tenant_id,
        filter=wanted,
        change=change,
        actor=caller.subject,
        per_second=body.per_second,
    )
    try:
        await start_bulk_operation(opened.temporal, operation)
    except UnansweredError as failure:
        raise Unavailable(str(failure)) from failure
    location = {"Location": f"/api/operations/{operation.id}"}
    return _respond(await read_operation(opened, caller, operation.id), HTTPStatus.ACCEPTED, location)


def _field_problem(pointer: str, detail: str) -> ValidationFailed:
    return ValidationFailed(detail, faults=(Fault(pointer=pointer, detail=detail),))


def _respond(answer: Answer, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    return Response(answer.model_dump_json(), status, headers, media_type="application/json")
