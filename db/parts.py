"""Writes of an activity's parts: its target user, its attributes, and the explanation of their resolution."""

from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    SmallInteger,
    TableValuedAlias,
    Text,
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

from db.models import ActivityAttribute, ResolutionAttempt, TargetUser
from db.rows import CLOCK, Columns, parts_of
from workflows.messages import ResolvedAttribute, ResolvedAttributes, ResolvedTarget
from workflows.words import AttributeStatus, TargetStatus

_ATTEMPT_COLUMNS = ("tenant_id", "activity_id", "event_key", "explanation", "attempted_at")
FOUND = (AttributeStatus.RESOLVED, AttributeStatus.FALLBACK)


def resolved_parts(
    row: CTE, target: ResolvedTarget | None, attributes: ResolvedAttributes | None, key: str
) -> list[CTE]:
    """Build the writes of what was resolved after the creation; parts that are None stay as they are.

    `row` is the CTE of the written activity, `key` that of the event which the explanation belongs to.
    """
    parts = []
    explanation: Columns = {}
    if target:
        parts.append(_target_update(row, target))
        explanation["target"] = target.explanation
    if attributes:
        parts.append(_attributes_update(row, attributes))
        explanation["attributes"] = attributes.explanation
    if parts:
        parts.append(_attempt_insert(row, key, explanation))
    return parts


def _attempt_insert(row: CTE, key: str, explanation: Columns) -> CTE:
    values = select(row.c.tenant_id, row.c.id, literal(key), literal(explanation, JSONB), CLOCK)
    return insert(ResolutionAttempt).from_select(_ATTEMPT_COLUMNS, values).cte("attempt")


def _target_update(row: CTE, target: ResolvedTarget) -> CTE:
    columns = target.model_dump(include={"commerce_user_id", "status", "strategy", "lock_reason", "error_message"})
    return (
        update(TargetUser)
        .where(
            parts_of(TargetUser, row.c.tenant_id, row.c.id),
            TargetUser.status.in_((TargetStatus.PENDING, TargetStatus.FAILED)),
        )
        .values(**columns, resolved_at=CLOCK if target.status is TargetStatus.RESOLVED else null())
        .cte("target")
    )


def unreachable_target_parts(row: CTE, key: ColumnElement[str]) -> list[CTE]:
    """Build the writes of a claim's judgement, for the rows whose `unreachable` says why: the target has failed.

    The user stays named: a late result of an earlier claim still counts as a contact with them.
    """
    is_unreachable = row.c.unreachable.is_not(None)
    target = (
        update(TargetUser)
        .where(parts_of(TargetUser, row.c.tenant_id, row.c.id), is_unreachable)
        .values(status=TargetStatus.FAILED, error_message=row.c.unreachable, lock_reason=null(), resolved_at=null())
        .cte("target")
    )
    explanation = func.jsonb_build_object(
        "target", func.jsonb_build_object("status", TargetStatus.FAILED.value, "summary", row.c.unreachable)
    )
    values = select(row.c.tenant_id, row.c.id, key, explanation, CLOCK).where(is_unreachable)
    return [target, insert(ResolutionAttempt).from_select(_ATTEMPT_COLUMNS, values).cte("attempt")]


def _attributes_update(row: CTE, attributes: ResolvedAttributes) -> CTE:
    found = attributes_table(literal(attribute_rows(attributes.attributes), JSONB))
    return (
        update(ActivityAttribute)
        .where(
            parts_of(ActivityAttribute, row.c.tenant_id, row.c.id),
            ActivityAttribute.key == found.c.key,
            ActivityAttribute.status.not_in(FOUND),
        )
        .values(value=found.c.value, **outcome_columns(found))
        .cte("attributes")
    )


def attribute_rows(attributes: tuple[ResolvedAttribute, ...]) -> list[Columns]:
    """Return the rows of `attributes_table`."""
    return [{"position": position, **one.model_dump(mode="json")} for position, one in enumerate(attributes)]


def attributes_table(rows: ColumnElement[Any]) -> TableValuedAlias:
    """Build a table from one JSON parameter: its length varies, and the statement's text stays the same."""
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
        )
        .render_derived(name="given", with_types=True)
    )


def outcome_columns(found: TableValuedAlias) -> dict[str, ColumnElement[Any]]:
    """Return the columns of an attribute that the outcome of its resolution sets."""
    return {
        "status": found.c.status,
        "error_message": found.c.error_message,
        "resolved_at": case((found.c.status.in_([one.value for one in FOUND]), CLOCK)),
    }
