"""The statement that marks an activity for execution."""

from typing import Any

from sqlalchemy import (
    Integer,
    Select,
    Uuid,
    and_,
    bindparam,
    func,
    select,
)

from db.models import ScheduledActivity
from db.parts import resolved_parts
from db.rows import Event, changed, with_event
from workflows.messages import MarkDue, ResolvedAttributes, ResolvedTarget
from workflows.resolution import why_unresolved
from workflows.words import ActivityStatus, EventType


def mark_due(mark: MarkDue) -> tuple[Select[Any], dict[str, Any]]:
    """The statement that marks, and its parameters; the usual one, with nothing left to resolve, is built only once."""
    if mark.target is None and mark.attributes is None:
        return _MARK_DUE, {"mark_tenant": mark.tenant_id, "mark_id": mark.id, "mark_version": mark.version}
    return _mark_due(mark.tenant_id, mark.id, mark.version, mark.target, mark.attributes), {}


def _mark_due(
    tenant_id: Any,
    activity_id: Any,
    version: Any,
    target: ResolvedTarget | None = None,
    attributes: ResolvedAttributes | None = None,
) -> Select[Any]:
    """READY → DUE from `scheduled_at` on (or → UNRESOLVED, if its time resolved something to nothing).

    Guarded by the version that the run saw, so that a mark can't overtake a move; answers where the row stands then.
    """
    why = why_unresolved(target, attributes)
    clock = func.clock_timestamp()
    marked_at = func.greatest(clock, ScheduledActivity.scheduled_at)
    due_since = func.greatest(ScheduledActivity.scheduled_at, ScheduledActivity.created_at, ScheduledActivity.moved_at)
    marked = {
        "updated_at": ScheduledActivity.updated_at,
        "status": ActivityStatus.DUE,
        "due_at": ScheduledActivity.scheduled_at,
        "marked_at": marked_at,
        "lateness_ms": func.floor(func.extract("epoch", marked_at - due_since) * 1000),
    }
    row = changed(
        tenant_id,
        activity_id,
        and_(ScheduledActivity.status == ActivityStatus.READY, ScheduledActivity.version == version),
        {"status": ActivityStatus.UNRESOLVED, "why": why} if why else marked,
    )
    key = f"wake-up:{version}"
    if why:
        failed = Event(
            EventType.RESOLUTION_FAILED, key, ActivityStatus.UNRESOLVED, ActivityStatus.READY, **_because(why)
        )
        event = with_event(row, failed)
    else:
        due = Event(EventType.DUE, "due", ActivityStatus.DUE, ActivityStatus.READY)
        event = with_event(row, due, occurred_at=row.c.marked_at)
    stands = select(row.c.status, row.c.version, row.c.scheduled_at, row.c.why, row.c.lateness_ms)
    return stands.add_cte(event, *resolved_parts(row, target, attributes, key))


def _because(why: str | None) -> dict[str, Any]:
    return {"error_code": "resolution_failed", "error_message": why} if why else {}


_MARK_DUE = _mark_due(
    bindparam("mark_tenant", type_=Uuid), bindparam("mark_id", type_=Uuid), bindparam("mark_version", type_=Integer)
)
