"""/api/executions: executors take what is due, keep it while they work, or give it back."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy import Row, Select, select

from api.executions.schemas import (
    ClaimedActivities,
    ClaimedActivityRead,
    ExecutionClaim,
    LeaseExtension,
    LeaseRead,
    LeaseRelease,
)
from api.http.auth import Caller
from api.http.bodies import Json
from api.http.dependencies import CanDispatch, Opened, Resources
from api.http.errors import LeaseEnded, LeaseNotFound, Problem, documented
from api.http.metrics import CLAIMABLE_LATENESS, CLAIMED_LATENESS
from db import claims, leases
from db.due_watch import Waiter
from db.models import ScheduledActivity
from workflows.display import contract_time

router = APIRouter(prefix="/api/executions", tags=["executions"])

LONGEST_SLEEP_SECONDS = 5.0
"""As short as the shortest lease: so no lease can run out between two looks without the first having seen its end."""


@router.post("/claim", responses=documented())
async def claim_activities(
    request: Request,
    caller: CanDispatch,
    opened: Opened,
    body: Json[ExecutionClaim],
) -> ClaimedActivities:
    """Take due activities: each goes to one executor, whole, and is DISPATCHED until its lease ends.

    The highest score goes first, then what has been due longest. Report a result before the lease ends, extend it, or
    release it; else it becomes DUE again for others, and FAILED when that has happened too often. Everything `PENDING`
    has been resolved by the time an activity can be taken.
    """
    give_up_at = asyncio.get_running_loop().time() + body.wait_seconds
    with opened.due_watch.waiting(caller.tenant_id, body.channels, body.types) as waiter:
        while True:
            waiter.looks()
            rows, next_in = await _look(opened, body.for_caller(caller))
            left = give_up_at - asyncio.get_running_loop().time()
            if rows or left <= 0 or not await _slept(min(left, next_in), waiter, request, opened):
                break
    return ClaimedActivities(data=[_taken(row) for row in rows])


async def _look(opened: Resources, wanted: claims.Claim) -> tuple[list[Row[Any]], float]:
    """What could be taken; if nothing, how soon there may be something without anybody sending word."""
    parameters = wanted.parameters()
    async with opened.database.autocommit.connect() as connection:
        await connection.execute(claims.EXPIRE, parameters)
        rows = list((await connection.execute(claims.CLAIM, parameters)).all())
        if rows:
            return rows, 0
        asked = await connection.execute(claims.SECONDS_TO_NEXT, parameters)
        seconds = asked.scalar_one()
        return [], LONGEST_SLEEP_SECONDS if seconds is None else min(float(seconds), LONGEST_SLEEP_SECONDS)


async def _slept(seconds: float, waiter: Waiter, request: Request, opened: Resources) -> bool:
    """Whether another look is worth while: nothing is taken for a caller who has gone."""
    if opened.due_watch.is_stopping:
        return False
    await waiter.sleep(seconds)
    return not await request.is_disconnected()


def _taken(row: Row[Any]) -> ClaimedActivityRead:
    if row.attempts == 1:
        CLAIMABLE_LATENESS.labels(row.channel).observe(row.lateness_ms / 1000)
        CLAIMED_LATENESS.labels(row.channel).observe(float(row.claimed_late_seconds))
    return ClaimedActivityRead.taken(row)


_LEASE_PROBLEMS = documented(LeaseNotFound, LeaseEnded)


@router.post("/{lease_token}/extend", responses=_LEASE_PROBLEMS)
async def extend_lease(
    caller: CanDispatch,
    opened: Opened,
    lease_token: UUID,
    body: Json[LeaseExtension],
) -> LeaseRead:
    """Keep an activity longer: the lease ends `lease_seconds` from now, as often as needed."""
    lease = timedelta(seconds=body.lease_seconds)
    return await _changed(
        leases.extend(caller.tenant_id, lease_token, lease, caller.subject), lease_token, caller, opened
    )


@router.post("/{lease_token}/release", responses=_LEASE_PROBLEMS)
async def release_lease(
    caller: CanDispatch,
    opened: Opened,
    lease_token: UUID,
    body: Json[LeaseRelease],
) -> LeaseRead:
    """Give an activity back that can't be carried out here: it is DUE again at once, and that isn't held against it."""
    statement = leases.release(caller.tenant_id, lease_token, caller.subject, body.reason)
    return await _changed(statement, lease_token, caller, opened)


async def _changed(statement: Select[Any], lease_token: UUID, caller: Caller, opened: Resources) -> LeaseRead:
    async with opened.database.autocommit.connect() as connection:
        row = (await connection.execute(statement)).one_or_none()
        if row is None:
            stands = select(ScheduledActivity.__table__).where(
                ScheduledActivity.tenant_id == caller.tenant_id, ScheduledActivity.lease_token == lease_token
            )
            raise _over(lease_token, (await connection.execute(stands)).one_or_none())
    return LeaseRead(
        activity_id=row.id,
        status=row.status,
        lease_token=row.lease_token,
        lease_expires_at=row.lease_expires_at,
        attempt=row.attempts,
    )


def _over(lease_token: UUID, row: Row[Any] | None) -> Problem:
    if row is None:
        return LeaseNotFound(f"This tenant has no lease {lease_token}; or the activity was taken by another since.")
    ended = contract_time(row.lease_expires_at)
    return LeaseEnded(f"Activity {row.id} is {row.status}, and its lease ended at {ended}.")
