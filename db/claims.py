"""The statement by which executors take due activities: each goes whole to one executor, or is UNRESOLVED."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NotRequired, TypedDict
from uuid import UUID

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    FromClause,
    Integer,
    Interval,
    RowMapping,
    ScalarSelect,
    Text,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY

from db.leases import IS_LEASED, expire_leases_statement, hand_off_key, is_last_lease, json_object, lease_details
from db.models import ActivityAttribute, Commerce, CommerceUser, ScheduledActivity, TargetUser
from db.parts import unreachable_target_parts
from db.reachability import why_unreachable
from db.rows import CLOCK, NOW, Columns, Event, Rows, address, event_insert, guarded_update, parts_of
from db.snapshots import ATTRIBUTES, TARGET_USERS, build_snapshot, is_due
from workflows.messages import Snapshot
from workflows.tenant_limits import PAGE_BYTES
from workflows.words import ActivityStatus, ActivityType, Channel, ContactType, EventType

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
    .where(parts_of(TargetUser, ScheduledActivity.tenant_id, ScheduledActivity.id))
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
_WHOLE: tuple[ColumnElement[Any], ...] = (
    ScheduledActivity.status.label("effective_status"),
    literal_column("null").label("held_since"),
    TARGET_USERS.label("target_users"),
    ATTRIBUTES.label("attributes"),
    _people.label("people"),
    _commerce.label("commerce"),
    func.extract("epoch", NOW - _due_since).label("claimed_late_seconds"),
)


@dataclass(frozen=True)
class Claim:
    """The activities that an executor asks for, and for how long: the parameters of this module's statements."""

    tenant_id: UUID
    channels: Sequence[Channel]
    types: Sequence[ActivityType]
    limit: int
    lease: timedelta
    executor: str
    actor: str
    claim_id: UUID | None = None
    request_id: str | None = None

    def parameters(self) -> Columns:
        """Return the parameters by name. None has a column's name, or SQLAlchemy would add it to the SET clause."""
        return {f"wanted_{name}": value for name, value in vars(self).items()}


class Contact(TypedDict):
    """A stored contact of a commerce user."""

    contact_type: ContactType
    value: str
    is_primary: NotRequired[bool]


class Person(TypedDict):
    """The name and the contacts of a commerce user, as `CLAIM_STATEMENT` returns them."""

    id: NotRequired[str]
    name: str | None
    contacts: list[Contact]


@dataclass(frozen=True)
class ClaimedActivity:
    """An activity that an executor has taken, with its lease and what is needed to reach its target."""

    snapshot: Snapshot
    lease_token: UUID
    lease_expires_at: datetime
    attempt: int
    people: tuple[Person, ...]
    commerce: Columns
    claimed_late_seconds: float
    lateness_ms: int
    traceparents: tuple[str | None, str | None]
    """The spans of its creation and of its mark."""


def build_claimed(row: RowMapping) -> ClaimedActivity:
    """Build a claimed activity from a row of `CLAIM_STATEMENT`."""
    return ClaimedActivity(
        snapshot=build_snapshot(row),
        lease_token=row["lease_token"],
        lease_expires_at=row["lease_expires_at"],
        attempt=row["attempts"],
        people=tuple(row["people"] or ()),
        commerce=row["commerce"],
        claimed_late_seconds=float(row["claimed_late_seconds"]),
        lateness_ms=row["lateness_ms"],
        traceparents=(row["traceparent"], row["mark_traceparent"]),
    )


_JUDGED_BY = ("tenant_id", "id", "channel", "score", "due_at", "expired_leases")
_TENANT: BindParameter[UUID] = bindparam("wanted_tenant_id", type_=ScheduledActivity.tenant_id.type)
_CHANNELS = bindparam("wanted_channels", type_=ARRAY(Text))
_TYPES = bindparam("wanted_types", type_=ARRAY(Text))
_LIMIT = bindparam("wanted_limit", type_=Integer)
_EXECUTOR = bindparam("wanted_executor", type_=Text)
_CLAIM_ID: BindParameter[UUID] = bindparam("wanted_claim_id", type_=ScheduledActivity.claim_id.type)


def _claim_statement() -> Rows:
    chosen = _chosen_rows()
    is_claimed = chosen.c.unreachable.is_(None)
    stored = ScheduledActivity.__table__.c
    claimed: dict[str, ColumnElement[Any]] = {
        "executor": _EXECUTOR,
        "claim_id": _CLAIM_ID,
        "lease_token": func.gen_random_uuid(),
        "taken_at": CLOCK,
        "lease_expires_at": CLOCK + bindparam("wanted_lease", type_=Interval),
        "attempts": ScheduledActivity.attempts + 1,
    }
    values = {
        "status": case((is_claimed, ActivityStatus.DISPATCHED.value), else_=ActivityStatus.UNRESOLVED.value),
        "why": literal("target user: ", Text) + chosen.c.unreachable,
        **{name: case((is_claimed, value), else_=stored[name]) for name, value in claimed.items()},
        **{name: case((is_claimed, stored[name])) for name in ("due_at", "marked_at", "lateness_ms")},
    }
    # By the primary key only: with a second guard the planner may choose another index.
    row = guarded_update(address(chosen.c.tenant_id, chosen.c.id), values, chosen.c.unreachable, *_WHOLE)
    is_leased = row.c.unreachable.is_(None)
    event = Event(
        case((is_leased, EventType.DISPATCHED.value), else_=EventType.RESOLUTION_FAILED.value),
        hand_off_key(row),
        from_status=ActivityStatus.DUE,
        actor=case((is_leased, bindparam("wanted_actor", type_=Text))),
        request_id=bindparam("wanted_request_id", type_=Text),
        error_code=case((not_(is_leased), "resolution_failed")),
        error_message=row.c.why,
        details=case((is_leased, json_object(lease_details(row)))),
    )
    parts = (event_insert(row, event), *unreachable_target_parts(row, hand_off_key(row)))
    return select(row).add_cte(*parts).order_by(*_claim_order(row))


