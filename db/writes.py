"""The statements that write a scheduled activity: each one whole, guarded by the row, and harmless when run again."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    SmallInteger,
    Text,
    and_,
    case,
    column,
    func,
    insert,
    literal,
    null,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from db.models import ActivityAttribute, ResolutionAttempt, ScheduledActivity, StatusEvent, TargetUser
from workflows.payloads import (
    ActivityStatus,
    AttributeStatus,
    EventType,
    MarkDue,
    Record,
    ResolvedAttribute,
    ResolvedAttributes,
    ResolvedTarget,
    TargetStatus,
)

FOUND = (AttributeStatus.RESOLVED, AttributeStatus.FALLBACK)


def faults(target: ResolvedTarget | None, attributes: ResolvedAttributes | None) -> str | None:
    """Why it can't be READY, in words, or None if it can."""
    failed = [
        f"attribute {one.key}: {one.error_message}"
        for one in (attributes.attributes if attributes else ())
        if one.status is AttributeStatus.FAILED
    ]
    if target and target.status is TargetStatus.FAILED:
        failed.insert(0, f"target user: {target.error_message}")
    return "; ".join(failed) or None


def record_scheduled_activity(record: Record, run_id: str) -> Select[Any]:
    """Insert the row, its parts and its first event, unless its key is taken already; answers the id if it did."""
    scheduled, request = record.scheduled, record.scheduled.request
    why = faults(record.target, record.attributes)
    status = ActivityStatus.UNRESOLVED if why else ActivityStatus.READY
    user_status = record.reason.user_status
    row = (
        upsert(ScheduledActivity)
        .values(
            tenant_id=scheduled.tenant_id,
            id=scheduled.id,
            idempotency_key=request.idempotency_key,
            type=request.type,
            channel=request.channel,
            commerce_id=request.commerce_id,
            reason_code=record.reason.reason.code,
            reason_label=record.reason.reason.label,
            user_status_code=user_status and user_status.code,
            user_status_label=user_status and user_status.label,
            status=status,
            scheduled_at=request.scheduled_at,
            suggested_execution_time=request.suggested_execution_time,
            score=request.score,
            assignment_reason=request.assignment_reason,
            request=request.model_dump(mode="json"),
            why=why,
            run_id=run_id,
        )
        .on_conflict_do_nothing(index_elements=["tenant_id", "idempotency_key"])
        .returning(ScheduledActivity.tenant_id, ScheduledActivity.id, ScheduledActivity.created_at)
        .cte("written")
    )
    explanation = {
        "reason": record.reason.explanation,
        "target": record.target.explanation,
        "attributes": record.attributes.explanation,
    }
    return select(row.c.id).add_cte(
        _insert_target(row, record.target),
        _insert_attributes(row, record.attributes),
        with_event(row, Event(EventType.CREATED, "created", status, actor=scheduled.actor, **_because(why))),
        _attempt(row, "created", explanation),
    )


def mark_due(mark: MarkDue) -> Select[Any]:
    """READY → DUE from `scheduled_at` on (or → UNRESOLVED, if its time resolved something to nothing).

    Guarded by the version that the run saw, so that a mark can't overtake a move; answers the version it wrote.
    """
    why = faults(mark.target, mark.attributes)
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
        mark.tenant_id,
        mark.id,
        and_(ScheduledActivity.status == ActivityStatus.READY, ScheduledActivity.version == mark.version),
        {"status": ActivityStatus.UNRESOLVED, "why": why} if why else marked,
    )
    key = f"wake-up:{mark.version}"
    if why:
        failed = Event(
            EventType.RESOLUTION_FAILED, key, ActivityStatus.UNRESOLVED, ActivityStatus.READY, **_because(why)
        )
        event = with_event(row, failed)
    else:
        due = Event(EventType.DUE, "due", ActivityStatus.DUE, ActivityStatus.READY)
        event = with_event(row, due, occurred_at=row.c.marked_at)
    return select(row.c.version).add_cte(event, *resolved_parts(row, mark.target, mark.attributes, key))


def changed(tenant_id: UUID, activity_id: UUID, guard: ColumnElement[bool], values: dict[str, Any]) -> CTE:
    """The row as one guarded UPDATE leaves it; empty if the guard didn't hold. Every change counts the version up."""
    return (
        update(ScheduledActivity)
        .where(ScheduledActivity.tenant_id == tenant_id, ScheduledActivity.id == activity_id, guard)
        .values({"version": ScheduledActivity.version + 1, "updated_at": func.clock_timestamp()} | values)
        .returning(*ScheduledActivity.__table__.columns)
        .cte("written")
    )


