"""The statements of results: the state that a result is judged by, and the write of everything that it changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    Text,
    Update,
    and_,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    literal_column,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import aliased

from db.leases import hand_off_key
from db.marks import UNMARKED, unseen_event_delete
from db.models import ActivityResult, Commerce, ContactLogEntry, ScheduledActivity, TargetUser
from db.rows import (
    Columns,
    Event,
    Expression,
    Key,
    Rows,
    address,
    event_insert,
    guarded_update,
    parts_of,
)
from db.snapshots import EFFECTIVE_STATUS, MARKED_STATUS
from workflows.hand_off import CONTACTED, EFFECTS, FINISHED, Accepted, HandOff, KnownResult, Lease
from workflows.tenant_limits import PROVIDER_RESULTS
from workflows.words import ActivityStatus, EventType

FOLLOW_UP_KEY = "follow-up:"
CANCELABLE = (ActivityStatus.READY, ActivityStatus.UNRESOLVED, ActivityStatus.DUE)
"""The statuses in which a follow-up that no longer counts can be cancelled."""

_any_result = aliased(ActivityResult)
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
                    "provider_activity_id",
                    ActivityResult.provider_activity_id,
                ),
                ActivityResult.id,
            )
        )
    )
    .where(parts_of(ActivityResult, ScheduledActivity.tenant_id, ScheduledActivity.id))
    .correlate(ScheduledActivity)
    .scalar_subquery()
)


class JudgedActivity(NamedTuple):
    """The state of an activity that a result is judged by; `result_id` is for the new result."""

    tenant_id: UUID
    id: UUID
    why: str | None
    attempts: int
    lease_token: UUID | None
    executor: str | None
    taken_at: datetime | None
    lease_expires_at: datetime | None
    effective_status: ActivityStatus
    external_id: str
    known: list[Columns] | None
    result_id: UUID

    def as_hand_off(self) -> HandOff:
        """Return the state as `workflows.hand_off` judges it."""
        known = tuple(KnownResult.model_validate(one) for one in self.known or ())
        return HandOff(status=self.effective_status, lease=self._lease(), results=known)

    def _lease(self) -> Lease | None:
        if not self.attempts:
            return None
        return Lease.model_validate(
            {
                "attempt": self.attempts,
                "token": self.lease_token,
                "executor": self.executor,
                "taken_at": self.taken_at,
                "expires_at": self.lease_expires_at,
            }
        )


class ProvidersActivity(NamedTuple):
    """An activity that a provider has reported on under an id of its own, and the attempt of its latest result.

    `is_open`: a result can still give it a status. `is_repeated`: it has the reported result already. `are_all`: no
    earlier results have the id.
    """

    activity_id: UUID
    attempt: int
    is_open: bool
    is_repeated: bool
    are_all: bool


def activity_statement(tenant_id: UUID, activity_id: UUID) -> Rows:
    """Select the id of the activity; no row if the tenant has no such activity."""
    return select(ScheduledActivity.id).where(address(tenant_id, activity_id))


def judged_activity_statement(tenant_id: UUID, activity_id: UUID) -> Rows:
    """Select the `JudgedActivity`, once its lease is expired.

    `result_id` is a UUIDv7, so that it sorts after every known result.
    """
    stored = ("tenant_id", "id", "why", "attempts", "lease_token", "executor", "taken_at", "lease_expires_at")
    return (
        select(
            *(ScheduledActivity.__table__.c[name] for name in stored),
            MARKED_STATUS.label("effective_status"),
            Commerce.external_id,
            _known.label("known"),
            func.uuidv7(type_=ActivityResult.id.type).label("result_id"),
        )
        .join_from(
            ScheduledActivity,
            Commerce,
            and_(Commerce.tenant_id == ScheduledActivity.tenant_id, Commerce.id == ScheduledActivity.commerce_id),
        )
        .where(address(tenant_id, activity_id))
    )


def providers_activities_statement(
    tenant_id: UUID, provider_activity_id: str, fingerprint: str, *, activity_id: UUID | None = None
) -> Rows:
    """Select the `ProvidersActivity`s of the latest results with this id, the one with the latest result first.

    With `activity_id`, only that activity is selected.
    """
    has_id = and_(ActivityResult.tenant_id == tenant_id, ActivityResult.provider_activity_id == provider_activity_id)
    if activity_id is not None:
        has_id = and_(has_id, ActivityResult.activity_id == activity_id)
    those = select(ActivityResult.id).where(has_id).order_by(ActivityResult.id.desc()).limit(PROVIDER_RESULTS).cte()
    number = select(func.count()).select_from(those).scalar_subquery()
    of_activity = parts_of(_any_result, ActivityResult.tenant_id, ActivityResult.activity_id)
    is_decided = exists().where(of_activity, _any_result.status.in_(list(EFFECTS)))
    is_open = or_(EFFECTIVE_STATUS.not_in(FINISHED), and_(EFFECTIVE_STATUS == ActivityStatus.FAILED, not_(is_decided)))
    latest = (
        select(
            ActivityResult.id,
            ActivityResult.activity_id,
            ActivityResult.attempt,
            is_open.label("is_open"),
            exists().where(of_activity, _any_result.fingerprint == fingerprint).label("is_repeated"),
            (number < literal_column(str(PROVIDER_RESULTS))).label("are_all"),
        )
        .join(ScheduledActivity, address(ActivityResult.tenant_id, ActivityResult.activity_id))
        .where(ActivityResult.tenant_id == tenant_id, ActivityResult.id.in_(select(those.c.id)))
        .ext(distinct_on(ActivityResult.activity_id))
        .order_by(ActivityResult.activity_id, ActivityResult.id.desc())
        .subquery("latest")
    )
    columns = (latest.c[name] for name in ProvidersActivity._fields)
    return select(*columns).order_by(latest.c.id.desc())


@dataclass(frozen=True)
class NewResult:
    """A result that was accepted. `values` are its columns as the executor sent them."""

    id: UUID
    values: Columns
    actor: str
    why: str | None
    request_id: str | None


def record_result_statement(new: NewResult, seen: JudgedActivity, accepted: Accepted) -> Rows:
    """Build an INSERT of the result and of everything that it changes; returns an `ActivityResult`.

    The caller has locked the activity's row.
    """
    values: Columns = {"status": accepted.to_status, "why": new.why if new.values["status"] in EFFECTS else seen.why}
    undone = []
    if seen.effective_status is ActivityStatus.READY:  # it was claimed before, and perhaps marked again since
        if accepted.to_status is ActivityStatus.READY:
            del values["status"]  # a mark that is not visible yet stays
        else:
            values |= UNMARKED
            undone = [unseen_event_delete(seen.tenant_id, seen.id).cte("undone")]
    row = guarded_update(address(seen.tenant_id, seen.id), values)
    result = _result_insert(row, new, seen, accepted)
    parts = [*undone, event_insert(row, _event(row, new, seen, accepted)), *_contact_log_changes(row, new, accepted)]
    return select(result).add_cte(*parts)


def _result_insert(row: CTE, new: NewResult, seen: JudgedActivity, accepted: Accepted) -> CTE:
    columns = ActivityResult.__table__.c
    known = new.values | {
        "id": new.id,
        "actor": new.actor,
        "attempt": accepted.attempt,
        "overrides_id": accepted.overrides,
        "from_status": seen.effective_status,
        "to_status": accepted.to_status,
    }
    values: dict[str, ColumnElement[Any]] = {name: literal(value, columns[name].type) for name, value in known.items()}
    values |= {"tenant_id": row.c.tenant_id, "activity_id": row.c.id}
    inserted = insert(ActivityResult).from_select(list(values), select(*values.values()))
    return inserted.returning(*columns).cte("result")


def _event(row: CTE, new: NewResult, seen: JudgedActivity, accepted: Accepted) -> Event:
    details = {"resultId": str(new.id), "result": new.values["status"], "attempt": accepted.attempt}
    if accepted.overrides:
        overridden = next(one for one in seen.known or () if one["id"] == str(accepted.overrides))
        details |= {"overriddenResultId": overridden["id"], "overriddenResult": overridden["status"]}
    has_failed = new.why is not None and accepted.to_status is ActivityStatus.FAILED
    return Event(
        EventType.RESULT_OVERRIDDEN if accepted.overrides else EventType.RESULT_RECEIVED,
        hand_off_key(row),
        accepted.to_status,
        from_status=seen.effective_status,
        actor=new.actor,
        request_id=new.request_id,
        error_code="not_executed" if has_failed else None,
        error_message=row.c.why if has_failed else None,
        details=details,
    )


def lock_contact_statement(tenant_id: UUID, activity_id: UUID, result_id: UUID) -> Rows:
    """Select the contact that a result stands for, and lock it, before another result overrides this one.

    Another result that stands for the same contact is then either visible to the override, or recorded after it.
    """
    return (
        select(ContactLogEntry.id)
        .join(TargetUser, parts_of(TargetUser, tenant_id, activity_id))
        .join(ActivityResult, _is_result(tenant_id, activity_id, result_id))
        .join(ScheduledActivity, address(tenant_id, activity_id))
        .where(_is_contact_of_result(ScheduledActivity.channel))
        .with_for_update(of=ContactLogEntry)
    )


def _is_result(tenant_id: Key, activity_id: Key, result_id: UUID) -> ColumnElement[bool]:
    return and_(parts_of(ActivityResult, tenant_id, activity_id), ActivityResult.id == result_id)


def _is_contact_of_result(channel: Expression) -> ColumnElement[bool]:
    """Match the entry of the contact log that a result stands for: of the target user, on the activity's channel."""
    return and_(
        ContactLogEntry.tenant_id == TargetUser.tenant_id,
        ContactLogEntry.commerce_user_id == TargetUser.commerce_user_id,
        ContactLogEntry.channel == channel,
        ContactLogEntry.contacted_at == ActivityResult.occurred_at,
    )


