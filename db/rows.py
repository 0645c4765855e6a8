"""Guarded writes of an activity's row, and the status event of each."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Text,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from db.models import ScheduledActivity, StatusEvent
from workflows.words import ActivityStatus, EventType


def changed(tenant_id: Any, activity_id: Any, guard: ColumnElement[bool], values: dict[str, Any]) -> CTE:
    """The row as one guarded UPDATE leaves it; empty if the guard didn't hold. Every change counts the version up."""
    return (
        update(ScheduledActivity)
        .where(ScheduledActivity.tenant_id == tenant_id, ScheduledActivity.id == activity_id, guard)
        .values({"version": ScheduledActivity.version + 1, "updated_at": func.clock_timestamp()} | values)
        .returning(*ScheduledActivity.__table__.columns)
        .cte("written")
    )


@dataclass(frozen=True)
class Event:
    """A line of the trail; the same `key` is never written twice for one activity."""

    type: EventType
    key: str
    to_status: ActivityStatus
    from_status: ActivityStatus | None = None
    actor: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    details: dict[str, Any] | None = None


def with_event(row: CTE, event: Event, occurred_at: ColumnElement[Any] | None = None) -> CTE:
    """Insert the event of a write, if that has written; it occurs now unless said otherwise."""
    values = {
        "tenant_id": row.c.tenant_id,
        "activity_id": row.c.id,
        "event_key": literal(event.key, Text),
        "event_type": literal(event.type.value, Text),
        "from_status": literal(event.from_status, Text),
        "to_status": literal(event.to_status.value, Text),
        "error_code": literal(event.error_code, Text),
        "error_message": literal(event.error_message, Text),
        "actor": literal(event.actor, Text),
        "details": literal(event.details, JSONB(none_as_null=True)),
        "occurred_at": func.clock_timestamp() if occurred_at is None else occurred_at,
    }
    return insert(StatusEvent).from_select(list(values), select(*values.values())).cte("event")
