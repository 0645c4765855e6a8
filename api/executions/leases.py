"""/api/executions/{lease_token}: extend or release the lease of a claimed activity."""

from datetime import timedelta
from uuid import UUID

import structlog
from fastapi import APIRouter
from sqlalchemy.ext.asyncio import AsyncConnection

from api.executions.claims import LeaseSeconds
from api.http.auth import Caller
from api.http.bodies import Json
from api.http.dependencies import CanDispatch, Opened, Resources
from api.http.errors import LeaseEnded, LeaseNotFound, Problem, problem_responses
from api.http.fields import Answer, Instant, RequestBody, Text
from db import leases
from db.leases import Lease, Sender
from db.rows import Rows, fetch_row
from db.snapshots import read_snapshot
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
    statement = leases.extend_lease_statement(caller.tenant_id, lease_token, lease, _sender_of(caller))
    return await _change_lease(statement, lease_token, caller, opened)


@router.post("/release", responses=problem_responses(LeaseNotFound, LeaseEnded))
async def release_lease(caller: CanDispatch, opened: Opened, lease_token: UUID, body: Json[LeaseRelease]) -> LeaseRead:
    """Release an activity that this executor can't carry out.

    The activity is DUE again at once, and the attempt doesn't count against it.
    """
    statement = leases.release_lease_statement(caller.tenant_id, lease_token, _sender_of(caller), body.reason)
    return await _change_lease(statement, lease_token, caller, opened)


def _sender_of(caller: Caller) -> Sender:
    return Sender(caller.subject, caller.request_id)


async def _change_lease(statement: Rows, lease_token: UUID, caller: Caller, opened: Resources) -> LeaseRead:
    async with opened.database.autocommit.connect() as connection:
        lease = await fetch_row(connection, Lease, statement)
        if lease is None:
            raise await _find_problem(connection, lease_token, caller)
    structlog.contextvars.bind_contextvars(activity_id=str(lease.id))
    return LeaseRead(
        activity_id=lease.id,
        status=lease.status,
        lease_token=lease.lease_token,
        lease_expires_at=lease.lease_expires_at,
        attempt=lease.attempts,
    )


async def _find_problem(connection: AsyncConnection, lease_token: UUID, caller: Caller) -> Problem:
    """Find out why the lease can't be changed."""
    lease = await fetch_row(connection, Lease, leases.lease_statement(caller.tenant_id, lease_token))
    seen = lease and await read_snapshot(connection, caller.tenant_id, lease.id)
    if lease is None or seen is None:
        return LeaseNotFound(
            f"This tenant has no lease {lease_token}, or the activity was claimed again or removed since."
        )
    ended = contract_time(lease.lease_expires_at)
    return LeaseEnded(
        f"The lease of activity {lease.id} ended at {ended}, and the activity is {seen.status}. An ended lease can't"
        " be extended or released."
    )
