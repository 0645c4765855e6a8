"""/api/activity-config/dispatch: a tenant's settings for handing activities to executors."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from api.http.bodies import Json
from api.http.dependencies import CanConfigure, CanView, Opened
from api.http.errors import problem_responses
from api.http.fields import Answer, RequestBody
from db.leases import MAX_ATTEMPTS
from db.models import DispatchSettings

router = APIRouter(prefix="/api/activity-config/dispatch", tags=["configuration"])


class DispatchSettingsUpdate(RequestBody):
    """The new settings. They also apply to activities that executors hold already."""

    max_attempts: Annotated[int, Field(ge=1, le=100)] = Field(
        description="The number of expired leases after which an activity is FAILED."
    )


class DispatchSettingsRead(Answer):
    """The settings in force."""

    max_attempts: int


@router.get("", responses=problem_responses())
async def get_dispatch_settings(caller: CanView, opened: Opened) -> DispatchSettingsRead:
    """Retrieve the tenant's settings, or the defaults."""
    statement = select(DispatchSettings.max_attempts).where(DispatchSettings.tenant_id == caller.tenant_id)
    async with opened.database.autocommit.connect() as connection:
        max_attempts = (await connection.execute(statement)).scalar_one_or_none()
    return DispatchSettingsRead(max_attempts=MAX_ATTEMPTS if max_attempts is None else max_attempts)


@router.put("", responses=problem_responses())
async def put_dispatch_settings(
    caller: CanConfigure,
    opened: Opened,
    body: Json[DispatchSettingsUpdate],
) -> DispatchSettingsRead:
    """Replace the tenant's settings. They also apply to activities that executors hold already."""
    values = body.model_dump()
    statement = insert(DispatchSettings).values(tenant_id=caller.tenant_id, **values)
    async with opened.database.begin_as(caller.subject) as connection:
        await connection.execute(statement.on_conflict_do_update(index_elements=["tenant_id"], set_=values))
    return DispatchSettingsRead(max_attempts=body.max_attempts)
