"""/api/activity-config/pause: stop a tenant's activities from becoming due, and resume."""

from typing import Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from api.http.auth import Caller
from api.http.bodies import Json
from api.http.dependencies import CanOperate, Opened, Resources
from api.http.errors import problem_responses
from api.http.fields import Answer, Instant, RequestBody, Text
from db import pauses
from db.rows import fetch_row

router = APIRouter(prefix="/api/activity-config/pause", tags=["configuration"])


class PauseUpdate(RequestBody):
    """The state that the tenant is to have."""

    paused: bool
    reason: Text | None = Field(default=None, description="Required to pause. The trail of held activities shows it.")

    @model_validator(mode="after")
    def pause_has_a_reason(self) -> Self:
        """Require a reason: operators who find activities held must be able to see why."""
        if self.paused and self.reason is None:
            msg = "must have a reason when it pauses"
            raise ValueError(msg)
        return self


class PauseRead(Answer):
    """The pause of the tenant, if there is one."""

    paused: bool
    paused_at: Instant | None = None
    reason: str | None = None
    actor: str | None = None
    held: int = Field(default=0, description="The number of held activities: READY, with `heldSince`.")
    released: int | None = Field(default=None, description="The number of activities that this call has made DUE.")


@router.get("", responses=problem_responses())
async def get_pause(caller: CanOperate, opened: Opened) -> PauseRead:
    """Retrieve the tenant's pause: its time, reason and actor, and the number of activities that it holds."""
    async with opened.database.autocommit.connect() as connection:
        return PauseRead.model_validate(await _read_pause(connection, caller.tenant_id))


@router.put("", responses=problem_responses())
async def put_pause(caller: CanOperate, opened: Opened, body: Json[PauseUpdate]) -> PauseRead:
    """Pause or resume the tenant. Pausing a paused tenant changes only the reason.

    During a pause no activity becomes DUE, and executors are given none, not even those that were DUE before. An
    activity whose time comes is held: it stays READY and has `heldSince`. It can still be cancelled and moved.
    Executors keep the activities that they have claimed.

    On resumption all held activities become DUE at one moment, with their true lateness.
    """
    released = None
    if body.paused:
        async with opened.database.begin_as(caller.subject) as connection:
            await connection.execute(pauses.pause_statement(caller.tenant_id, body.reason or "", caller.subject))
    else:
        released = await _resume(opened, caller, body.reason)
    async with opened.database.autocommit.connect() as connection:
        return PauseRead.model_validate(await _read_pause(connection, caller.tenant_id) | {"released": released})


async def _resume(opened: Resources, caller: Caller, reason: str | None) -> int:
    """Release the held activities and end the pause; return how many were released.

    Very many are released in several transactions. The last one ends the pause, so an interruption loses nothing.
    """
    released, resumed_at = 0, None
    while True:
        async with opened.database.begin_as(caller.subject) as connection:
            paused = await fetch_row(connection, pauses.LockedPause, pauses.lock_pause_statement(caller.tenant_id))
            if paused is None:
                return released
            resumed_at = resumed_at or paused.now
            release = pauses.release_held_statement(paused, resumed_at, reason, caller.subject)
            number = int((await connection.execute(release)).scalar_one())
            released += number
            if number < pauses.RELEASED_AT_ONCE:
                await connection.execute(pauses.end_pause_statement(caller.tenant_id))
                return released


async def _read_pause(connection: AsyncConnection, tenant_id: UUID) -> dict[str, object]:
    row = (await connection.execute(pauses.pause_state_statement(tenant_id))).mappings().one_or_none()
    return {"paused": row is not None, **(row or {})}
