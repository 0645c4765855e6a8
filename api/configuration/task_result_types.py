"""/api/activity-config/task-result-types: which results a tenant's executors may report, and which are followed up."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import AfterValidator, Field
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.configuration.catalogues import CanConfigure, Code
from api.executions.result_schemas import ActivityResultCreate
from api.http.auth import Caller
from api.http.bodies import Json, invalid
from api.http.dependencies import CanView, Opened
from api.http.errors import UnknownTaskResultType, documented
from api.http.fields import LIST_LENGTH, Answer, RequestBody, Text
from db.locks import ADVISORY_LOCK_STATEMENT
from db.models import TaskResultType
from workflows.hand_off import ResultStatus
from workflows.messages import Fault, RejectedError
from workflows.resolution.facts import CatalogueEntry
from workflows.resolution.reasons import match

router = APIRouter(prefix="/api/activity-config/task-result-types", tags=["configuration"])


class TaskResultTypeUpdate(RequestBody):
    """One result that may be reported."""

    code: Code
    label: Text
    requires_future_scheduled_at: bool = Field(
        default=False, description="It comes with a `future_scheduled_at`, for which a follow-up is created."
    )


def _distinct(types: list[TaskResultTypeUpdate]) -> list[TaskResultTypeUpdate]:
    if len({one.code for one in types}) < len(types):
        msg = "must name every code once"
        raise ValueError(msg)
    return types


class TaskResultTypesUpdate(RequestBody):
    """All of them; with none, any result may be reported and nothing is followed up."""

    types: Annotated[list[TaskResultTypeUpdate], Field(max_length=LIST_LENGTH), AfterValidator(_distinct)]


class TaskResultTypeRead(Answer):
    """One result that may be reported."""

    code: str
    label: str
    requires_future_scheduled_at: bool


class TaskResultTypesRead(Answer):
    """All of them, by code."""

    data: list[TaskResultTypeRead]


@router.get("", responses=documented())
async def list_task_result_types(caller: CanView, opened: Opened) -> TaskResultTypesRead:
    """The tenant's task result types."""
    async with opened.database.autocommit.connect() as connection:
        return await _types(connection, caller)


@router.put("", responses=documented())
async def put_task_result_types(
    caller: CanConfigure,
    opened: Opened,
    body: Json[TaskResultTypesUpdate],
) -> TaskResultTypesRead:
    """Replace them as a whole; results that were accepted before stay as they are."""
    rows = [one.model_dump() | {"tenant_id": caller.tenant_id} for one in body.types]
    async with opened.database.transactions.begin() as connection:
        # Without the lock, two that delete the same rows and insert equal codes violate the primary key.
        await connection.execute(ADVISORY_LOCK_STATEMENT, {"lock": f"task result types of {caller.tenant_id}"})
        await connection.execute(delete(TaskResultType).where(TaskResultType.tenant_id == caller.tenant_id))
        if rows:
            await connection.execute(insert(TaskResultType), rows)
        return await _types(connection, caller)


async def _types(connection: AsyncConnection, caller: Caller) -> TaskResultTypesRead:
    statement = (
        select(TaskResultType.__table__)
        .where(TaskResultType.tenant_id == caller.tenant_id)
        .order_by(TaskResultType.code)
    )
    rows = await connection.execute(statement)
    return TaskResultTypesRead(data=[TaskResultTypeRead.model_validate(row) for row in rows])


async def followed_up_at(connection: AsyncConnection, body: ActivityResultCreate, caller: Caller) -> datetime | None:
    """For when the result asks for a follow-up, if its type has one; PENDING results have none yet.

    Raises:
        UnknownTaskResultType: the tenant has types, and this is none of them.
        ValidationFailed: its type needs a time, and there is none.
    """
    task_result = body.task_result
    if task_result is None or task_result.result is None:
        return None
    types = {one.code: one for one in (await _types(connection, caller)).data}
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