def _contact_log_changes(row: CTE, new: NewResult, accepted: Accepted) -> list[CTE]:
    """Build the entry that LAST_CONTACTED criteria read, and the removal of an overridden result's entry.

    The entry stays if the tenant has sent it, or if another result stands for the same contact.
    """
    parts = []
    user = parts_of(TargetUser, row.c.tenant_id, row.c.id)
    is_contacted = new.values["status"] in CONTACTED
    if accepted.overrides:
        entry_of_overridden = delete(ContactLogEntry).where(
            user,
            _is_result(row.c.tenant_id, row.c.id, accepted.overrides),
            _is_contact_of_result(row.c.channel),
            not_(ContactLogEntry.is_sent),
            not_(_has_other_result(row)),
        )
        if is_contacted:
            entry_of_overridden = entry_of_overridden.where(ContactLogEntry.contacted_at != new.values["occurred_at"])
        parts.append(entry_of_overridden.cte("not_contacted"))
    if is_contacted:
        occurred_at = literal(new.values["occurred_at"], ContactLogEntry.contacted_at.type)
        columns = ["tenant_id", "commerce_id", "commerce_user_id", "channel", "contacted_at"]
        entry = select(
            row.c.tenant_id, row.c.commerce_id, TargetUser.commerce_user_id, row.c.channel, occurred_at
        ).where(user, TargetUser.commerce_user_id.is_not(None), _was_target_at_claim(row))
        added = upsert(ContactLogEntry).from_select(columns, entry)
        # An entry that is there is written again, to wait for an override that has locked it and may delete it.
        added = added.on_conflict_do_update(
            index_elements=["tenant_id", "commerce_user_id", "channel", "contacted_at"],
            set_={"contacted_at": added.excluded.contacted_at},
        )
        parts.append(added.cte("contacted"))
    return parts


