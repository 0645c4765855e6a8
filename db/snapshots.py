"""The statements that several parts share, as values; what counts as due is said here, and only here."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    and_,
    case,
    func,
    literal_column,
    not_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from db import models
from db.models import ScheduledActivity, StatusEvent, TenantPause
from workflows.messages import Attribute, Label, ResolvedAttribute, ResolvedTarget, Snapshot, Standing, TargetUser
from workflows.words import ActivityStatus, AttributeStatus, EventType, Pending, TargetStatus, TargetStrategy

NOW = func.statement_timestamp()
"""The database's clock: the only one that decides what is due."""


def paused_at(tenant_id: UUID | BindParameter[UUID] | InstrumentedAttribute[UUID]) -> ScalarSelect[datetime]:
    """Since when the tenant is paused, null if it isn't: looked up once a statement for a tenant that is named."""
    return (
        select(TenantPause.paused_at)
        .where(TenantPause.tenant_id == tenant_id)
        .correlate(ScheduledActivity, StatusEvent)
        .scalar_subquery()
    )


def marked_ahead(paused: ScalarSelect[datetime] | datetime | None) -> ColumnElement[bool]:
    """Stored as DUE, but its time is still to come, or came since its tenant was `paused`: to everyone it is READY.

    A mark counts from the later of its own moment and `due_at`, so one range of `marked_at` has all that nobody sees.
    """
    unseen_from = NOW if paused is None else func.least(NOW, paused)
    return and_(ScheduledActivity.status == ActivityStatus.DUE, ScheduledActivity.marked_at > unseen_from)


MARKED_AHEAD = marked_ahead(paused_at(ScheduledActivity.tenant_id))

HELD_SINCE = case((and_(MARKED_AHEAD, ScheduledActivity.marked_at <= NOW), ScheduledActivity.marked_at))
"""From when on it would be DUE if its tenant were not paused; null if that isn't what it waits for."""

EVENT_IS_SEEN = and_(
    StatusEvent.occurred_at
    <= case((StatusEvent.event_type == EventType.DUE, func.least(NOW, paused_at(StatusEvent.tenant_id))), else_=NOW),
    StatusEvent.event_type != EventType.CHANGE_REFUSED,
)
"""The event of a mark that nobody can see yet isn't told, nor a refusal: its caller was told, and nothing happened."""

EFFECTIVE_STATUS = case((MARKED_AHEAD, ActivityStatus.READY), else_=ScheduledActivity.status)
"""The status that counts: every read, filter, claim and guard uses it."""


def having(status: ActivityStatus, paused: datetime | None) -> tuple[ColumnElement[bool], ...]:
    """The rows whose effective status this is, as disjoint ranges of indices that begin with the stored one."""
    stored = ScheduledActivity.status == status
    match status:
        case ActivityStatus.READY:
            return stored, marked_ahead(paused)
        case ActivityStatus.DUE:
            return (and_(stored, not_(marked_ahead(paused))),)
        case _:
            return (stored,)


def is_due(tenant_id: UUID | BindParameter[UUID] | InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """What an executor may take, said so that an index finds it; of a paused tenant nothing, even if it is DUE."""
    return and_(
        ScheduledActivity.status == ActivityStatus.DUE,
        ScheduledActivity.due_at <= NOW,
        paused_at(tenant_id).is_(None),
    )


TARGET_USERS: ScalarSelect[Any] = (
    select(func.jsonb_agg(func.to_jsonb(literal_column("target_users"))))
    .select_from(models.TargetUser)
    .where(
        models.TargetUser.tenant_id == ScheduledActivity.tenant_id,
        models.TargetUser.activity_id == ScheduledActivity.id,
    )
    .correlate(ScheduledActivity)
    .scalar_subquery()
)


def jsonb_of_attributes(table: str) -> ColumnElement[Any]:
    """Rows of that name, joined with their keys, as one array in their order."""
    return literal_column(
        f"jsonb_agg(to_jsonb({table}) || jsonb_build_object('attribute_key_id', attribute_keys.id)"
        f" ORDER BY {table}.position)"
    )


ATTRIBUTES: ScalarSelect[Any] = (
    select(jsonb_of_attributes("activity_attributes"))
    .select_from(models.ActivityAttribute)
    .join(
        models.AttributeKey,
        and_(
            models.AttributeKey.tenant_id == models.ActivityAttribute.tenant_id,
            models.AttributeKey.key == models.ActivityAttribute.key,
        ),
    )
    .where(
        models.ActivityAttribute.tenant_id == ScheduledActivity.tenant_id,
        models.ActivityAttribute.activity_id == ScheduledActivity.id,
    )
    .correlate(ScheduledActivity)
    .scalar_subquery()
)

SNAPSHOTS: Select[Any] = select(
    ScheduledActivity,
    MARKED_AHEAD.label("marked_ahead"),
    HELD_SINCE.label("held_since"),
    TARGET_USERS.label("target_users"),
    ATTRIBUTES.label("attributes"),
)
"""Whole scheduled activities, a row each, for `snapshot`; add a WHERE that names the tenant."""


def snapshot(row: Row[Any]) -> Snapshot:
    """One row of `SNAPSHOTS` as its tenant sees it."""
    fields = dict(row._mapping)  # noqa: SLF001 - its public name, says SQLAlchemy
    ahead = fields["marked_ahead"]
    marked_at = None if ahead else row.marked_at
    targets = tuple(_target(target, marked_at) for target in row.target_users or ())
    attributes = tuple(Attribute.model_validate(attribute) for attribute in row.attributes or ())
    return Snapshot.model_validate(
        fields
        | {
            "reason": Label(code=row.reason_code, label=row.reason_label),
            "user_status": row.user_status_code and Label(code=row.user_status_code, label=row.user_status_label),
            "status": ActivityStatus.READY if ahead else row.status,
            "version": row.version - ahead,
            "target_users": targets,
            "attributes": attributes,
            "marked_at": marked_at,
            "lateness_ms": None if ahead else row.lateness_ms,
            "updated_at": max(row.updated_at, marked_at or row.updated_at),
            "standing": Standing(
                status=row.status,
                version=row.version,
                scheduled_at=row.scheduled_at,
                pending=tuple(pending(targets, attributes)),
                why=row.why,
            ),
        }
    )


def _target(target: dict[str, Any], marked_at: datetime | None) -> TargetUser:
    """A found target is LOCKED from the moment the activity is due on: told by the mark, stored nowhere else."""
    if marked_at and target["status"] == TargetStatus.RESOLVED:
        target |= {"status": TargetStatus.LOCKED, "locked_at": marked_at}
    return TargetUser.model_validate(target)


def pending(
    targets: Iterable[TargetUser | ResolvedTarget], attributes: Iterable[Attribute | ResolvedAttribute]
) -> Iterator[Pending]:
    """What is left to resolve at its time, or failed and can be tried again."""
    for target in targets:
        if target.status in {TargetStatus.PENDING, TargetStatus.FAILED}:
            yield Pending.MANUAL_TARGET if target.strategy is TargetStrategy.MANUAL else Pending.TARGET
    if any(attribute.status in {AttributeStatus.PENDING, AttributeStatus.FAILED} for attribute in attributes):
        yield Pending.ATTRIBUTES
