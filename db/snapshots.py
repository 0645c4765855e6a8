"""Whole scheduled activities as their tenant sees them, and the only definition of what counts as due."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    ScalarSelect,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from db import models
from db.leases import EXHAUSTED, EXPIRED_STATUS, HAS_EXPIRED_LEASE, IS_LAST_LEASE, IS_LEASED
from db.models import ScheduledActivity, StatusEvent, TenantPause
from db.rows import NOW, Columns, Key, Rows, address, parts_of
from workflows.messages import Attribute, Label, ResolvedAttribute, ResolvedTarget, Snapshot, Standing, TargetUser
from workflows.words import ActivityStatus, AttributeStatus, EventType, Pending, TargetStatus, TargetStrategy


def paused_at(tenant_id: Key) -> ScalarSelect[datetime]:
    """Select the time since which the tenant is paused, or null. For a named tenant it is read once in a statement."""
    return (
        select(TenantPause.paused_at)
        .where(TenantPause.tenant_id == tenant_id)
        .correlate(ScheduledActivity, StatusEvent)
        .scalar_subquery()
    )


def is_marked_ahead(paused: ScalarSelect[datetime] | datetime | None) -> ColumnElement[bool]:
    """Match marks that are not visible yet: their time is to come, or came after the tenant was `paused`.

    Such a row is stored as DUE and counts as READY. `marked_at` is never before `due_at`, so these rows are one range
    of its index.
    """
    visible_until = NOW if paused is None else func.least(NOW, paused)
    return and_(ScheduledActivity.status == ActivityStatus.DUE, ScheduledActivity.marked_at > visible_until)


IS_MARKED_AHEAD = is_marked_ahead(paused_at(ScheduledActivity.tenant_id))

HELD_SINCE = case((and_(IS_MARKED_AHEAD, ScheduledActivity.marked_at <= NOW), ScheduledActivity.marked_at))
"""The time at which it would have become DUE if its tenant were not paused; null for every other activity."""

EVENT_IS_VISIBLE = or_(
    StatusEvent.event_type != EventType.DUE,
    StatusEvent.occurred_at <= func.least(NOW, paused_at(StatusEvent.tenant_id)),
)
"""Leaves out the event of a mark that is not visible yet. It is the last one: the others come before it."""

MARKED_STATUS = case((IS_MARKED_AHEAD, ActivityStatus.READY), else_=ScheduledActivity.status)
"""The effective status where the transaction has expired the lease: one that ends after that is not expired yet."""

EFFECTIVE_STATUS = case((HAS_EXPIRED_LEASE, EXPIRED_STATUS), else_=MARKED_STATUS)
"""The status that counts: every read, filter, claim and guard uses it."""


def effective_status(paused: datetime | None) -> ColumnElement[str]:
    """Return `EFFECTIVE_STATUS` for a tenant whose pause is known, as an expression."""
    return case(
        (HAS_EXPIRED_LEASE, EXPIRED_STATUS),
        (is_marked_ahead(paused), ActivityStatus.READY.value),
        else_=ScheduledActivity.status,
    )


def status_ranges(status: ActivityStatus, paused: datetime | None) -> tuple[ColumnElement[bool], ...]:
    """Return the rows with this effective status, as disjoint ranges of indices that begin with the stored one."""
    stored = ScheduledActivity.status == status
    match status:
        case ActivityStatus.READY:
            return stored, is_marked_ahead(paused)
        case ActivityStatus.DUE:
            return and_(stored, not_(is_marked_ahead(paused))), and_(HAS_EXPIRED_LEASE, not_(IS_LAST_LEASE))
        case ActivityStatus.FAILED:
            return stored, and_(HAS_EXPIRED_LEASE, IS_LAST_LEASE)
        case ActivityStatus.DISPATCHED:
            return (IS_LEASED,)
        case _:
            return (stored,)


def is_due(tenant_id: Key) -> ColumnElement[bool]:
    """Match activities that an executor may take, as one range of an index. In a pause it matches none."""
    return and_(
        ScheduledActivity.status == ActivityStatus.DUE,
        ScheduledActivity.due_at <= NOW,
        paused_at(tenant_id).is_(None),
    )


TARGET_USERS: ScalarSelect[Any] = (
    select(func.jsonb_agg(func.to_jsonb(literal_column("target_users"))))
    .select_from(models.TargetUser)
    .where(parts_of(models.TargetUser, ScheduledActivity.tenant_id, ScheduledActivity.id))
    .correlate(ScheduledActivity)
    .scalar_subquery()
)


def attributes_as_jsonb(table: str) -> ColumnElement[Any]:
    """Return the rows of attributes called `table`, joined with their keys, as one array in their order."""
    return literal_column(
        f"jsonb_agg(to_jsonb({table}) || jsonb_build_object('attribute_key_id', attribute_keys.id)"
        f" ORDER BY {table}.position)"
    )


ATTRIBUTES: ScalarSelect[Any] = (
    select(attributes_as_jsonb("activity_attributes"))
    .select_from(models.ActivityAttribute)
    .join(
        models.AttributeKey,
        and_(
            models.AttributeKey.tenant_id == models.ActivityAttribute.tenant_id,
            models.AttributeKey.key == models.ActivityAttribute.key,
        ),
    )
    .where(parts_of(models.ActivityAttribute, ScheduledActivity.tenant_id, ScheduledActivity.id))
    .correlate(ScheduledActivity)
    .scalar_subquery()
)

SNAPSHOTS: Rows = select(
    ScheduledActivity,
    EFFECTIVE_STATUS.label("effective_status"),
    HELD_SINCE.label("held_since"),
    TARGET_USERS.label("target_users"),
    ATTRIBUTES.label("attributes"),
)
"""Whole scheduled activities, a row each, for `build_snapshot`; add a WHERE that names the tenant."""

_SNAPSHOT_STATEMENT = SNAPSHOTS.where(address(bindparam("wanted_tenant"), bindparam("wanted_id")))
_SNAPSHOT_OF_KEY_STATEMENT = SNAPSHOTS.where(
    ScheduledActivity.tenant_id == bindparam("wanted_tenant"),
    ScheduledActivity.idempotency_key == bindparam("wanted_key"),
)


async def read_snapshot(connection: AsyncConnection, tenant_id: UUID, activity_id: UUID) -> Snapshot | None:
    """Read an activity, or None if the tenant has no row of it."""
    wanted = {"wanted_tenant": tenant_id, "wanted_id": activity_id}
    row = (await connection.execute(_SNAPSHOT_STATEMENT, wanted)).mappings().one_or_none()
    return build_snapshot(row) if row else None


async def read_snapshot_of_key(connection: AsyncConnection, tenant_id: UUID, key: str) -> Snapshot | None:
    """Read the activity that has this idempotency key, or None if the tenant has no row with it."""
    wanted = {"wanted_tenant": tenant_id, "wanted_key": key}
    row = (await connection.execute(_SNAPSHOT_OF_KEY_STATEMENT, wanted)).mappings().one_or_none()
    return build_snapshot(row) if row else None


def build_snapshot(row: RowMapping) -> Snapshot:
    """Build a snapshot from a row of `SNAPSHOTS`.

    A mark that is not visible yet is left out, and a lease that has ended shows as if its end were written.
    """
    status = row["effective_status"]
    ahead = status == ActivityStatus.READY and row["status"] == ActivityStatus.DUE
    expired_at = row["lease_expires_at"] if row["status"] == ActivityStatus.DISPATCHED != status else None
    marked_at = None if ahead else row["marked_at"]
    written_at = (row["updated_at"], marked_at, expired_at)
    targets = tuple(_build_target(target, marked_at) for target in row["target_users"] or ())
    attributes = tuple(Attribute.model_validate(attribute) for attribute in row["attributes"] or ())
    user_status = row["user_status_code"]
    return Snapshot.model_validate(
        dict(row)
        | {
            "reason": Label(code=row["reason_code"], label=row["reason_label"]),
            "user_status": user_status and Label(code=user_status, label=row["user_status_label"]),
            "status": status,
            "why": EXHAUSTED if expired_at and status == ActivityStatus.FAILED else row["why"],
            "version": row["version"] - ahead,
            "target_users": targets,
            "attributes": attributes,
            "marked_at": marked_at,
            "lateness_ms": None if ahead else row["lateness_ms"],
            "updated_at": max(filter(None, written_at)),
            "standing": Standing(
                status=row["status"],
                version=row["version"],
                scheduled_at=row["scheduled_at"],
                pending=tuple(pending_parts(targets, attributes)),
                why=row["why"],
            ),
        }
    )


def _build_target(target: Columns, marked_at: datetime | None) -> TargetUser:
    """Build a target user. A resolved one is LOCKED from the mark on: that is derived from the mark, and not stored."""
    if marked_at and target["status"] == TargetStatus.RESOLVED:
        target |= {"status": TargetStatus.LOCKED, "locked_at": marked_at}
    return TargetUser.model_validate(target)


def pending_parts(
    targets: Iterable[TargetUser | ResolvedTarget], attributes: Iterable[Attribute | ResolvedAttribute]
) -> Iterator[Pending]:
    """Yield the parts that are still to be resolved: left for the activity's time, or failed."""
    for target in targets:
        if target.status in {TargetStatus.PENDING, TargetStatus.FAILED}:
            yield Pending.MANUAL_TARGET if target.strategy is TargetStrategy.MANUAL else Pending.TARGET
    if any(attribute.status in {AttributeStatus.PENDING, AttributeStatus.FAILED} for attribute in attributes):
        yield Pending.ATTRIBUTES
