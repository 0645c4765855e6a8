"""/api/activity-config/pause: hold everything of a tenant that becomes due, and let it go again."""

from typing import Any, Self
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from api.http.auth import Caller
from api.http.bodies import Json
from api.http.dependencies import CanOperate, Opened, Resources
from api.http.errors import documented
from api.http.fields import Answer, Instant, RequestBody, Text
from db import pauses

router = APIRouter(prefix="/api/activity-config/pause", tags=["configuration"])


class PauseUpdate(RequestBody):
    """Whether the tenant shall be paused."""

    paused: bool
    reason: Text | None = Field(default=None, description="Why; required for a pause. It is told in each trail.")

    @model_validator(mode="after")
    def pause_has_a_reason(self) -> Self:
        """Whoever finds everything held wants to know what for."""
        if self.paused and self.reason is None:
            msg = "must have a reason when it pauses"
            raise ValueError(msg)
        return self


class PauseRead(Answer):
    """Whether the tenant is paused."""

    paused: bool
    paused_at: Instant | None = None
    reason: str | None = None
    actor: str | None = None
    held: int = Field(default=0, description="Activities whose time has come meanwhile: READY, with `heldSince`.")
    released: int | None = Field(default=None, description="How many this call has let go: they are DUE now.")


@router.get("", responses=documented())
async def get_pause(caller: CanOperate, opened: Opened) -> PauseRead:
    """Whether the tenant is paused, since when, why and by whom, and how much is held."""
    async with opened.database.autocommit.connect() as connection:
        return PauseRead.model_validate(await _state(connection, caller.tenant_id))


@router.put("", responses=documented())
async def put_pause(caller: CanOperate, opened: Opened, body: Json[PauseUpdate]) -> PauseRead:
    """Pause the tenant, or resume it; asking for what is so already changes nothing but the reason.

    While it is paused nothing becomes DUE and executors are given nothing, not even what was DUE before: everything
    stays as it is, READY with `heldSince` once its time has come. It can be cancelled and moved as ever. On resumption
    what is held becomes DUE in one moment, with its true lateness. Executors keep what they have taken already.
    """
    released = None
    if body.paused:
        async with opened.database.autocommit.connect() as connection:
            await connection.execute(pauses.pause(caller.tenant_id, body.reason or "", caller.subject))
    else:
        released = await _resume(opened, caller, body.reason)
    async with opened.database.autocommit.connect() as connection:
        return PauseRead.model_validate(await _state(connection, caller.tenant_id) | {"released": released})


async def _resume(opened: Resources, caller: Caller, reason: str | None) -> int:
    """One transaction, unless very much is held: then the last lets all of it go, and breaking off loses nothing."""
    released, resumed_at = 0, None
    while True:
        async with opened.database.transactions.begin() as connection:
            paused = (await connection.execute(pauses.locked(caller.tenant_id))).one_or_none()
            if paused is None:
                return released
            resumed_at = resumed_at or paused.now
            release = pauses.release(paused, resumed_at, reason, caller.subject)
            number = int((await connection.execute(release)).scalar_one())
            released += number
            if number < pauses.RELEASED_AT_ONCE:
                await connection.execute(pauses.end(caller.tenant_id))
                return released


async def _state(connection: AsyncConnection, tenant_id: UUID) -> dict[str, Any]:
    row = (await connection.execute(pauses.state(tenant_id))).mappings().one_or_none()
    return {"paused": row is not None, **(row or {})}
