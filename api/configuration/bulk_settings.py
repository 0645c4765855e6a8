"""/api/activity-config/bulk: a tenant's settings for changing many activities at once."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy.dialects.postgresql import insert

from api.http.bodies import Json
from api.http.dependencies import CanConfigure, CanView, Opened
from api.http.errors import problem_responses
from api.http.fields import Answer, RequestBody
from db.bulk_operations import read_confirm_above
from db.models import BulkSettings
from workflows.bulk import MOST_ITEMS

router = APIRouter(prefix="/api/activity-config/bulk", tags=["configuration"])


class BulkSettingsUpdate(RequestBody):
    """The new settings. QUEUED operations follow them; others keep those that were in force when they began."""

    confirm_above: Annotated[int, Field(ge=0, le=MOST_ITEMS)] = Field(
        description="The most activities that an operation changes without `confirm_total`; 0 always requires it."
    )


class BulkSettingsRead(Answer):
    """The settings in force."""

    confirm_above: int


@router.get("", responses=problem_responses())
async def get_bulk_settings(caller: CanView, opened: Opened) -> BulkSettingsRead:
    """Retrieve the tenant's settings, or the defaults."""
    async with opened.database.autocommit.connect() as connection:
        return BulkSettingsRead(confirm_above=await read_confirm_above(connection, caller.tenant_id))


@router.put("", responses=problem_responses())
async def put_bulk_settings(caller: CanConfigure, opened: Opened, body: Json[BulkSettingsUpdate]) -> BulkSettingsRead:
    """Replace the settings. QUEUED operations follow them; others keep those that were in force when they began."""
    values = body.model_dump()
    statement = insert(BulkSettings).values(tenant_id=caller.tenant_id, **values)
    async with opened.database.begin_as(caller.subject) as connection:
        await connection.execute(statement.on_conflict_do_update(index_elements=["tenant_id"], set_=values))
    return BulkSettingsRead(confirm_above=body.confirm_above)
