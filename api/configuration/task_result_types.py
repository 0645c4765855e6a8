"""/api/activity-config/task-result-types: the results that a tenant's executors may report."""

from operator import attrgetter
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import Insert, insert
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
        default=False,
        description="The result must have a `future_scheduled_at`. A follow-up is created for that time,"
        " if the executor has the permission `CREATE_ACTIVITY`; else the result is refused.",
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
    async with opened.database.begin_as(caller.subject) as connection:
        # Without the lock, the rows of two requests could be mixed.
        await connection.execute(ADVISORY_LOCK_STATEMENT, lock_parameters("task result types", caller.tenant_id))
        kept = TaskResultType.code.in_([one.code for one in body.types])
        await connection.execute(delete(TaskResultType).where(TaskResultType.tenant_id == caller.tenant_id, ~kept))
        if rows:
            await connection.execute(_upsert_statement(), rows)
        return await _read_types(connection, caller)


def _upsert_statement() -> Insert:
    """Compose the statement that writes a row; one that is equal already stays, and is no change for the audit."""
    statement = insert(TaskResultType)
    written = ("label", "requires_future_scheduled_at")
    return statement.on_conflict_do_update(
        index_elements=["tenant_id", "code"], set_={name: statement.excluded[name] for name in written}
    )


async def _read_types(connection: AsyncConnection, caller: Caller) -> TaskResultTypesRead:
    statement = (
        select(TaskResultType.__table__)
        .where(TaskResultType.tenant_id == caller.tenant_id)
        .order_by(TaskResultType.code)
    )
    rows = (await connection.execute(statement)).mappings()
    return TaskResultTypesRead(data=[TaskResultTypeRead.model_validate(row) for row in rows])
