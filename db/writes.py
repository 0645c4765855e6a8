"""The statements that write a scheduled activity: each one whole, guarded by the row, and harmless when run again."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    SmallInteger,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    column,
    func,
    insert,
    literal,
    null,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from db.models import ActivityAttribute, ResolutionAttempt, ScheduledActivity, StatusEvent, TargetUser
from workflows.payloads import (
    ActivityStatus,
    AttributeStatus,
    EventType,
    MarkDue,
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
    why = faults(target, attributes)
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


def changed(tenant_id: Any, activity_id: Any, guard: ColumnElement[bool], values: dict[str, Any]) -> CTE:
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


def _update_attributes(row: CTE, attributes: ResolvedAttributes) -> CTE:
    found = found_attributes(literal(attribute_rows(attributes.attributes), JSONB))
    return (
        update(ActivityAttribute)
        .where(
            ActivityAttribute.tenant_id == row.c.tenant_id,
            ActivityAttribute.activity_id == row.c.id,
            ActivityAttribute.key == found.c.key,
            ActivityAttribute.status.not_in(FOUND),
        )
        .values(value=found.c.value, **outcome(found))
        .cte("attributes")
    )


def attribute_rows(attributes: tuple[ResolvedAttribute, ...]) -> list[dict[str, Any]]:
    """What `found_attributes` makes a table of."""
    return [{"position": position, **one.model_dump(mode="json")} for position, one in enumerate(attributes)]


def found_attributes(rows: ColumnElement[Any]) -> Any:
    """A table of any length in one parameter, so that the statement's text never changes."""
    return (
        func.jsonb_to_recordset(rows)
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


def outcome(found: Any) -> dict[str, Any]:
    """What became of the search, as columns of the attribute's row."""
    return {
        "status": found.c.status,
        "error_message": found.c.error_message,
        "resolved_at": case((found.c.status.in_([one.value for one in FOUND]), func.now())),
    }


_MARK_DUE = _mark_due(
    bindparam("mark_tenant", type_=Uuid), bindparam("mark_id", type_=Uuid), bindparam("mark_version", type_=Integer)
)