def _chosen_rows() -> CTE:
    """Select the rows to write: those to claim, and those whose target user can't be reached.

    A claim ends before the first activity that has its last lease; if that one comes first, it is claimed alone. It
    also ends before the activities' values have more than `PAGE_BYTES`.
    """
    first = _due_rows_of_each_pair().cte("first")
    mine = select(first).order_by(*_claim_order(first)).limit(_LIMIT).cte("mine")
    judged = select(
        mine,
        why_unreachable(mine).label("unreachable"),
        _length_of_values(mine).label("length"),
        is_last_lease(_TENANT, mine.c.expired_leases).label("has_last_lease"),
    ).cte("judged")
    in_order: dict[str, Any] = {
        "partition_by": judged.c.unreachable.is_(None),
        "order_by": list(_claim_order(judged)),
    }
    placed = select(
        judged.c.tenant_id,
        judged.c.id,
        judged.c.unreachable,
        func.row_number().over(**in_order).label("place"),
        func.count().filter(judged.c.has_last_lease).over(**in_order).label("last_leases"),
        func.sum(judged.c.length).over(**in_order).label("bytes"),
    ).cte("placed")
    is_next = and_(placed.c.last_leases == 0, placed.c.bytes <= literal_column(str(PAGE_BYTES)))
    is_chosen = or_(placed.c.unreachable.is_not(None), is_next, placed.c.place == 1)
    return select(placed.c.tenant_id, placed.c.id, placed.c.unreachable).where(is_chosen).cte("chosen")


def _length_of_values(activity: FromClause) -> ScalarSelect[int]:
    """Select the bytes of an activity's attribute values."""
    texts = (func.coalesce(cast(value, Text), "") for value in (ActivityAttribute.value, ActivityAttribute.fallback))
    length = func.octet_length(func.concat(*texts))
    return (
        select(func.coalesce(func.sum(length), 0))
        .where(parts_of(ActivityAttribute, activity.c.tenant_id, activity.c.id))
        .scalar_subquery()
    )


def _due_rows_of_each_pair() -> Rows:
    """Select and lock the first due rows of each pair of channel and type.

    A subquery that locks is executed once for each pair: no estimate, however wrong, makes the planner merge them.
    """
    channels = func.unnest(_CHANNELS).table_valued("word", name="channels").render_derived()
    types = func.unnest(_TYPES).table_valued("word", name="types").render_derived()
    one_range = (
        select(*(ScheduledActivity.__table__.c[name] for name in _JUDGED_BY))
        .where(
            ScheduledActivity.tenant_id == _TENANT,
            type_coerce(ScheduledActivity.channel, Text) == channels.c.word,
            type_coerce(ScheduledActivity.type, Text) == types.c.word,
            is_due(_TENANT),
        )
        .order_by(*_claim_order(ScheduledActivity.__table__))
        .limit(_LIMIT)
        .with_for_update(skip_locked=True)
        .lateral("one_range")
    )
    return select(one_range).select_from(channels.join(types, true()).join(one_range, true()))


def _claim_order(rows: FromClause) -> Iterable[ColumnElement[Any]]:
    return rows.c.score.desc().nulls_last(), rows.c.due_at, rows.c.id


def _repeated_claim_statement() -> Rows:
    row = ScheduledActivity.__table__
    these = (ScheduledActivity.tenant_id == _TENANT, ScheduledActivity.claim_id == _CLAIM_ID, IS_LEASED)
    return select(row, *_WHOLE).where(*these, ScheduledActivity.executor == _EXECUTOR).order_by(*_claim_order(row))


def _seconds_to_next_statement() -> Rows:
    these_only = (
        ScheduledActivity.tenant_id == _TENANT,
        type_coerce(ScheduledActivity.channel, Text) == func.any(_CHANNELS),
        type_coerce(ScheduledActivity.type, Text) == func.any(_TYPES),
    )
    ahead = select(func.min(ScheduledActivity.due_at)).where(
        *these_only, ScheduledActivity.status == ActivityStatus.DUE, ScheduledActivity.due_at > NOW
    )
    leased = select(func.min(ScheduledActivity.lease_expires_at)).where(*these_only, IS_LEASED)
    held_by_a_claim = select(CLOCK).where(exists().where(*these_only, is_due(_TENANT)))
    moments = (ahead.scalar_subquery(), leased.scalar_subquery(), held_by_a_claim.scalar_subquery())
    return select(func.extract("epoch", func.least(*moments) - CLOCK))


CLAIM_STATEMENT = _claim_statement()
"""Take due activities, highest score first, then longest due; returns whole activities with their new leases.

An activity whose target user can't be reached any more becomes UNRESOLVED instead. It is returned too, with that
status, so that the caller knows that there may be more to take.

It reads one ordered index range for each pair of channel and type, and no further than the limit: a backlog that other
executors work on costs nothing. Rows that another claim has locked are skipped. It is built once, because building it
takes longer than executing it.
"""

REPEATED_CLAIM_STATEMENT = _repeated_claim_statement()
"""The activities that an earlier claim of the executor with this id took, as far as their leases last."""

EXPIRE_STATEMENT = expire_leases_statement(ScheduledActivity.tenant_id == _TENANT)
"""Executed before a claim, so that activities whose lease has run out can be taken by it."""

SECONDS_TO_NEXT_STATEMENT = _seconds_to_next_statement()
"""The seconds until a mark made ahead becomes visible or a lease runs out: no notification is sent at these moments."""
