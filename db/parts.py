"""Writes of an activity's parts: target user, attributes, and the explanation of their resolution."""

from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    SmallInteger,
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
from workflows.messages import ResolvedAttribute, ResolvedAttributes, ResolvedTarget
from workflows.words import AttributeStatus, TargetStatus

FOUND = (AttributeStatus.RESOLVED, AttributeStatus.FALLBACK)


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
