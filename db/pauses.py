"""The statements that pause a tenant and resume it; what a pause hides is said in `db.queries`."""

from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Select, and_, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, Insert, insert
from sqlalchemy.orm import InstrumentedAttribute

from db.models import ScheduledActivity, StatusEvent, TenantPause
from db.queries import NOW
from workflows.payloads import ActivityStatus, EventType


def pause(tenant_id: UUID, reason: str, actor: str) -> Insert:
    """Pause from now on; one that is paused already stays so since then, for the newer reason."""
    said = {"reason": reason, "actor": actor}
    return (
        insert(TenantPause)
        .values(tenant_id=tenant_id, **said)
        .on_conflict_do_update(index_elements=["tenant_id"], set_=said)
    )


def state(tenant_id: UUID) -> Select[Any]:
    """The pause, if there is one, and how many activities it holds by now."""
    held = select(func.count()).where(_held(tenant_id, TenantPause.paused_at)).correlate(TenantPause)
    return select(TenantPause.__table__, held.scalar_subquery().label("held")).where(TenantPause.tenant_id == tenant_id)


def resume(tenant_id: UUID, reason: str | None, actor: str) -> Select[Any]:
    """End the pause; what it held is due from its time on all the same, but marked now, and that late.

    Answers how many those were. The status is written again so that the trigger sends word to waiting executors.
    """
    ended = (
        delete(TenantPause)
        .where(TenantPause.tenant_id == tenant_id)
        .returning(*TenantPause.__table__.columns)
        .cte("ended")
    )
    held = (
        select(ScheduledActivity.id, ScheduledActivity.marked_at.label("held_since"))
        .join_from(ended, ScheduledActivity, _held(tenant_id, ended.c.paused_at))
        .with_for_update(of=ScheduledActivity)
        .cte("held")
    )
    due_since = func.greatest(ScheduledActivity.due_at, ScheduledActivity.created_at, ScheduledActivity.moved_at)
    marked = (
        update(ScheduledActivity)
        .where(ScheduledActivity.tenant_id == tenant_id, ScheduledActivity.id == held.c.id)
        .values(
            status=ActivityStatus.DUE,
            marked_at=NOW,
            lateness_ms=func.floor(func.extract("epoch", NOW - due_since) * 1000),
        )
        .cte("marked")
    )
    told = _tell(tenant_id, ended, held, {"resumedBy": actor, "resumeReason": reason})
    return select(func.count()).select_from(held).add_cte(marked, told)


def _held(tenant_id: UUID, paused_at: ColumnElement[Any] | InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """What `HELD_SINCE` says of a row, as the range of an index."""
    return and_(
        ScheduledActivity.tenant_id == tenant_id,
        ScheduledActivity.status == ActivityStatus.DUE,
        ScheduledActivity.marked_at > paused_at,
        ScheduledActivity.marked_at <= NOW,
    )


def _tell(tenant_id: UUID, ended: CTE, held: CTE, said: dict[str, str | None]) -> CTE:
    """The event of each held mark occurs now, and says since when and why it was held."""
    since = func.to_char(func.timezone("UTC", held.c.held_since), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
    details = (
        func.coalesce(StatusEvent.details, literal({}, JSONB))
        .concat(literal(said, JSONB))
        .concat(func.jsonb_build_object("heldSince", since, "pauseReason", ended.c.reason))
    )
    return (
        update(StatusEvent)
        .where(
            StatusEvent.tenant_id == tenant_id,
            StatusEvent.activity_id == held.c.id,
            StatusEvent.event_type == EventType.DUE,
            StatusEvent.occurred_at > ended.c.paused_at,
        )
        .values(occurred_at=NOW, details=details)
        .cte("told")
    )
