"""The statements about a lease: extend it, release it, take it back once it has run out; each whole and guarded."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    Select,
    Text,
    and_,
    case,
    func,
    insert,
    literal,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute

from db.models import DispatchSettings, ScheduledActivity, StatusEvent
from db.snapshots import NOW
from workflows.words import ActivityStatus, EventType

MAX_ATTEMPTS = 3
"""How many leases may run out before it is FAILED, unless the tenant's settings say otherwise."""

IS_TAKEN: ColumnElement[bool] = and_(
    ScheduledActivity.status == ActivityStatus.DISPATCHED, ScheduledActivity.lease_expires_at > NOW
)
"""Somebody has it: it can't be cancelled, and nobody else can take it."""

RAN_OUT: ColumnElement[bool] = and_(
    ScheduledActivity.status == ActivityStatus.DISPATCHED, ScheduledActivity.lease_expires_at <= NOW
)
"""Nobody has it any more; whoever sees that first writes it down by `expire`."""

_max_attempts = func.coalesce(
    select(DispatchSettings.max_attempts)
    .where(DispatchSettings.tenant_id == ScheduledActivity.tenant_id)
    .correlate(ScheduledActivity)
    .scalar_subquery(),
    literal_column(str(MAX_ATTEMPTS)),
)


def extend(tenant_id: UUID, lease_token: UUID, lease: timedelta, actor: str) -> Select[Any]:
    """The lease ends that much from now; nothing if it is over."""
    row = written(_of(tenant_id, lease_token), {"lease_expires_at": NOW + lease})
    event = trail(row, EventType.LEASE_EXTENDED, ActivityStatus.DISPATCHED, actor=actor)
    return select(row).add_cte(event)


def release(tenant_id: UUID, lease_token: UUID, actor: str, reason: str | None) -> Select[Any]:
    """Back to DUE at once and, unlike an expiry, without a count against it; nothing if the lease is over."""
    row = written(_of(tenant_id, lease_token), {"status": ActivityStatus.DUE, "lease_expires_at": NOW})
    details = lease_details(row) | {"reason": literal(reason, Text)}
    event = trail(row, EventType.LEASE_RELEASED, ActivityStatus.DISPATCHED, actor=actor, details=details)
    return select(row).add_cte(event)


def expire(*filters: ColumnElement[bool]) -> Select[Any]:
    """Take back what has run out, of the rows that `filters` let through: DUE again, or FAILED once it was too often.

    Nobody has to be alive for it: every claim begins with it, and reconciliation repeats it for tenants without claims.
    """
    ran_out = (
        select(ScheduledActivity.tenant_id, ScheduledActivity.id)
        .where(*filters, RAN_OUT)
        .order_by(ScheduledActivity.lease_expires_at)
        .limit(1000)
        .with_for_update(skip_locked=True)
        .cte("ran_out")
    )
    expired = ScheduledActivity.expired_leases + 1
    is_last = expired >= _max_attempts
    values = {
        "expired_leases": expired,
        "status": case((is_last, ActivityStatus.FAILED.value), else_=ActivityStatus.DUE.value),
        "why": case((is_last, "No executor has said what became of it before its lease ran out.")),
    }
    row = written(locked(ran_out), values)
    return select(row.c.tenant_id, row.c.id, row.c.status).add_cte(_expiry(row))


def _expiry(row: CTE) -> CTE:
    exhausted = row.c.status == ActivityStatus.FAILED
    return trail(
        row,
        case((exhausted, EventType.DISPATCH_EXHAUSTED.value), else_=EventType.LEASE_EXPIRED.value),
        ActivityStatus.DISPATCHED,
        error_code=case((exhausted, "dispatch_exhausted")),
        occurred_at=row.c.lease_expires_at,
    )


def _of(tenant_id: UUID, lease_token: UUID) -> tuple[ColumnElement[bool], ...]:
    return ScheduledActivity.tenant_id == tenant_id, ScheduledActivity.lease_token == lease_token, IS_TAKEN


def locked(rows: CTE) -> tuple[ColumnElement[bool], ...]:
    """The rows of a CTE that has locked them: by their key alone, for a guard would only offer worse ways to them."""
    return ScheduledActivity.tenant_id == rows.c.tenant_id, ScheduledActivity.id == rows.c.id


def written(where: tuple[ColumnElement[bool], ...], values: dict[str, Any], *more: ColumnElement[Any]) -> CTE:
    """The rows as one guarded UPDATE leaves them, with what else it shall return of each."""
    return (
        update(ScheduledActivity)
        .where(*where)
        .values(version=ScheduledActivity.version + 1, updated_at=NOW, **values)
        .returning(*ScheduledActivity.__table__.columns, *more)
        .cte("written")
    )


def lease_details(row: CTE) -> dict[str, ColumnElement[Any]]:
    """What the trail says of a lease; never its token, for that is the executor's secret."""
    ends = in_contract_format(row.c.lease_expires_at)
    return {"executor": row.c.executor, "attempt": row.c.attempts, "leaseExpiresAt": ends}


def in_contract_format(instant: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[str]:
    """2025-01-16T09:00:00.000Z."""
    return func.to_char(func.timezone("UTC", instant), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')


def holder(*filters: ColumnElement[bool]) -> Select[str | None, str]:
    """Who has it now, and until when."""
    until = in_contract_format(ScheduledActivity.lease_expires_at).label("until")
    return select(ScheduledActivity.executor, until).where(*filters, IS_TAKEN)


def trail(  # noqa: PLR0913 - one place writes every line of the hand-off
    row: CTE,
    event_type: EventType | ColumnElement[str],
    from_status: ActivityStatus,
    *,
    actor: str | BindParameter[str] | None = None,
    details: dict[str, ColumnElement[Any]] | None = None,
    error_code: ColumnElement[Any] | None = None,
    occurred_at: ColumnElement[Any] = NOW,
) -> CTE:
    """The event of each row written; the version in its key, which every write counts up, makes it unique."""
    pairs = [part for name, value in (details or lease_details(row)).items() for part in (literal(name, Text), value)]
    values = {
        "tenant_id": row.c.tenant_id,
        "activity_id": row.c.id,
        "event_key": func.concat("hand-off:", row.c.version),
        "event_type": literal(event_type.value, Text) if isinstance(event_type, EventType) else event_type,
        "from_status": literal(from_status.value, Text),
        "to_status": row.c.status,
        "error_code": null() if error_code is None else error_code,
        "error_message": null() if error_code is None else row.c.why,
        "actor": actor if isinstance(actor, BindParameter) else literal(actor, Text),
        "details": func.jsonb_build_object(*pairs),
        "occurred_at": occurred_at,
    }
    return insert(StatusEvent).from_select(list(values), select(*values.values())).cte("event")
