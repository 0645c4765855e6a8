"""/api/executions/{lease_token}: extend or release the lease of a claimed activity."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import RowMapping, Select, select

from api.executions.claims import LeaseSeconds
from api.http.auth import Caller
from api.http.bodies import Json
from api.http.dependencies import CanDispatch, Opened, Resources
from api.http.errors import LeaseEnded, LeaseNotFound, Problem, problem_responses
from api.http.fields import Answer, Instant, RequestBody, Text
from db import leases
from db.models import ScheduledActivity
from workflows.display import contract_time
from workflows.words import ActivityStatus

router = APIRouter(prefix="/api/executions/{lease_token}", tags=["executions"])


class LeaseExtension(RequestBody):
    """The new length of a lease, counted from now."""

    lease_seconds: LeaseSeconds = 60


class LeaseRelease(RequestBody):
    """The release of a lease, with the executor's reason."""

    reason: Text | None = None


class LeaseRead(Answer):
    """A lease after a change. The executor holds the activity while it is DISPATCHED."""

    activity_id: UUID
    status: ActivityStatus
    lease_token: UUID
    lease_expires_at: Instant
    attempt: int


@router.post("/extend", responses=problem_responses(LeaseNotFound, LeaseEnded))
async def extend_lease(caller: CanDispatch, opened: Opened, lease_token: UUID, body: Json[LeaseExtension]) -> LeaseRead:
    """Extend a lease: it ends `lease_seconds` from now. Repeat as often as needed."""
    lease = timedelta(seconds=body.lease_seconds)
    statement = leases.extend(caller.tenant_id, lease_token, lease, caller.subject)
    return await _change_lease(statement, lease_token, caller, opened)


@router.post("/release", responses=problem_responses(LeaseNotFound, LeaseEnded))
async def release_lease(caller: CanDispatch, opened: Opened, lease_token: UUID, body: Json[LeaseRelease]) -> LeaseRead:
    """Release an activity that this executor can't carry out.

    The activity is DUE again at once, and the attempt doesn't count against it.
    """
    statement = leases.release(caller.tenant_id, lease_token, caller.subject, body.reason)
    return await _change_lease(statement, lease_token, caller, opened)


async def _change_lease(statement: Select[Any], lease_token: UUID, caller: Caller, opened: Resources) -> LeaseRead:
    async with opened.database.autocommit.connect() as connection:
        row = (await connection.execute(statement)).mappings().one_or_none()
        if row is None:
            holder = select(ScheduledActivity.__table__).where(
                ScheduledActivity.tenant_id == caller.tenant_id, ScheduledActivity.lease_token == lease_token
            )
            raise _problem_of(lease_token, (await connection.execute(holder)).mappings().one_or_none())
    return LeaseRead(
        activity_id=row["id"],
        status=row["status"],
        lease_token=row["lease_token"],
        lease_expires_at=row["lease_expires_at"],
        attempt=row["attempts"],
    )


def _problem_of(lease_token: UUID, row: RowMapping | None) -> Problem:
    if row is None:
        return LeaseNotFound(
            f"This tenant has no lease {lease_token}, or another executor has claimed the activity since."
        )
    ended = contract_time(row["lease_expires_at"])
    return LeaseEnded(
        f"The lease of activity {row['id']} ended at {ended}, and the activity is {row['status']}. An ended lease can't"
        " be extended or released."
    )
