"""/api/activity-results: executors say what became of an activity, once or many times."""

from datetime import datetime
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.activities.views import location
from api.executions.follow_ups import create_follow_up
from api.executions.result_schemas import ActivityResultCreate, ActivityResultRead
from api.http.auth import Caller
from api.http.bodies import Json, invalid
from api.http.dependencies import CanSubmitResult, CanView, Opened
from api.http.errors import (
    ActivityNotFound,
    UnknownTaskResultType,
    WrongStatus,
    documented,
)
from db import results
from db.models import TaskResultType
from workflows.hand_off import Accepted, Rejected, Repeated, ResultStatus, judge
from workflows.messages import Fault, RejectedError
from workflows.resolution.facts import CatalogueEntry
from workflows.resolution.reasons import match

router = APIRouter(tags=["results"])


@router.post(
    "/api/activity-results/tasks",
    status_code=201,
    response_model=ActivityResultRead,
    responses={
        200: {"model": ActivityResultRead, "description": "The same result was accepted before; nothing has changed."},
        **documented(ActivityNotFound, WrongStatus, UnknownTaskResultType),
    },
)
async def submit_result(
    caller: CanSubmitResult,
    opened: Opened,
    body: Json[ActivityResultCreate],
) -> Response:
    """Say what became of an activity: COMPLETED and TRANSFERRED complete it, NOT_EXECUTED fails, CANCELED cancels it.

    PENDING changes nothing but can tell the provider's id, by which later results may name the activity. Sending the
    same result again is safe. Another one for a finished activity is 409 unless `hard_override`, and both stay on
    record. After its lease ran out a result still counts, unless somebody else has taken the activity since.
    """
    async with opened.database.transactions.begin() as connection:
        row, is_new = await _submitted(connection, body, caller)
    row = await create_follow_up(row, opened)
    headers = {"Location": f"{location(row.activity_id)}/results"}
    content = ActivityResultRead.model_validate(row).model_dump_json()
    return Response(content, 201 if is_new else 200, headers, media_type="application/json")


async def _submitted(connection: AsyncConnection, body: ActivityResultCreate, caller: Caller) -> tuple[Row[Any], bool]:
    """The result as it is on record, and whether it is there only now; all under the activity's lock."""
    activity_id, attempt = await _named(connection, body, caller)
    await connection.execute(results.lock(caller.tenant_id, activity_id))
    await connection.execute(results.expire_lease(caller.tenant_id, activity_id))
    seen = (await connection.execute(results.standing(caller.tenant_id, activity_id))).one_or_none()
    if seen is None:
        raise ActivityNotFound(f"This tenant has no activity {activity_id}.")
    if body.commerce_external_id not in {None, seen.external_id}:
        detail = f"Activity {activity_id} is of another commerce."
        raise invalid([Fault(pointer="/commerce_external_id", detail=detail)])
    match judge(results.hand_off(seen), body.claimed(attempt)):
        case Repeated(id=known):
            rows = await connection.execute(results.results_of(caller.tenant_id, activity_id))
            return next(row for row in rows if row.id == known), False
        case Rejected(detail=detail):
            raise WrongStatus(detail, members={"activityStatus": seen.effective_status})
        case Accepted() as accepted:
            return await _recorded(connection, body, caller, seen, accepted), True


async def _named(connection: AsyncConnection, body: ActivityResultCreate, caller: Caller) -> tuple[UUID, int | None]:
    """The activity, and which taking of it is meant if the provider's id tells that."""
    told = None
    if body.provider_activity_id is not None:
        asked = await connection.execute(results.of_provider(caller.tenant_id, body.provider_activity_id))
        told = asked.one_or_none()
    if body.activity_id is not None:
        return body.activity_id, told.attempt if told and told.activity_id == body.activity_id else None
    if told is None:
        detail = f"No result has told yet which activity is the provider's {body.provider_activity_id!r}."
        raise ActivityNotFound(detail)
    return told.activity_id, told.attempt


async def _recorded(
    connection: AsyncConnection, body: ActivityResultCreate, caller: Caller, seen: Row[Any], accepted: Accepted
) -> Row[Any]:
    values = body.columns() | {"follow_up_at": await followed_up_at(connection, body, caller)}
    new = results.NewResult(seen.result_id, values, caller.subject, body.failure())
    recorded: Row[Any] = (await connection.execute(results.record(new, seen, accepted))).one()
    return recorded


async def followed_up_at(connection: AsyncConnection, body: ActivityResultCreate, caller: Caller) -> datetime | None:
    """For when the result asks for a follow-up, if its type has one; PENDING results have none yet.

    Raises:
        UnknownTaskResultType: the tenant has types, and this is none of them.
        ValidationFailed: its type needs a time, and there is none.
    """
    task_result = body.task_result
    if task_result is None or task_result.result is None:
        return None
    statement = select(TaskResultType.__table__).where(TaskResultType.tenant_id == caller.tenant_id)
    types = {one.code: one for one in await connection.execute(statement.order_by(TaskResultType.code))}
    entries = [CatalogueEntry(code=one.code, label=one.label) for one in types.values()]
    try:
        code = match(task_result.result, entries, "/task_result/result", UnknownTaskResultType.code)[0].code
    except RejectedError as refused:
        raise UnknownTaskResultType(refused.rejection.detail, faults=refused.rejection.faults) from refused
    if code not in types or not types[code].requires_future_scheduled_at or body.status is ResultStatus.PENDING:
        return None
    if task_result.future_scheduled_at is None:
        detail = f"The result “{code}” needs the time of its follow-up."
        raise invalid([Fault(pointer="/task_result/future_scheduled_at", detail=detail)])
    return task_result.future_scheduled_at


@router.get("/api/activities/{activity_id}/results", tags=["activities"], responses=documented(ActivityNotFound))
async def list_results(caller: CanView, opened: Opened, activity_id: UUID) -> list[ActivityResultRead]:
    """All results of an activity, in the order of their arrival."""
    async with opened.database.autocommit.connect() as connection:
        found = (await connection.execute(results.results_of(caller.tenant_id, activity_id))).all()
        if not found and (await connection.execute(results.exists(caller.tenant_id, activity_id))).first() is None:
            raise ActivityNotFound(f"This tenant has no activity {activity_id}.")
    return [ActivityResultRead.model_validate(row) for row in found]