def resolved_parts(
    row: CTE, target: ResolvedTarget | None, attributes: ResolvedAttributes | None, key: str
) -> list[CTE]:
    """Write what was resolved after the creation into the parts, and why it came out so; what isn't given stays."""
    parts = []
    explanation: dict[str, Any] = {}
    if target:
        parts.append(_update_target(row, target))
        explanation["target"] = target.explanation
    if attributes:
        parts.append(_update_attributes(row, attributes))
        explanation["attributes"] = attributes.explanation
    if parts:
        parts.append(_attempt(row, key, explanation))
    return parts


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


def _because(why: str | None) -> dict[str, Any]:
    return {"error_code": "resolution_failed", "error_message": why} if why else {}


def _attempt(row: CTE, key: str, explanation: dict[str, Any]) -> CTE:
    values = select(row.c.tenant_id, row.c.id, literal(key), literal(explanation, JSONB))
    columns = ["tenant_id", "activity_id", "event_key", "explanation"]
    return insert(ResolutionAttempt).from_select(columns, values).cte("attempt")


def _insert_target(row: CTE, target: ResolvedTarget) -> CTE:
    values: dict[str, Any] = {"tenant_id": row.c.tenant_id, "activity_id": row.c.id} | {
        name: literal(value, TargetUser.__table__.c[name].type) for name, value in _target_values(target).items()
    }
    values["resolved_at"] = func.now() if target.status is TargetStatus.RESOLVED else null()
    return insert(TargetUser).from_select(list(values), select(*values.values())).cte("target")


def _update_target(row: CTE, target: ResolvedTarget) -> CTE:
    return (
        update(TargetUser)
        .where(
            TargetUser.tenant_id == row.c.tenant_id,
            TargetUser.activity_id == row.c.id,
            TargetUser.status.in_((TargetStatus.PENDING, TargetStatus.FAILED)),
        )
        .values(
            **_target_values(target),
            resolved_at=func.now() if target.status is TargetStatus.RESOLVED else null(),
        )
        .cte("target")
    )


def _target_values(target: ResolvedTarget) -> dict[str, Any]:
    return target.model_dump(include={"commerce_user_id", "status", "strategy", "lock_reason", "error_message"})


def _insert_attributes(row: CTE, attributes: ResolvedAttributes) -> CTE:
    found = _as_rows(attributes.attributes)
    values = {
        "tenant_id": row.c.tenant_id,
        "activity_id": row.c.id,
        **{name: found.c[name] for name in ("key", "position", "value", "fallback", "resolver_type")},
        **_outcome(found),
    }
    rows = select(*values.values()).select_from(row.join(found, true()))
    return insert(ActivityAttribute).from_select(list(values), rows).cte("attributes")


def _update_attributes(row: CTE, attributes: ResolvedAttributes) -> CTE:
    found = _as_rows(attributes.attributes)
    return (
        update(ActivityAttribute)
        .where(
            ActivityAttribute.tenant_id == row.c.tenant_id,
            ActivityAttribute.activity_id == row.c.id,
            ActivityAttribute.key == found.c.key,
            ActivityAttribute.status.not_in(FOUND),
        )
        .values(value=found.c.value, **_outcome(found))
        .cte("attributes")
    )


def _as_rows(attributes: tuple[ResolvedAttribute, ...]) -> Any:
    """A table of any length in one parameter, so that the statement's text never changes."""
    rows = [{"position": position, **one.model_dump(mode="json")} for position, one in enumerate(attributes)]
    return (
        func.jsonb_to_recordset(literal(rows, JSONB))
        .table_valued(
            column("key", Text),
            column("position", SmallInteger),
            column("value", JSONB),
            column("fallback", JSONB),
            column("status", Text),
            column("resolver_type", Text),
            column("error_message", Text),
            name="found",
        )
        .render_derived(with_types=True)
    )


def _outcome(found: Any) -> dict[str, Any]:
    return {
        "status": found.c.status,
        "error_message": found.c.error_message,
        "resolved_at": case((found.c.status.in_([one.value for one in FOUND]), func.now())),
    }
