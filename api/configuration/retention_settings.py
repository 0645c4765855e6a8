"""/api/activity-config/retention: the time for which a tenant keeps closed activities."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from api.http.bodies import Json
from api.http.dependencies import CanConfigureAndErase, CanView, Opened
from api.http.errors import problem_responses
from api.http.fields import Answer, RequestBody
from db.removal import read_retention_days, retention_statement

router = APIRouter(prefix="/api/activity-config/retention", tags=["configuration"])

MOST_DAYS = 36_500


class RetentionSettingsUpdate(RequestBody):
    """The new settings."""

    retention_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = Field(
        default=None, description="The days for which a closed activity is kept. Null keeps it for ever."
    )


class RetentionSettingsRead(Answer):
    """The settings in force."""

    retention_days: int | None = Field(
        description="The days for which a closed activity is kept; null if it is kept for ever, as by default."
    )


@router.get("", responses=problem_responses())
async def get_retention_settings(caller: CanView, opened: Opened) -> RetentionSettingsRead:
    """Retrieve the tenant's settings, or the defaults."""
    async with opened.database.autocommit.connect() as connection:
        return RetentionSettingsRead(retention_days=await read_retention_days(connection, caller.tenant_id))


@router.put("", responses=problem_responses())
async def put_retention_settings(
    caller: CanConfigureAndErase, opened: Opened, body: Json[RetentionSettingsUpdate]
) -> RetentionSettingsRead:
    """Replace the settings. What is closed for longer is removed within minutes, and can't be brought back.

    COMPLETED, CANCELED and FAILED activities are removed so many days after their last change, with their trail and
    results. The idempotency key stays used: a repetition is 409, and a GET of the id is 410. As it removes personal
    data, `ERASE_PERSONAL_DATA` is required beside `MANAGE_ACTIVITY_CONFIG`.
    """
    async with opened.database.begin_as(caller.subject) as connection:
        await connection.execute(retention_statement(caller.tenant_id, body.retention_days))
    return RetentionSettingsRead(retention_days=body.retention_days)
