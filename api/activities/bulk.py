"""Many at once: cancel or move all activities that a filter finds, watch how far it is, stop it."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Response
from sqlalchemy import select

from api.activities.bulk_schemas import (
    BulkCancelCreate,
    BulkCreate,
    BulkDryRunRead,
    BulkRescheduleCreate,
    ItemRead,
    OperationDetailRead,
    OperationQuery,
    OperationRead,
)
from api.activities.listing import count
from api.activities.views import read
from api.http.auth import Caller, Permission
from api.http.bodies import Json
from api.http.dependencies import CanCancel, CanCreate, CanView, Opened, Resources
from api.http.errors import (
    NotFound,
    PermissionDenied,
    Unavailable,
    ValidationFailed,
    documented,
)
from api.http.fields import Answer
from api.http.pages import page_of
from db import bulk_operations as statements
from db.listing import PLANNED_ANEW, Listed, Slice
from db.snapshots import paused_at, snapshot
from runs import bulk as bulk_runs
from runs.ask import UnansweredError
from workflows.bulk import BulkChange, BulkOperation, BulkState, BulkVerb, Finish
from workflows.messages import Fault

router = APIRouter(prefix="/api", tags=["many at once"])

SAMPLE = 10
PERMISSIONS = {BulkVerb.CANCEL: Permission.CANCEL_ACTIVITY, BulkVerb.RESCHEDULE: Permission.CREATE_ACTIVITY}
RESPONSES = {
    200: {"model": BulkDryRunRead, "description": "A dry run: what would be done."},
    **documented(),
}


@router.post(
    "/activities/cancel",
    status_code=202,
    response_model=OperationRead,
    responses=RESPONSES,
)
async def cancel_activities(caller: CanCancel, opened: Opened, body: Json[BulkCancelCreate]) -> Response:
    """Cancel all activities that the filter finds now: READY, UNRESOLVED and DUE ones, unless it names statuses.

    Each as a call for it alone would, the soonest first; up to 100,000. Look at `Location` for what became of each.
    """
    return await _begin(opened, caller, body, body.change())


@router.post(
    "/activities/reschedule",
    status_code=202,
    response_model=OperationRead,
    responses=RESPONSES,
)
async def reschedule_activities(caller: CanCreate, opened: Opened, body: Json[BulkRescheduleCreate]) -> Response:
    """Move all activities that the filter finds now, to one time or each by as much: READY and UNRESOLVED ones.

    Each as a call for it alone would, the soonest first; up to 100,000. Look at `Location` for what became of each.
    """
    return await _begin(opened, caller, body, body.change())


@router.get("/operations/{operation_id}", responses=documented(NotFound))
async def get_operation(
    caller: CanView, opened: Opened, operation_id: UUID, query: Annotated[OperationQuery, Query()]
) -> OperationDetailRead:
    """How far it is, and what became of each activity, page by page."""
    operation = await _operation(opened, caller, operation_id)
    statement = statements.items(caller.tenant_id, operation_id, query.outcome)
    items = await page_of(opened.database, statement, query, ItemRead.model_validate)
    return OperationDetailRead(**operation.model_dump(), items=items)


@router.post("/operations/{operation_id}/stop", responses=documented(NotFound))
async def stop_operation(caller: CanView, opened: Opened, operation_id: UUID) -> OperationRead:
    """Change nothing more; what has been changed stays changed. Needs the permission that starting it needed.

    200 says that it has ended, one way or the other: `state` and `counts` are final.
    """
    operation = await _operation(opened, caller, operation_id)
    needed = PERMISSIONS[operation.verb]
    if not caller.may(needed):
        raise PermissionDenied(f"The token lacks the permission {needed} in tenant {caller.tenant_id}.")
    try:
        await bulk_runs.stop(opened.temporal, caller.tenant_id, operation_id)
    except UnansweredError as failure:
        raise Unavailable(str(failure)) from failure
    ended = Finish(tenant_id=caller.tenant_id, id=operation_id, state=BulkState.STOPPED)
    async with (
        opened.database.autocommit.connect() as connection
    ):  # its run has written that, unless somebody has ended the run
        await connection.execute(statements.end(ended))
    return await _operation(opened, caller, operation_id)


async def _begin(opened: Resources, caller: Caller, body: BulkCreate, change: BulkChange) -> Response:
    wanted = body.filter_for(change.verb)
    if set(wanted.status) - set(change.verb.allowed_statuses):
        raise _fault(
            "/filter/status", f"Only {', '.join(change.verb.allowed_statuses)} ones can be {change.verb.participle}."
        )
    async with opened.database.transactions.begin() as connection:
        await connection.execute(PLANNED_ANEW)
        paused = (await connection.execute(select(paused_at(caller.tenant_id)))).scalar_one()
        listed = Listed(caller.tenant_id, wanted, paused)
        total = await count(connection, listed, statements.ITEMS)
        if total > statements.ITEMS:
            raise _fault("/filter", f"It finds more than {statements.ITEMS:,} activities: narrow it down.")
        if body.dry_run:
            soonest = await connection.execute(listed.snapshots(Slice(SAMPLE, "scheduled_at", descending=False)))
            sample = [read(snapshot(row), caller, opened) for row in soonest]
            return _json(BulkDryRunRead(verb=change.verb, total=total, sample=sample))
    operation = BulkOperation(
        id=body.operation_id or uuid4(),
        tenant_id=caller.tenant_id,
        filter=wanted,
        change=change,
        actor=caller.subject,
        per_second=body.per_second,
    )
    try:
        await bulk_runs.start(opened.temporal, operation)
    except UnansweredError as failure:
        raise Unavailable(str(failure)) from failure
    location = {"Location": f"/api/operations/{operation.id}"}
    return _json(await _operation(opened, caller, operation.id), HTTPStatus.ACCEPTED, location)


async def _operation(opened: Resources, caller: Caller, operation_id: UUID) -> OperationRead:
    """From its row; before there is one, from what its run was started with."""
    async with opened.database.autocommit.connect() as connection:
        row = (await connection.execute(statements.whole(caller.tenant_id, operation_id))).mappings().one_or_none()
    if row:
        return OperationRead.of(dict(row))
    asked = await bulk_runs.asked(opened.temporal, caller.tenant_id, operation_id)
    if asked is None:
        raise NotFound(f"This tenant has no operation {operation_id}.")
    known = asked.model_dump(include={"id", "actor", "per_second"}) | asked.change.model_dump()
    conditions = asked.filter.model_dump(mode="json", exclude_defaults=True)
    return OperationRead(**known, filter=conditions, state=BulkState.COLLECTING)


def _fault(pointer: str, detail: str) -> ValidationFailed:
    return ValidationFailed(detail, faults=(Fault(pointer=pointer, detail=detail),))


def _json(answer: Answer, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    return Response(answer.model_dump_json(), status, headers, media_type="application/json")
