"""The statement that writes a new scheduled activity with its parts: whole or not at all, and harmless when run again.

It is built once: to build it anew for each creation cost the worker more time than to send it.
"""

from typing import Any

from sqlalchemy import (
    CTE,
    BindParameter,
    Boolean,
    ColumnElement,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    literal_column,
    null,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from db.models import ActivityAttribute, AttributeKey, ResolutionAttempt, ScheduledActivity, StatusEvent, TargetUser
from db.parts import attribute_rows, found_attributes, outcome
from db.snapshots import jsonb_of_attributes
from workflows.messages import Record
from workflows.resolution import why_unresolved
from workflows.words import ActivityStatus, EventType, TargetStatus

_REQUESTED = (
    *("type", "channel", "commerce_id", "idempotency_key"),
    *("scheduled_at", "suggested_execution_time", "score", "assignment_reason"),
)
_RESOLVED = ("reason_code", "reason_label", "user_status_code", "user_status_label", "status", "why")
_ANSWERED = (
    *("tenant_id", "id", *_REQUESTED, *_RESOLVED),
    *("run_id", "version", "created_at", "updated_at"),
)
_ALL: ColumnElement[Any] = literal_column("*")
_OF_TARGET = ("commerce_user_id", "status", "strategy", "lock_reason", "error_message")


def parameters(record: Record, run_id: str) -> dict[str, Any]:
    """What to execute `RECORD` with."""
    scheduled, request, reason = record.scheduled, record.scheduled.request, record.reason
    why = why_unresolved(record.target, record.attributes)
    row = {
        **{name: getattr(request, name) for name in _REQUESTED},
        "tenant_id": scheduled.tenant_id,
        "id": scheduled.id,
        "reason_code": reason.reason.code,
        "reason_label": reason.reason.label,
        "user_status_code": reason.user_status and reason.user_status.code,
        "user_status_label": reason.user_status and reason.user_status.label,
        "status": ActivityStatus.UNRESOLVED if why else ActivityStatus.READY,
        "why": why,
        "request": request.model_dump(mode="json"),
        "run_id": run_id,
    }
    return {
        **{f"new_{name}": value for name, value in row.items()},
        **{f"target_{name}": getattr(record.target, name) for name in _OF_TARGET},
        "target_found": record.target.status is TargetStatus.RESOLVED,
        "attributes": attribute_rows(record.attributes.attributes),
        "actor": scheduled.actor,
        "error_code": "resolution_failed" if why else None,
        "explanation": {
            "reason": reason.explanation,
            "target": record.target.explanation,
            "attributes": record.attributes.explanation,
        },
    }


def _given(prefix: str, table: Table, *names: str) -> dict[str, BindParameter[Any]]:
    """A parameter for each of a table's columns, of its type."""
    return {name: bindparam(f"{prefix}{name}", type_=table.c[name].type) for name in names}


def _record() -> Select[Any]:
    """Insert the row, its parts and its first event, unless its key is taken already; answers what it has written."""
    written = ScheduledActivity.metadata.tables["scheduled_activities"].c
    columns = ("tenant_id", "id", *_REQUESTED, *_RESOLVED, "request", "run_id")
    row = (
        upsert(ScheduledActivity)
        .values(_given("new_", ScheduledActivity.metadata.tables["scheduled_activities"], *columns))
        .on_conflict_do_nothing()
        .returning(*(written[name] for name in _ANSWERED))
        .cte("w")
    )
    target, attributes = _target(row), _attributes(row)
    keys = attributes.join(
        AttributeKey,
        and_(
            AttributeKey.tenant_id == literal_column("found.tenant_id"), AttributeKey.key == literal_column("found.key")
        ),
    )
    return select(
        *row.c,
        literal(False).label("marked_ahead"),  # noqa: FBT003 - a column's value
        *(null().label(name) for name in ("marked_at", "held_since", "lateness_ms")),
        select(func.jsonb_agg(func.to_jsonb(literal_column("target"))))
        .select_from(target)
        .scalar_subquery()
        .label("target_users"),
        select(jsonb_of_attributes("found")).select_from(keys).scalar_subquery().label("attributes"),
    ).add_cte(_event(row), _attempt(row))


def _of(row: CTE) -> dict[str, Any]:
    return {"tenant_id": row.c.tenant_id, "activity_id": row.c.id}


def _target(row: CTE) -> CTE:
    values = _of(row) | _given("target_", TargetUser.metadata.tables["target_users"], *_OF_TARGET)
    values["resolved_at"] = case((bindparam("target_found", type_=Boolean), func.now()))
    return insert(TargetUser).from_select(list(values), select(*values.values())).returning(_ALL).cte("target")


def _attributes(row: CTE) -> CTE:
    found = found_attributes(bindparam("attributes", type_=JSONB))
    copied = ("key", "position", "value", "fallback", "resolver_type")
    values = _of(row) | {name: found.c[name] for name in copied} | outcome(found)
    rows = select(*values.values()).select_from(row.join(found, true()))
    return insert(ActivityAttribute).from_select(list(values), rows).returning(_ALL).cte("found")


def _event(row: CTE) -> CTE:
    values = _of(row) | {
        "event_key": literal("created", Text),
        "event_type": literal(EventType.CREATED.value, Text),
        "to_status": row.c.status,
        "error_code": bindparam("error_code", type_=Text),
        "error_message": row.c.why,
        "actor": bindparam("actor", type_=Text),
        "occurred_at": func.clock_timestamp(),
    }
    return insert(StatusEvent).from_select(list(values), select(*values.values())).cte("event")


def _attempt(row: CTE) -> CTE:
    values = _of(row) | {
        "event_key": literal("created", Text),
        "explanation": bindparam("explanation", type_=JSONB),
    }
    return insert(ResolutionAttempt).from_select(list(values), select(*values.values())).cte("attempt")


RECORD = _record()
"""To be executed with `parameters`; answers a row as `SNAPSHOTS` does, or none where the key was taken."""
