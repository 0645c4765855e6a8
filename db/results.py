"""The statements of results: where the activity stands, and one that writes all that an accepted result changes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Row, Select, Text, and_, cast, delete, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import aliased

from db.leases import expire, trail, written
from db.models import ActivityResult, Commerce, ContactLogEntry, ScheduledActivity, TargetUser
from db.snapshots import EFFECTIVE_STATUS
from workflows.hand_off import CONTACTED, EFFECTS, Accepted, HandOff, KnownResult, Lease
from workflows.words import ActivityStatus, EventType

FOLLOW_UP_KEY = "follow-up:"

_known = (
    select(
        func.jsonb_agg(
            aggregate_order_by(
                func.jsonb_build_object(
                    "id",
                    ActivityResult.id,
                    "fingerprint",
                    ActivityResult.fingerprint,
                    "status",
                    ActivityResult.status,
                    "attempt",
                    ActivityResult.attempt,
                ),
                ActivityResult.id,
            )
        )
    )
    .where(ActivityResult.tenant_id == ScheduledActivity.tenant_id, ActivityResult.activity_id == ScheduledActivity.id)
    .correlate(ScheduledActivity)
    .scalar_subquery()
)


def exists(tenant_id: UUID, activity_id: UUID) -> Select[UUID]:
    """Whether the tenant has it."""
    return select(ScheduledActivity.id).where(*_this(tenant_id, activity_id))


def lock(tenant_id: UUID, activity_id: UUID) -> Select[UUID]:
    """Wait until nobody else changes it: what is read after that stands for the guard."""
    return exists(tenant_id, activity_id).with_for_update()


def expire_lease(tenant_id: UUID, activity_id: UUID) -> Select[Any]:
    """A lease that has run out is nobody's, and that is written down before it is judged who says what."""
    return expire(*_this(tenant_id, activity_id))


def standing(tenant_id: UUID, activity_id: UUID) -> Select[Any]:
    """What a result is judged by, for `hand_off`; `result_id` is for the one to come, later than all that are there."""
    return (
        select(
            ScheduledActivity.__table__,
            EFFECTIVE_STATUS.label("effective_status"),
            Commerce.external_id,
            _known.label("known"),
            func.uuidv7(type_=ActivityResult.id.type).label("result_id"),
        )
        .join_from(
            ScheduledActivity,
            Commerce,
            and_(Commerce.tenant_id == ScheduledActivity.tenant_id, Commerce.id == ScheduledActivity.commerce_id),
        )
        .where(*_this(tenant_id, activity_id))
    )


def hand_off(row: Row[Any]) -> HandOff:
    """A row of `standing` as the domain sees it."""
    known = tuple(KnownResult.model_validate(one) for one in row.known or ())
    return HandOff(status=row.effective_status, lease=_lease(row) if row.attempts else None, results=known)


def _lease(row: Row[Any]) -> Lease:
    return Lease(
        attempt=row.attempts,
        token=row.lease_token,
        executor=row.executor,
        taken_at=row.taken_at,
        expires_at=row.lease_expires_at,
    )


def of_provider(tenant_id: UUID, provider_activity_id: str) -> Select[UUID, int]:
    """Which activity, and which taking of it, a provider has told of under an id of its own."""
    return (
        select(ActivityResult.activity_id, ActivityResult.attempt)
        .where(ActivityResult.tenant_id == tenant_id, ActivityResult.provider_activity_id == provider_activity_id)
        .order_by(ActivityResult.id.desc())
        .limit(1)
    )


@dataclass(frozen=True)
class NewResult:
    """A result that was accepted: `values` are its columns as they were sent."""

    id: UUID
    values: dict[str, Any]
    actor: str
    why: str | None


def record(new: NewResult, seen: Row[Any], accepted: Accepted) -> Select[Any]:
    """The result, the activity's status, the event and the contact log, in one statement; the caller holds the lock."""
    values = {"status": accepted.to_status, "why": new.why if new.values["status"] in EFFECTS else seen.why}
    row = written(_this(seen.tenant_id, seen.id), values)
    result = _insert(row, new, seen, accepted)
    parts = [_event(row, new, seen, accepted), *_contacts(row, new, accepted)]
    return select(result).add_cte(*parts)


def _insert(row: CTE, new: NewResult, seen: Row[Any], accepted: Accepted) -> CTE:
    columns = ActivityResult.__table__.c
    known = new.values | {
        "id": new.id,
        "actor": new.actor,
        "attempt": accepted.attempt,
        "overrides_id": accepted.overrides,
        "from_status": seen.effective_status,
    }
    values: dict[str, Any] = {name: literal(value, columns[name].type) for name, value in known.items()}
    values |= {"tenant_id": row.c.tenant_id, "activity_id": row.c.id, "to_status": row.c.status}
    inserted = insert(ActivityResult).from_select(list(values), select(*values.values()))
    return inserted.returning(*columns).cte("result")


def _event(row: CTE, new: NewResult, seen: Row[Any], accepted: Accepted) -> CTE:
    details = {"resultId": str(new.id), "result": new.values["status"], "attempt": accepted.attempt}
    if accepted.overrides:
        overridden = next(one for one in seen.known if one["id"] == str(accepted.overrides))
        details |= {"overriddenResultId": overridden["id"], "overriddenResult": overridden["status"]}
    has_failed = new.why is not None and accepted.to_status is ActivityStatus.FAILED
    return trail(
        row,
        EventType.RESULT_OVERRIDDEN if accepted.overrides else EventType.RESULT_RECEIVED,
        seen.effective_status,
        actor=new.actor,
        details={name: literal(value, JSONB) for name, value in details.items()},
        error_code=literal("not_executed", Text) if has_failed else None,
    )