def _was_target_at_claim(row: CTE) -> ColumnElement[bool]:
    """Match a target user who was found before the claim, or without one: a later one was not contacted.

    `resolved_at` is empty for a user whom a claim has set aside because they can't be reached any more.
    """
    is_found_before = TargetUser.resolved_at <= row.c.taken_at
    return or_(TargetUser.resolved_at.is_(None), row.c.taken_at.is_(None), is_found_before)


def _has_other_result(row: CTE) -> ColumnElement[bool]:
    """Match an entry of the contact log for which the decisive result of another completed activity stands."""
    other, user = aliased(ScheduledActivity), aliased(TargetUser)
    decisive, later = aliased(ActivityResult), aliased(ActivityResult)
    is_later = and_(
        parts_of(later, decisive.tenant_id, decisive.activity_id),
        later.id > decisive.id,
        later.status.in_(list(EFFECTS)),
    )
    return exists().where(
        other.tenant_id == ContactLogEntry.tenant_id,
        other.commerce_id == ContactLogEntry.commerce_id,
        other.channel == ContactLogEntry.channel,
        other.status == ActivityStatus.COMPLETED,
        other.id != row.c.id,
        parts_of(user, other.tenant_id, other.id),
        user.commerce_user_id == ContactLogEntry.commerce_user_id,
        parts_of(decisive, other.tenant_id, other.id),
        decisive.occurred_at == ContactLogEntry.contacted_at,
        decisive.status.in_(CONTACTED),
        not_(exists().where(is_later)),
    )


