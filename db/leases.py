"""The statements about a lease: extend it, release it, take it back once it has run out. Each is whole and guarded."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Text, and_, case, func, literal, literal_column, select
from sqlalchemy.dialects.postgresql import JSONB

from db.models import DispatchSettings, ScheduledActivity
from db.rows import (
    CLOCK,
    NOW,
    Columns,
    Event,
    Expression,
    Key,
    Rows,
    address,
    event_insert,
    guarded_update,
    in_contract_format,
    row_lock,
)
from workflows.words import ActivityStatus, EventType

MAX_ATTEMPTS = 3
"""Leases that may run out before the activity is FAILED, unless the tenant's settings say otherwise."""

IS_LEASED: ColumnElement[bool] = and_(
    ScheduledActivity.status == ActivityStatus.DISPATCHED, ScheduledActivity.lease_expires_at > NOW
)
"""An executor holds the activity: it can't be cancelled, and no other executor can take it."""

HAS_EXPIRED_LEASE: ColumnElement[bool] = and_(
    ScheduledActivity.status == ActivityStatus.DISPATCHED, ScheduledActivity.lease_expires_at <= NOW
)
"""The lease has run out, and `expire_leases_statement` has not written that yet."""


def is_last_lease(tenant_id: Key, expired_leases: Expression) -> ColumnElement[bool]:
    """Match an activity that is FAILED, and not DUE, once one more of its leases runs out."""
    max_attempts = (
        select(DispatchSettings.max_attempts)
        .where(DispatchSettings.tenant_id == tenant_id)
        .correlate(ScheduledActivity)
        .scalar_subquery()
    )
    return expired_leases + 1 >= func.coalesce(max_attempts, literal_column(str(MAX_ATTEMPTS)))


IS_LAST_LEASE = is_last_lease(ScheduledActivity.tenant_id, ScheduledActivity.expired_leases)

EXPIRED_STATUS = case((IS_LAST_LEASE, ActivityStatus.FAILED.value), else_=ActivityStatus.DUE.value)
"""The status that an activity has once its lease has run out."""

EXHAUSTED = "No executor has said what became of it before its lease ran out."
"""The reason of an activity that is FAILED because its last lease ran out."""


class Sender(NamedTuple):
    """The actor of a request, and the request's id."""

    actor: str
    request_id: str | None


class Lease(NamedTuple):
    """An activity and its last lease."""

    id: UUID
    status: ActivityStatus
    lease_token: UUID
    lease_expires_at: datetime
    attempts: int


class ExpiredLease(NamedTuple):
    """An activity whose lease was taken back, and its status since then."""

    tenant_id: UUID
    id: UUID
    status: ActivityStatus


class LeaseHolder(NamedTuple):
    """The executor that holds an activity, and the end of its lease in the contract's format."""

    executor: str
    until: str


def lease_statement(tenant_id: UUID, lease_token: UUID) -> Rows:
    """Select the activity that has this lease as its last one, as a `Lease`, whether it has run out or not."""
    columns = (ScheduledActivity.__table__.c[name] for name in Lease._fields)
    return select(*columns).where(_has_token(tenant_id, lease_token))


def extend_lease_statement(tenant_id: UUID, lease_token: UUID, lease: timedelta, by: Sender) -> Rows:
    """Build an UPDATE that ends the lease in `lease`; returns a `Lease`, or no row if the lease is over."""
    row = _lease_update(tenant_id, lease_token, {"lease_expires_at": CLOCK + lease})
    event = _lease_event(row, EventType.LEASE_EXTENDED, by, lease_details(row))
    return _returned_lease(row).add_cte(event)


def release_lease_statement(tenant_id: UUID, lease_token: UUID, by: Sender, reason: str | None) -> Rows:
    """Build an UPDATE that makes the activity DUE at once; returns a `Lease`, or no row if the lease is over.

    Unlike an expiry it does not count against the activity.
    """
    row = _lease_update(tenant_id, lease_token, {"status": ActivityStatus.DUE, "lease_expires_at": CLOCK})
    event = _lease_event(row, EventType.LEASE_RELEASED, by, lease_details(row) | {"reason": literal(reason, Text)})
    return _returned_lease(row).add_cte(event)


