"""The statements that pause a tenant and resume it; what a pause hides is said in `db.snapshots`."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Delete, Row, Select, and_, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert
from sqlalchemy.orm import InstrumentedAttribute

from db.models import ScheduledActivity, StatusEvent, TenantPause
from db.snapshots import NOW
from workflows.words import ActivityStatus, EventType

RELEASED_AT_ONCE = 2000
"""So many at once take a second or two on a slow machine, far from the time-out of a statement."""


def pause(tenant_id: UUID, reason: str, actor: str) -> Insert:
    """Pause from now on; one that is paused already stays so since then, for the newer reason."""
    said = {"reason": reason, "actor": actor}
    values = insert(TenantPause).values(tenant_id=tenant_id, **said)
    return values.on_conflict_do_update(index_elements=["tenant_id"], set_=said)


def state(tenant_id: UUID) -> Select[Any]:
    """The pause, if there is one, and how many activities it holds by now."""
    held = select(func.count()).where(_held(tenant_id, TenantPause.paused_at, NOW)).correlate(TenantPause)
    return select(TenantPause.__table__, held.scalar_subquery().label("held")).where(TenantPause.tenant_id == tenant_id)


def locked(tenant_id: UUID) -> Select[Any]:
    """The pause, so that only one resumes it at a time, and the time."""
    return (
        select(TenantPause.__table__, NOW.label("now"))
        .where(TenantPause.tenant_id == tenant_id)
        .with_for_update(of=TenantPause)
    )


def release(paused: Row[Any], resumed_at: datetime, reason: str | None, actor: str) -> Select[Any]:
    """Mark what was held anew, as of the resumption, with its true lateness; answers how many those were.

    Nobody sees it before the pause has ended: these marks, too, were made since the tenant was paused. The status is
    written again so that the trigger sends word to waiting executors.
    """
    chosen = (
        select(ScheduledActivity.id)
        .where(_held(paused.tenant_id, literal(paused.paused_at), literal(resumed_at)))
        .order_by(ScheduledActivity.marked_at)
        .limit(RELEASED_AT_ONCE)
        .with_for_update()
        .cte("chosen")
    )
    due_since = func.greatest(ScheduledActivity.due_at, ScheduledActivity.created_at, ScheduledActivity.moved_at)
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
    told = _tell(paused, marked, resumed_at, {"resumedBy": actor, "resumeReason": reason, "pauseReason": paused.reason})
    return select(func.count()).select_from(marked).add_cte(told)


def end(tenant_id: UUID) -> Delete:
    """From here on everybody sees what was held."""
    return delete(TenantPause).where(TenantPause.tenant_id == tenant_id)


def _held(
    tenant_id: UUID, paused_at: ColumnElement[Any] | InstrumentedAttribute[Any], until: ColumnElement[Any]
) -> ColumnElement[bool]:
    """What `HELD_SINCE` says of a row, as the range of an index."""
    return and_(
        ScheduledActivity.tenant_id == tenant_id,
        ScheduledActivity.status == ActivityStatus.DUE,
        ScheduledActivity.marked_at > paused_at,
        ScheduledActivity.marked_at < until,
    )


def _tell(paused: Row[Any], marked: CTE, resumed_at: datetime, said: dict[str, str | None]) -> CTE:
    """The event of each held mark occurs at the resumption, and says since when and why it was held."""
    since = func.to_char(func.timezone("UTC", StatusEvent.occurred_at), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    details = (
        func.jsonb_build_object("heldSince", since)
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
