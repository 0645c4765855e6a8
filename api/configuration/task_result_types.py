"""/api/activity-config/task-result-types: the results that a tenant's executors may report."""

from operator import attrgetter
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from api.configuration.catalogues import Code
from api.http.auth import Caller
from api.http.bodies import Json
from api.http.dependencies import CanConfigure, CanView, Opened
from api.http.errors import problem_responses
from api.http.fields import LIST_LENGTH, Answer, RequestBody, Text, distinct
from db.models import TaskResultType
from db.rows import ADVISORY_LOCK_STATEMENT, lock_parameters

router = APIRouter(prefix="/api/activity-config/task-result-types", tags=["configuration"])


class TaskResultTypeUpdate(RequestBody):
    """A result that executors may report."""

    code: Code
    label: Text
    requires_future_scheduled_at: bool = Field(
        default=False, description="The result must have a `future_scheduled_at`. A follow-up is created for that time."
    )


class TaskResultTypesUpdate(RequestBody):
    """All task result types. With an empty list, any result may be reported and no follow-ups are created."""

    types: Annotated[list[TaskResultTypeUpdate], Field(max_length=LIST_LENGTH), distinct("code", attrgetter("code"))]


class TaskResultTypeRead(Answer):
    """A result that executors may report."""

    code: str
    label: str
    requires_future_scheduled_at: bool


class TaskResultTypesRead(Answer):
    """All task result types, by code."""

    data: list[TaskResultTypeRead]


@router.get("", responses=problem_responses())
async def list_task_result_types(caller: CanView, opened: Opened) -> TaskResultTypesRead:
    """List the tenant's task result types."""
    async with opened.database.autocommit.connect() as connection:
        return await _read_types(connection, caller)


@router.put("", responses=problem_responses())
async def put_task_result_types(
    caller: CanConfigure, opened: Opened, body: Json[TaskResultTypesUpdate]
) -> TaskResultTypesRead:
    """Replace all task result types. Results that were accepted before stay as they are."""
    rows = [one.model_dump() | {"tenant_id": caller.tenant_id} for one in body.types]
    async with opened.database.transactions.begin() as connection:
        # Without the lock, two that delete the same rows and insert equal codes violate the primary key.
        await connection.execute(ADVISORY_LOCK_STATEMENT, lock_parameters("task result types", caller.tenant_id))
        await connection.execute(delete(TaskResultType).where(TaskResultType.tenant_id == caller.tenant_id))
        if rows:
            await connection.execute(insert(TaskResultType), rows)
        return await _read_types(connection, caller)


async def _read_types(connection: AsyncConnection, caller: Caller) -> TaskResultTypesRead:
    statement = (
        select(TaskResultType.__table__)
        .where(TaskResultType.tenant_id == caller.tenant_id)
        .order_by(TaskResultType.code)
    )
    rows = (await connection.execute(statement)).mappings()
    return TaskResultTypesRead(data=[TaskResultTypeRead.model_validate(row) for row in rows])
