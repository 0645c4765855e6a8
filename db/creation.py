"""The statement that writes a new scheduled activity with its parts: all of it or nothing, and safe to repeat.

It is built once: building it for each creation took the worker more time than sending it.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    BindParameter,
    Boolean,
    ColumnElement,
    Table,
    Text,
    and_,
    bindparam,
    case,
    column,
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

from db.models import ActivityAttribute, AttributeKey, ResolutionAttempt, ScheduledActivity, TargetUser
from db.parts import attribute_rows, attributes_table, outcome_columns
from db.rows import CLOCK, CREATED_KEY, Columns, Event, Rows, event_insert
from db.snapshots import attributes_as_jsonb
from workflows.messages import Record, RejectedError, Rejection, ScheduledActivityInput
from workflows.resolution import why_unresolved
from workflows.words import ActivityStatus, EventType, TargetStatus

_REQUESTED_COLUMNS = (
    *("type", "channel", "commerce_id", "idempotency_key"),
    *("scheduled_at", "suggested_execution_time", "score", "assignment_reason"),
)
_RESOLVED_COLUMNS = ("reason_code", "reason_label", "user_status_code", "user_status_label", "status", "why")
_RETURNED_COLUMNS = (
    *("tenant_id", "id", *_REQUESTED_COLUMNS, *_RESOLVED_COLUMNS),
    *("run_id", "version", "created_at", "updated_at"),
)
_ALL_COLUMNS: ColumnElement[Any] = literal_column("*")
_TARGET_COLUMNS = ("commerce_user_id", "status", "strategy", "lock_reason", "error_message")


IDEMPOTENCY_KEY_EXISTS = "idempotency_key_exists"


def key_exists_error(scheduled: ScheduledActivityInput, activity_id: UUID) -> RejectedError:
    """Return the rejection of an activity whose key belongs to another."""
    return RejectedError(
        Rejection(
            code=IDEMPOTENCY_KEY_EXISTS,
            detail=f"The idempotency key {scheduled.request.idempotency_key!r} belongs to activity {activity_id}.",
            activity_id=activity_id,
        )
    )


def commerce_missing_error(scheduled: ScheduledActivityInput) -> RejectedError:
    """Return the rejection of an activity whose commerce is unknown or inactive."""
    detail = f"This tenant has no active commerce {scheduled.request.commerce_id}."
    return RejectedError(Rejection(code="commerce_not_found", detail=detail))


def parameters(record: Record, run_id: str) -> Columns:
    """Return the parameters of `RECORD_STATEMENT`."""
    scheduled, request, reason = record.scheduled, record.scheduled.request, record.reason
    why = why_unresolved(record.target, record.attributes)
    row = {
        **{name: getattr(request, name) for name in _REQUESTED_COLUMNS},
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
        "payload_key_id": scheduled.payload_key_id,
        "traceparent": scheduled.traceparent,
    }
    return {
        **{f"new_{name}": value for name, value in row.items()},
        **{f"target_{name}": getattr(record.target, name) for name in _TARGET_COLUMNS},
        "target_found": record.target.status is TargetStatus.RESOLVED,
        "attributes": attribute_rows(record.attributes.attributes),
        "actor": scheduled.actor,
        "request_id": scheduled.request_id,
        "error_code": "resolution_failed" if why else None,
        "explanation": {
            "reason": reason.explanation,
            "target": record.target.explanation,
            "attributes": record.attributes.explanation,
        },
    }


def _column_parameters(prefix: str, table: Table, *names: str) -> dict[str, BindParameter[Any]]:
    """Return a parameter of the right type for each of these columns of the table."""
    return {name: bindparam(f"{prefix}{name}", type_=table.c[name].type) for name in names}


def _record_statement() -> Rows:
    """Build the INSERT of the row, its parts and its first event, unless its key is in use; returns the row."""
    written = ScheduledActivity.metadata.tables["scheduled_activities"].c
    columns = (
        "tenant_id",
        "id",
        *_REQUESTED_COLUMNS,
        *_RESOLVED_COLUMNS,
        "request",
        "run_id",
        "payload_key_id",
        "traceparent",
    )
    row = (
        upsert(ScheduledActivity)
        .values(_column_parameters("new_", ScheduledActivity.metadata.tables["scheduled_activities"], *columns))
        .on_conflict_do_nothing()
        # Without the table's name before each: psycopg would parse a longer statement anew at each creation.
        .returning(*(column(name, written[name].type) for name in _RETURNED_COLUMNS))
        .cte("w")
    )
    target, attributes = _target_insert(row), _attributes_insert(row)
    keys = attributes.join(
        AttributeKey,
        and_(
            AttributeKey.tenant_id == literal_column("found.tenant_id"), AttributeKey.key == literal_column("found.key")
        ),
    )
    return select(
        *row.c,
        row.c.status.label("effective_status"),
        *(null().label(name) for name in ("marked_at", "held_since", "lateness_ms")),
        select(func.jsonb_agg(func.to_jsonb(literal_column("target"))))
        .select_from(target)
        .scalar_subquery()
        .label("target_users"),
        select(attributes_as_jsonb("found")).select_from(keys).scalar_subquery().label("attributes"),
    ).add_cte(event_insert(row, _CREATED), _attempt_insert(row))


def _address_columns(row: CTE) -> dict[str, ColumnElement[Any]]:
    return {"tenant_id": row.c.tenant_id, "activity_id": row.c.id}


def _target_insert(row: CTE) -> CTE:
    values = _address_columns(row) | _column_parameters(
        "target_", TargetUser.metadata.tables["target_users"], *_TARGET_COLUMNS
    )
    values["resolved_at"] = case((bindparam("target_found", type_=Boolean), CLOCK))
    return insert(TargetUser).from_select(list(values), select(*values.values())).returning(_ALL_COLUMNS).cte("target")


def _attributes_insert(row: CTE) -> CTE:
    found = attributes_table(bindparam("attributes", type_=JSONB))
    copied = ("key", "position", "value", "fallback", "resolver_type")
    values = _address_columns(row) | {name: found.c[name] for name in copied} | outcome_columns(found)
    rows = select(*values.values()).select_from(row.join(found, true()))
    return insert(ActivityAttribute).from_select(list(values), rows).returning(_ALL_COLUMNS).cte("found")


def _attempt_insert(row: CTE) -> CTE:
    values = _address_columns(row) | {
        "event_key": literal(CREATED_KEY, Text),
        "explanation": bindparam("explanation", type_=JSONB),
    }
    return insert(ResolutionAttempt).from_select(list(values), select(*values.values())).cte("attempt")


_CREATED = Event(
    EventType.CREATED,
    CREATED_KEY,
    actor=bindparam("actor", type_=Text),
    request_id=bindparam("request_id", type_=Text),
    error_code=bindparam("error_code", type_=Text),
    error_message=bindparam("new_why", type_=Text),
)

RECORD_STATEMENT = _record_statement()
"""Executed with `parameters`. It returns a row as `SNAPSHOTS` does, or none where the key was in use."""