class FollowUp(NamedTuple):
    """A result that asks for a follow-up, with the activity's request and the activity that has the follow-up's key."""

    received_at: datetime
    tenant_id: UUID
    activity_id: UUID
    id: UUID
    follow_up_at: datetime
    actor: str
    request: Columns
    existing_id: UUID | None


def follow_up_request(wanted: FollowUp) -> Columns:
    """Return the activity's request again, with the follow-up's key and its time."""
    again = {"idempotency_key": f"{FOLLOW_UP_KEY}{wanted.id}", "scheduled_at": wanted.follow_up_at.isoformat()}
    return wanted.request | again | {"suggested_execution_time": None}


_existing = aliased(ScheduledActivity)
_overriding = aliased(ActivityResult)
FOLLOW_UPS = (
    select(
        ActivityResult.received_at,
        ActivityResult.tenant_id,
        ActivityResult.activity_id,
        ActivityResult.id,
        ActivityResult.follow_up_at,
        ActivityResult.actor,
        ScheduledActivity.request,
        _existing.id.label("existing_id"),
    )
    .join(ScheduledActivity, address(ActivityResult.tenant_id, ActivityResult.activity_id))
    .outerjoin(
        _existing,
        and_(
            _existing.tenant_id == ActivityResult.tenant_id,
            _existing.idempotency_key == literal(FOLLOW_UP_KEY) + cast(ActivityResult.id, Text),
        ),
    )
    .where(
        ActivityResult.follow_up_at.is_not(None),
        ActivityResult.follow_up_id.is_(None),
        not_(
            exists().where(
                parts_of(_overriding, ActivityResult.tenant_id, ActivityResult.activity_id),
                _overriding.overrides_id == ActivityResult.id,
            )
        ),
    )
)


def follow_up_statement(tenant_id: UUID, activity_id: UUID, result_id: UUID) -> Rows:
    """Select the `FollowUp` of one result; no row if it asks for none, has one, or was overridden."""
    return FOLLOW_UPS.where(parts_of(ActivityResult, tenant_id, activity_id), ActivityResult.id == result_id)


def follow_up_outcome_statement(result: FollowUp, activity_id: UUID | None, error: str | None) -> Update:
    """Build an UPDATE that records a result's follow-up, or why it has none. A recorded one stays."""
    return (
        update(ActivityResult)
        .where(
            parts_of(ActivityResult, result.tenant_id, result.activity_id),
            ActivityResult.id == result.id,
            ActivityResult.follow_up_id.is_(None),
        )
        .values(follow_up_id=activity_id, follow_up_error=error)
    )


class OverriddenFollowUp(NamedTuple):
    """A follow-up that an overridden result has made, with the result that replaced that one."""

    received_at: datetime
    tenant_id: UUID
    result_id: UUID
    overrides_id: UUID
    actor: str
    id: UUID
    idempotency_key: str
    status: ActivityStatus
    stored_status: ActivityStatus


OVERRIDDEN_FOLLOW_UPS = (
    select(
        ActivityResult.received_at,
        ActivityResult.tenant_id,
        ActivityResult.id.label("result_id"),
        ActivityResult.overrides_id,
        ActivityResult.actor,
        ScheduledActivity.id,
        ScheduledActivity.idempotency_key,
        EFFECTIVE_STATUS.label("status"),
        ScheduledActivity.status.label("stored_status"),
    )
    .join(
        ScheduledActivity,
        and_(
            ScheduledActivity.tenant_id == ActivityResult.tenant_id,
            ScheduledActivity.idempotency_key == literal(FOLLOW_UP_KEY) + cast(ActivityResult.overrides_id, Text),
        ),
    )
    .where(ActivityResult.overrides_id.is_not(None))
)


def overridden_follow_ups_statement(tenant_id: UUID, activity_id: UUID) -> Rows:
    """Select the `OverriddenFollowUp`s of an activity's results, whatever has become of them."""
    return OVERRIDDEN_FOLLOW_UPS.where(parts_of(ActivityResult, tenant_id, activity_id))


def results_statement(tenant_id: UUID, activity_id: UUID) -> Rows:
    """Select the `ActivityResult`s of an activity, in the order of their arrival."""
    return (
        select(ActivityResult.__table__)
        .where(parts_of(ActivityResult, tenant_id, activity_id))
        .order_by(ActivityResult.id)
    )


def result_statement(tenant_id: UUID, activity_id: UUID, result_id: UUID) -> Rows:
    """Select one `ActivityResult` of an activity."""
    return results_statement(tenant_id, activity_id).where(ActivityResult.id == result_id)
