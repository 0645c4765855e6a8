"""The statements that pause a tenant and resume it. `db.snapshots` defines what a pause hides."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Delete, SQLColumnExpression, and_, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert

from db.models import ScheduledActivity, StatusEvent, TenantPause
from db.rows import CLOCK, NOW, Columns, Rows, in_contract_format
from workflows.words import ActivityStatus, EventType

RELEASED_AT_ONCE = 500
"""Activities that one statement releases, so that a busy machine does it far within the statement's time-out."""


class PauseState(NamedTuple):
    """A tenant's pause, and the number of activities that it holds."""

    tenant_id: UUID
    paused_at: datetime
    reason: str
    actor: str
    held: int


class LockedPause(NamedTuple):
    """A tenant's pause while its row is locked, and the time at which the lock was held."""

    tenant_id: UUID
    paused_at: datetime
    reason: str
    actor: str
    now: datetime


def pause_statement(tenant_id: UUID, reason: str, actor: str) -> Insert:
    """Build an INSERT of the pause. A tenant that is paused already stays so since then, for the newer reason."""
    said = {"reason": reason, "actor": actor}
    values = insert(TenantPause).values(tenant_id=tenant_id, **said)
    return values.on_conflict_do_update(index_elements=["tenant_id"], set_=said)


def pause_state_statement(tenant_id: UUID) -> Rows:
    """Select the `PauseState` of a tenant; no row if it is not paused."""
    held = select(func.count()).where(_is_held(tenant_id, TenantPause.paused_at, NOW)).correlate(TenantPause)
    return select(TenantPause.__table__, held.scalar_subquery().label("held")).where(TenantPause.tenant_id == tenant_id)


def lock_pause_statement(tenant_id: UUID) -> Rows:
    """Select the `LockedPause` of a tenant, locked so that only one caller at a time resumes it."""
    locked = select(TenantPause.__table__).where(TenantPause.tenant_id == tenant_id).with_for_update().cte("locked")
    # Activities are recorded as due at this time: it is read from the CTE's row, which means after a wait for the lock.
    return select(locked, CLOCK.label("now"))


def release_held_statement(paused: LockedPause, resumed_at: datetime, reason: str | None, actor: str) -> Rows:
    """Build an UPDATE that marks held activities anew, at the resumption; returns their number.

    These marks stay invisible until the pause has ended, because they too were made after the tenant was paused. The
    status is written again so that the trigger notifies waiting executors.
    """
    chosen = (
        select(ScheduledActivity.id)
        .where(_is_held(paused.tenant_id, literal(paused.paused_at), literal(resumed_at)))
        .order_by(ScheduledActivity.marked_at)
        .limit(RELEASED_AT_ONCE)
        .with_for_update()
        .cte("chosen")
    )
    due_since = func.greatest(ScheduledActivity.due_at, ScheduledActivity.created_at, ScheduledActivity.moved_at)
    # The version stays as it is, so this is no `guarded_update`: the mark is written again, not a second time.
    marked = (
        update(ScheduledActivity)
        .where(ScheduledActivity.tenant_id == paused.tenant_id, ScheduledActivity.id == chosen.c.id)
        .values(
            status=ActivityStatus.DUE,
            marked_at=resumed_at,
            lateness_ms=func.floor(func.extract("epoch", literal(resumed_at) - due_since) * 1000),
        )
        .returning(ScheduledActivity.id)
        .cte("marked")
    )
    said = {"resumedBy": actor, "resumeReason": reason, "pauseReason": paused.reason}
    return select(func.count()).select_from(marked).add_cte(_events_update(paused, marked, resumed_at, said))


def end_pause_statement(tenant_id: UUID) -> Delete:
    """Build a DELETE of the pause: from its commit on, what was held is visible as DUE."""
    return delete(TenantPause).where(TenantPause.tenant_id == tenant_id)


def _is_held(
    tenant_id: UUID, paused_at: SQLColumnExpression[datetime], until: SQLColumnExpression[datetime]
) -> ColumnElement[bool]:
    """Match the rows that have a `HELD_SINCE`, as the range of an index."""
    return and_(
        ScheduledActivity.tenant_id == tenant_id,
        ScheduledActivity.status == ActivityStatus.DUE,
        ScheduledActivity.marked_at > paused_at,
        ScheduledActivity.marked_at < until,
    )


def _events_update(paused: LockedPause, marked: CTE, resumed_at: datetime, said: Columns) -> CTE:
    """Build an UPDATE of the marks' events: they occur at the resumption, and say since when and why it was held."""
    details = (
        func.jsonb_build_object("heldSince", in_contract_format(StatusEvent.occurred_at))
        .concat(func.coalesce(StatusEvent.details, literal({}, JSONB)))
        .concat(literal(said, JSONB))
    )
    return (
        update(StatusEvent)
        .where(
            StatusEvent.tenant_id == paused.tenant_id,
            StatusEvent.activity_id == marked.c.id,
            StatusEvent.event_type == EventType.DUE,
            StatusEvent.occurred_at > paused.paused_at,
        )
        .values(occurred_at=resumed_at, details=details)
        .cte("told")
    )
