"""The statement by which executors take what is due: each activity to one of them, whole, in one go."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    exists,
    func,
    literal,
    literal_column,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db.leases import IS_TAKEN, locked, trail, written
from db.models import Commerce, CommerceUser, ScheduledActivity, TargetUser
from db.queries import ATTRIBUTES, NOW, TARGET_USERS, is_due
from workflows.payloads import ActivityStatus, ActivityType, Channel, EventType

_people = (
    select(
        func.jsonb_agg(
            func.jsonb_build_object("id", CommerceUser.id, "name", CommerceUser.name, "contacts", CommerceUser.contacts)
        )
    )
    .join_from(
        TargetUser,
        CommerceUser,
        and_(CommerceUser.tenant_id == TargetUser.tenant_id, CommerceUser.id == TargetUser.commerce_user_id),
    )
    .where(TargetUser.tenant_id == ScheduledActivity.tenant_id, TargetUser.activity_id == ScheduledActivity.id)
    .correlate(ScheduledActivity)
    .scalar_subquery()
)
_commerce = (
    select(func.jsonb_build_object("externalId", Commerce.external_id, "name", Commerce.name))
    .where(Commerce.tenant_id == ScheduledActivity.tenant_id, Commerce.id == ScheduledActivity.commerce_id)
    .correlate(ScheduledActivity)
    .scalar_subquery()
)
_due_since = func.greatest(ScheduledActivity.due_at, ScheduledActivity.created_at, ScheduledActivity.moved_at)
WHOLE: tuple[ColumnElement[Any], ...] = (
    literal_column("false").label("marked_ahead"),
    literal_column("null").label("held_since"),
    TARGET_USERS.label("target_users"),
    ATTRIBUTES.label("attributes"),
    _people.label("people"),
    _commerce.label("commerce"),
    func.extract("epoch", NOW - _due_since).label("claimed_late_seconds"),
)


@dataclass(frozen=True)
class Claim:
    """Who wants to take what, and for how long."""

    tenant_id: UUID
    channels: Sequence[Channel]
    types: Sequence[ActivityType]
    limit: int
    lease: timedelta
    executor: str
    actor: str


def claim(wanted: Claim) -> Select[Any]:
    """Take what is due, highest score first, then longest due; answers whole activities with their new leases.

    One ordered index range for each pair of channel and type, read no further than the limit: a backlog that somebody
    else works on costs nothing. Rows that another claim holds at this moment are passed over.
    """
    first = _first_of_each_pair(wanted).cte("first")
    mine = select(first.c.tenant_id, first.c.id).order_by(*_turn(first.c)).limit(wanted.limit).cte("mine")
    values = {
        "status": ActivityStatus.DISPATCHED,
        "executor": wanted.executor,
        "lease_token": func.gen_random_uuid(),
        "taken_at": NOW,
        "lease_expires_at": NOW + wanted.lease,
        "attempts": ScheduledActivity.attempts + 1,
    }
    row = written(locked(mine), values, *WHOLE)
    event = trail(row, EventType.DISPATCHED, ActivityStatus.DUE, actor=wanted.actor)
    return select(row).add_cte(event).order_by(*_turn(row.c))


def _first_of_each_pair(wanted: Claim) -> Select[*tuple[Any, ...]]:
    """A subquery that locks can only be asked pair by pair: no estimate, however wrong, makes another plan of it."""
    channels, types = _table(wanted.channels, "channels"), _table(wanted.types, "types")
    one_range = (
        select(ScheduledActivity.tenant_id, ScheduledActivity.id, ScheduledActivity.score, ScheduledActivity.due_at)
        .where(
            ScheduledActivity.tenant_id == wanted.tenant_id,
            type_coerce(ScheduledActivity.channel, Text) == channels.c.word,
            type_coerce(ScheduledActivity.type, Text) == types.c.word,
            is_due(wanted.tenant_id),
        )
        .order_by(*_turn(ScheduledActivity))
        .limit(wanted.limit)
        .with_for_update(skip_locked=True)
        .lateral("one_range")
    )
    return select(one_range).select_from(channels.join(types, true()).join(one_range, true()))


def _table(words: Sequence[StrEnum], name: str) -> Any:
    return (
        func.unnest(literal([word.value for word in words], ARRAY(Text)))
        .table_valued("word", name=name)
        .render_derived()
    )


def _turn(columns: Any) -> Iterable[ColumnElement[Any]]:
    return columns.score.desc().nulls_last(), columns.due_at, columns.id


def seconds_to_next(tenant_id: UUID, channels: Sequence[Channel], types: Sequence[ActivityType]) -> Select[Any]:
    """How soon a mark made ahead comes true, or a lease runs out: of these moments nobody sends word."""
    these_only = (
        ScheduledActivity.tenant_id == tenant_id,
        ScheduledActivity.channel.in_(channels),
        ScheduledActivity.type.in_(types),
    )
    ahead = select(func.min(ScheduledActivity.due_at)).where(
        *these_only, ScheduledActivity.status == ActivityStatus.DUE, ScheduledActivity.due_at > NOW
    )
    leased = select(func.min(ScheduledActivity.lease_expires_at)).where(*these_only, IS_TAKEN)
    held_by_a_claim = select(func.clock_timestamp()).where(exists().where(*these_only, is_due(tenant_id)))
    moments = (ahead.scalar_subquery(), leased.scalar_subquery(), held_by_a_claim.scalar_subquery())
    return select(func.extract("epoch", func.least(*moments) - func.clock_timestamp()))