def _lease_update(tenant_id: UUID, lease_token: UUID, values: Columns) -> CTE:
    locked = row_lock(and_(_has_token(tenant_id, lease_token), IS_LEASED), ScheduledActivity.lease_expires_at)
    # The lease may have run out while the statement waited for the row. The guard is therefore checked again, and on
    # the CTE's column: on the table's, a plan may check it before the wait.
    return guarded_update(and_(address(locked.c.tenant_id, locked.c.id), locked.c.lease_expires_at > CLOCK), values)


def _has_token(tenant_id: UUID, lease_token: UUID) -> ColumnElement[bool]:
    return and_(ScheduledActivity.tenant_id == tenant_id, ScheduledActivity.lease_token == lease_token)


def _returned_lease(row: CTE) -> Rows:
    return select(*(row.c[name] for name in Lease._fields))


def _lease_event(row: CTE, event_type: EventType, by: Sender, details: dict[str, ColumnElement[Any]]) -> CTE:
    event = Event(
        event_type,
        hand_off_key(row),
        from_status=ActivityStatus.DISPATCHED,
        actor=by.actor,
        request_id=by.request_id,
        details=json_object(details),
    )
    return event_insert(row, event)


def expired_leases_statement(*filters: ColumnElement[bool], limit: int = 1000) -> Rows:
    """Select the tenants and ids of the activities in `filters` whose leases have run out, the oldest first."""
    rows = select(ScheduledActivity.tenant_id, ScheduledActivity.id).where(*filters, HAS_EXPIRED_LEASE)
    return rows.order_by(ScheduledActivity.lease_expires_at).limit(limit)


def expire_leases_statement(*filters: ColumnElement[bool], limit: int = 1000) -> Rows:
    """Build an UPDATE of the leases in `filters` that have run out; returns `ExpiredLease`s.

    Every claim begins with it, and reconciliation repeats it for tenants without claims, so that it needs no timer.
    """
    ran_out = expired_leases_statement(*filters, limit=limit).with_for_update(skip_locked=True).cte("ran_out")
    values = {
        "expired_leases": ScheduledActivity.expired_leases + 1,
        "status": EXPIRED_STATUS,
        "why": case((IS_LAST_LEASE, EXHAUSTED)),
    }
    # By the primary key only: with a second guard the planner may choose another index.
    row = guarded_update(address(ran_out.c.tenant_id, ran_out.c.id), values)
    is_exhausted = row.c.status == ActivityStatus.FAILED
    event = Event(
        case((is_exhausted, EventType.DISPATCH_EXHAUSTED.value), else_=EventType.LEASE_EXPIRED.value),
        hand_off_key(row),
        from_status=ActivityStatus.DISPATCHED,
        error_code=case((is_exhausted, "dispatch_exhausted")),
        error_message=row.c.why,
        details=json_object(lease_details(row)),
        occurred_at=row.c.lease_expires_at,
    )
    return select(row.c.tenant_id, row.c.id, row.c.status).add_cte(event_insert(row, event))


def lease_holder_statement(where: ColumnElement[bool]) -> Rows:
    """Select the `LeaseHolder` of an activity; no row if no executor holds it."""
    until = in_contract_format(ScheduledActivity.lease_expires_at).label("until")
    return select(ScheduledActivity.executor, until).where(where, IS_LEASED)


def hand_off_key(row: CTE) -> ColumnElement[str]:
    """Return the key of a hand-off's event. The version, which every write counts up, makes it unique."""
    return func.concat("hand-off:", row.c.version)


def lease_details(row: CTE) -> dict[str, ColumnElement[Any]]:
    """Return the details of a lease in the trail. The token is left out: it is the executor's secret."""
    ends = in_contract_format(row.c.lease_expires_at)
    return {"executor": row.c.executor, "attempt": row.c.attempts, "leaseExpiresAt": ends}


def json_object(members: dict[str, ColumnElement[Any]]) -> ColumnElement[Any]:
    """Build a JSON object whose members are expressions."""
    pairs = [part for name, value in members.items() for part in (literal(name, Text), value)]
    return func.jsonb_build_object(*pairs, type_=JSONB)
