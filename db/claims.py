"""The statement by which executors take what is due: each activity to one of them, whole, in one go."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Interval,
    Select,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db.leases import IS_TAKEN, expire, locked, trail, written
from db.models import Commerce, CommerceUser, ScheduledActivity, TargetUser
from db.snapshots import ATTRIBUTES, NOW, TARGET_USERS, is_due
from workflows.words import ActivityStatus, ActivityType, Channel, EventType

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
    """Who wants to take what, and for how long: the parameters of `CLAIM` and `SECONDS_TO_NEXT`."""

    tenant_id: UUID
    channels: Sequence[Channel]
    types: Sequence[ActivityType]
    limit: int
    lease: timedelta
    executor: str
    actor: str

    def parameters(self) -> dict[str, Any]:
        """By name; none is a column's, or SQLAlchemy would take it for something to be set."""
        return {f"wanted_{name}": value for name, value in vars(self).items()}


_TENANT: BindParameter[UUID] = bindparam("wanted_tenant_id", type_=ScheduledActivity.tenant_id.type)
_CHANNELS: BindParameter[Any] = bindparam("wanted_channels", type_=ARRAY(Text))
_TYPES: BindParameter[Any] = bindparam("wanted_types", type_=ARRAY(Text))
_LIMIT: BindParameter[int] = bindparam("wanted_limit", type_=Integer)


def _claim() -> Select[Any]:
    first = _first_of_each_pair().cte("first")
    mine = select(first.c.tenant_id, first.c.id).order_by(*_turn(first.c)).limit(_LIMIT).cte("mine")
    values = {
        "status": ActivityStatus.DISPATCHED,
        "executor": bindparam("wanted_executor", type_=Text),
        "lease_token": func.gen_random_uuid(),
        "taken_at": NOW,
        "lease_expires_at": NOW + bindparam("wanted_lease", type_=Interval),
        "attempts": ScheduledActivity.attempts + 1,
    }
    row = written(locked(mine), values, *WHOLE)
    event = trail(row, EventType.DISPATCHED, ActivityStatus.DUE, actor=bindparam("wanted_actor", type_=Text))
    return select(row).add_cte(event).order_by(*_turn(row.c))


def _first_of_each_pair() -> Select[*tuple[Any, ...]]:
    """A subquery that locks can only be asked pair by pair: no estimate, however wrong, makes another plan of it."""
    channels = func.unnest(_CHANNELS).table_valued("word", name="channels").render_derived()
    types = func.unnest(_TYPES).table_valued("word", name="types").render_derived()
    one_range = (
        select(ScheduledActivity.tenant_id, ScheduledActivity.id, ScheduledActivity.score, ScheduledActivity.due_at)
        .where(
            ScheduledActivity.tenant_id == _TENANT,
            type_coerce(ScheduledActivity.channel, Text) == channels.c.word,
            type_coerce(ScheduledActivity.type, Text) == types.c.word,
            is_due(_TENANT),
        )
        .order_by(*_turn(ScheduledActivity))
        .limit(_LIMIT)
        .with_for_update(skip_locked=True)
        .lateral("one_range")
    )
    return select(one_range).select_from(channels.join(types, true()).join(one_range, true()))


def _turn(columns: Any) -> Iterable[ColumnElement[Any]]:
    return columns.score.desc().nulls_last(), columns.due_at, columns.id


def _seconds_to_next() -> Select[Any]:
    these_only = (
        ScheduledActivity.tenant_id == _TENANT,
        type_coerce(ScheduledActivity.channel, Text) == func.any(_CHANNELS),
        type_coerce(ScheduledActivity.type, Text) == func.any(_TYPES),
    )
    ahead = select(func.min(ScheduledActivity.due_at)).where(
        *these_only, ScheduledActivity.status == ActivityStatus.DUE, ScheduledActivity.due_at > NOW
    )
    leased = select(func.min(ScheduledActivity.lease_expires_at)).where(*these_only, IS_TAKEN)
    held_by_a_claim = select(func.clock_timestamp()).where(exists().where(*these_only, is_due(_TENANT)))
    moments = (ahead.scalar_subquery(), leased.scalar_subquery(), held_by_a_claim.scalar_subquery())
    return select(func.extract("epoch", func.least(*moments) - func.clock_timestamp()))


CLAIM = _claim()
"""Take what is due, highest score first, then longest due; answers whole activities with their new leases.

One ordered index range for each pair of channel and type, read no further than the limit: a backlog that somebody else
works on costs nothing. Rows that another claim holds at this moment are passed over. Built once, for building costs
more than PostgreSQL does.
"""

EXPIRE = expire(ScheduledActivity.tenant_id == _TENANT)
"""Before a claim: what has run out is free again."""

SECONDS_TO_NEXT = _seconds_to_next()
"""How soon a mark made ahead comes true, or a lease runs out: of these moments nobody sends word."""