def _contacts(row: CTE, new: NewResult, accepted: Accepted) -> list[CTE]:
    """Somebody was contacted, as LAST_CONTACTED reads it; what an overridden result had said of that is taken back."""
    parts = []
    user = and_(TargetUser.tenant_id == row.c.tenant_id, TargetUser.activity_id == row.c.id)
    if accepted.overrides:
        overridden = and_(
            ActivityResult.tenant_id == row.c.tenant_id,
            ActivityResult.activity_id == row.c.id,
            ActivityResult.id == accepted.overrides,
        )
        told = delete(ContactLogEntry).where(
            user,
            overridden,
            ContactLogEntry.tenant_id == row.c.tenant_id,
            ContactLogEntry.commerce_user_id == TargetUser.commerce_user_id,
            ContactLogEntry.channel == row.c.channel,
            ContactLogEntry.contacted_at == ActivityResult.occurred_at,
            ContactLogEntry.contacted_at != new.values["occurred_at"],
        )
        parts.append(told.cte("not_contacted"))
    if new.values["status"] in CONTACTED:
        occurred_at = literal(new.values["occurred_at"], ContactLogEntry.contacted_at.type)
        columns = ["tenant_id", "commerce_id", "commerce_user_id", "channel", "contacted_at"]
        entry = select(
            row.c.tenant_id, row.c.commerce_id, TargetUser.commerce_user_id, row.c.channel, occurred_at
        ).where(user, TargetUser.commerce_user_id.is_not(None))
        parts.append(upsert(ContactLogEntry).from_select(columns, entry).on_conflict_do_nothing().cte("contacted"))
    return parts


class FollowUp(NamedTuple):
    """A result that asks for a follow-up, with the first request and the activity that has the follow-up's key."""

    tenant_id: UUID
    activity_id: UUID
    id: UUID
    follow_up_at: datetime
    actor: str
    request: dict[str, Any]
    existing_id: UUID | None


def follow_up_request(wanted: FollowUp) -> dict[str, Any]:
    """Return the first request again, under the follow-up's key and for its time."""
    again = {"idempotency_key": f"{FOLLOW_UP_KEY}{wanted.id}", "scheduled_at": wanted.follow_up_at.isoformat()}
    return wanted.request | again | {"suggested_execution_time": None}


_existing = aliased(ScheduledActivity)
_FOLLOW_UPS = (
    select(
        ActivityResult.tenant_id,
        ActivityResult.activity_id,
        ActivityResult.id,
        ActivityResult.follow_up_at,
        ActivityResult.actor,
        ScheduledActivity.request,
        _existing.id.label("existing_id"),
    )
    .join(
        ScheduledActivity,
        and_(
            ScheduledActivity.tenant_id == ActivityResult.tenant_id,
            ScheduledActivity.id == ActivityResult.activity_id,
        ),
    )
    .outerjoin(
        _existing,
        and_(
            _existing.tenant_id == ActivityResult.tenant_id,
            _existing.idempotency_key == literal(FOLLOW_UP_KEY) + cast(ActivityResult.id, Text),
        ),
    )
    .where(ActivityResult.follow_up_at.is_not(None), ActivityResult.follow_up_id.is_(None))
)


def follow_up_statement(tenant_id: UUID, activity_id: UUID, result_id: UUID) -> Select[Any]:
    """Select the `FollowUp` of one result; no row if it asks for none, or has one."""
    return _FOLLOW_UPS.where(
        ActivityResult.tenant_id == tenant_id,
        ActivityResult.activity_id == activity_id,
        ActivityResult.id == result_id,
    )


def missing_follow_ups(grace_seconds: float, limit: int) -> Select[Any]:
    """Select the `FollowUp`s that were neither created nor rejected, the oldest first."""
    return (
        _FOLLOW_UPS.where(
            ActivityResult.follow_up_error.is_(None),
            ActivityResult.received_at < func.clock_timestamp() - timedelta(seconds=grace_seconds),
        )
        .order_by(ActivityResult.id)
        .limit(limit)
    )


def follow_up_is(result: FollowUp, activity_id: UUID | None, error: str | None) -> Any:
    """What became of the follow-up; one that exists stays."""
    return (
        update(ActivityResult)
        .where(
            ActivityResult.tenant_id == result.tenant_id,
            ActivityResult.activity_id == result.activity_id,
            ActivityResult.id == result.id,
            ActivityResult.follow_up_id.is_(None),
        )
        .values(follow_up_id=activity_id, follow_up_error=error)
    )


def results_of(tenant_id: UUID, activity_id: UUID) -> Select[Any]:
    """All that executors have said of an activity, in the order of arrival."""
    return (
        select(ActivityResult.__table__)
        .where(ActivityResult.tenant_id == tenant_id, ActivityResult.activity_id == activity_id)
        .order_by(ActivityResult.id)
    )


def _this(tenant_id: UUID, activity_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return ScheduledActivity.tenant_id == tenant_id, ScheduledActivity.id == activity_id
