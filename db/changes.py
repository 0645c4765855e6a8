"""What clients and operators may change, decided under the row's lock: in a run's step, or by the API once it ended."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic.alias_generators import to_camel
from sqlalchemy import ColumnElement, delete, func, insert, null, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from db import leases, models
from db.models import ScheduledActivity, StatusEvent
from db.parts import resolved_parts
from db.rows import Event, changed, with_event
from db.snapshots import SNAPSHOTS, paused_at, snapshot
from workflows.display import contract_time
from workflows.messages import (
    ActivityRef,
    Apply,
    AssignTarget,
    BringBack,
    Cancel,
    Change,
    ExecuteNow,
    Fault,
    RejectedError,
    Rejection,
    Reschedule,
    ResolvedAttributes,
    ResolvedTarget,
    RetryResolution,
    ScheduledActivityInput,
    ScheduledActivityRequest,
    Snapshot,
    Standing,
    Terminate,
)
from workflows.resolution import why_unresolved
from workflows.resolution.criteria import REACHED_BY
from workflows.words import ActivityStatus, AttributeStatus, EventType, LockReason, TargetStatus, TargetStrategy

NOT_CARRIED_OUT = (EventType.CHANGE_WITHDRAWN, EventType.CHANGE_REFUSED)
READY, UNRESOLVED, DUE = ActivityStatus.READY, ActivityStatus.UNRESOLVED, ActivityStatus.DUE


def rejected_change(
    code: str, detail: str, *, status: ActivityStatus | None = None, pointer: str = ""
) -> RejectedError:
    """Build the rejection of a change that the activity's state, or a value in the change, does not allow."""
    faults = (Fault(pointer=pointer, detail=detail),) if pointer else ()
    return RejectedError(Rejection(code=code, detail=detail, status=status, faults=faults))


@dataclass(frozen=True)
class _Case:
    """One wanted change, and the activity as it is under the lock; which stands for every guard."""

    connection: AsyncConnection
    wanted: Apply
    seen: Snapshot

    def event(
        self,
        event_type: EventType,
        to_status: ActivityStatus,
        details: dict[str, Any] | None = None,
        *,
        why: str | None = None,
        code: str = "resolution_failed",
    ) -> Event:
        """The line of the trail that tells of it."""
        return Event(
            event_type,
            self.wanted.key,
            to_status,
            from_status=self.seen.status,
            actor=self.wanted.change.actor,
            error_code=code if why else None,
            error_message=why,
            details=details,
        )

    async def write(
        self,
        values: dict[str, Any],
        event: Event,
        target: ResolvedTarget | None = None,
        attributes: ResolvedAttributes | None = None,
    ) -> None:
        """Row, event and parts in one statement."""
        row = changed(self.wanted.tenant_id, self.wanted.id, true(), values)
        parts = resolved_parts(row, target, attributes, self.wanted.key)
        await self.connection.execute(select(row.c.id).add_cte(with_event(row, event), *parts))


async def apply(connection: AsyncConnection, wanted: Apply) -> Standing:
    """Write the change in the caller's transaction, unless its key has been written before; answers where it stands.

    Raises:
        RejectedError: nothing was written, and why.
    """
    seen = await locked(connection, wanted)
    written = await _written(connection, wanted)
    if written and written.event_type in NOT_CARRIED_OUT:
        raise rejected_change(written.error_code, written.error_message, status=seen.status)
    if written:
        return seen.standing
    await _VERBS[type(wanted.change)](_Case(connection, wanted, seen), wanted.change)
    return (await locked(connection, wanted)).standing


async def withdraw(connection: AsyncConnection, wanted: Apply) -> bool:
    """See to it that a change that nobody has answered for is never carried out; False if it has been already.

    Whoever comes with its key after the commit, a worker that was away for hours or a run that was reset, is refused.
    """
    seen = await locked(connection, wanted)
    written = await _written(connection, wanted)
    if written:
        return written.event_type in NOT_CARRIED_OUT
    told = Rejection(code="unavailable", detail="Its caller has been told that nothing was changed.")
    await _never(connection, wanted, seen, EventType.CHANGE_WITHDRAWN, told)
    return True


async def apply_or_refuse(connection: AsyncConnection, wanted: Apply) -> Standing | Rejection:
    """As `apply`, but a refusal takes the key too: a reset hands in again whatever its run has once accepted."""
    try:
        return await apply(connection, wanted)
    except RejectedError as refused:
        if refused.rejection.code != "activity_not_found" and not await _written(connection, wanted):
            seen = await locked(connection, wanted)
            await _never(connection, wanted, seen, EventType.CHANGE_REFUSED, refused.rejection)
        return refused.rejection


async def _never(
    connection: AsyncConnection, wanted: Apply, seen: Snapshot, event_type: EventType, rejection: Rejection
) -> None:
    values = {
        "tenant_id": wanted.tenant_id,
        "activity_id": wanted.id,
        "event_key": wanted.key,
        "event_type": event_type,
        "from_status": seen.status,
        "to_status": seen.status,
        "actor": wanted.change.actor,
        "error_code": rejection.code,
        "error_message": rejection.detail,
        "details": {"change": wanted.change.verb},
        "occurred_at": func.clock_timestamp(),
    }
    await connection.execute(insert(StatusEvent).values(values))


async def locked(connection: AsyncConnection, ref: ActivityRef) -> Snapshot:
    """Take the lock first, and look then: whoever held it may have changed the parts as well."""
    this = (ScheduledActivity.tenant_id == ref.tenant_id, ScheduledActivity.id == ref.id)
    await connection.execute(select(ScheduledActivity.id).where(*this).with_for_update())
    row = (await connection.execute(SNAPSHOTS.where(*this))).one_or_none()
    if row is None:
        raise rejected_change("activity_not_found", f"This tenant has no activity {ref.id}.")
    return snapshot(row)


async def input_of(connection: AsyncConnection, ref: ActivityRef, lead_seconds: float) -> ScheduledActivityInput:
    """Build the input of a run that goes on from the row."""
    request = await connection.execute(
        select(ScheduledActivity.request).where(
            ScheduledActivity.tenant_id == ref.tenant_id, ScheduledActivity.id == ref.id
        )
    )
    return ScheduledActivityInput(
        id=ref.id,
        tenant_id=ref.tenant_id,
        request=ScheduledActivityRequest.model_validate(request.scalar_one()),
        lead_seconds=lead_seconds,
    )


async def _written(connection: AsyncConnection, wanted: Apply) -> Any:
    """What the change's key has come to, if anything."""
    event = select(StatusEvent.event_type, StatusEvent.error_code, StatusEvent.error_message)
    of_key = event.where(*_events_of(wanted), StatusEvent.event_key == wanted.key)
    return (await connection.execute(of_key)).one_or_none()


async def _cancel(case: _Case, change: Cancel) -> None:
    if case.seen.status is ActivityStatus.CANCELED:
        return
    if case.seen.status is ActivityStatus.DISPATCHED:
        case = await _given_back(case)
    _allow(case.seen, "canceled", READY, UNRESOLVED, DUE)
    event = case.event(EventType.CANCELED, ActivityStatus.CANCELED, {"reason": change.reason})
    values = await _take_back(case) | {"status": ActivityStatus.CANCELED, "why": change.reason}
    await case.write(values, event)


async def _given_back(case: _Case) -> _Case:
    """A lease that has run out is nobody's, and that is written down first; who still has one is named."""
    this = (ScheduledActivity.tenant_id == case.wanted.tenant_id, ScheduledActivity.id == case.wanted.id)
    await case.connection.execute(leases.expire(*this))
    holder = (await case.connection.execute(leases.holder(*this))).one_or_none()
    if holder:
        detail = f"The activity was taken by {holder.executor}, whose lease ends at {holder.until}: it is too late."
        raise rejected_change("wrong_status", detail, status=case.seen.status)
    return replace(case, seen=await locked(case.connection, case.wanted))


async def _reschedule(case: _Case, change: Reschedule) -> None:
    """The status comes before the version: who is too late shall hear that, not that somebody was faster."""
    _allow(case.seen, "changed", READY, UNRESOLVED)
    if change.if_versions is not None and case.seen.version not in change.if_versions:
        detail = f'It was changed since it was read: its ETag is now "{case.seen.version}". Read it again, then decide.'
        raise rejected_change("stale_etag", detail, status=case.seen.status)
    asked = change.model_dump(
        include={"scheduled_at", "suggested_execution_time", "score"}, exclude_none=True, mode="python"
    )
    details: dict[str, Any] = {"reason": change.reason}
    details |= {to_camel(name): _both(getattr(case.seen, name), value) for name, value in asked.items()}
    if change.scheduled_at:
        asked |= await _take_back(case)
    if change.scheduled_at not in {None, case.seen.scheduled_at}:
        asked |= {"moved_at": func.now()}
    await case.write(asked, case.event(EventType.RESCHEDULED, case.seen.status, details))


def _both(before: datetime | int | None, after: datetime | int) -> dict[str, str | int | None]:
    """What it was and what it is, as answers would show it."""
    values = {"before": before, "after": after}
    return {name: contract_time(one) if isinstance(one, datetime) else one for name, one in values.items()}


async def _execute_now(case: _Case, change: ExecuteNow) -> None:
    """Due from now on; if what was left for its time can't be resolved, it is UNRESOLVED, as it would be then."""
    _allow(case.seen, "executed now", READY)
    await _allow_becoming_due(case)
    target, attributes = _still_open(case.seen, change)
    why = why_unresolved(target, attributes)
    if why:
        event = case.event(EventType.RESOLUTION_FAILED, UNRESOLVED, why=why)
        await case.write({"status": UNRESOLVED, "why": why}, event, target, attributes)
        return
    await _take_back(case)
    values = {"status": DUE, "due_at": func.now(), "marked_at": func.now(), "lateness_ms": 0}
    event = case.event(EventType.DUE, DUE, {"executeNow": True})
    await case.write(values, event, target, attributes)


async def _retry_resolution(case: _Case, change: RetryResolution) -> None:
    _allow(case.seen, "resolved again", UNRESOLVED)
    target, attributes = _still_open(case.seen, change)
    why = why_unresolved(target, attributes)
    event = (
        case.event(EventType.RESOLUTION_RETRY_FAILED, UNRESOLVED, why=why)
        if why
        else case.event(EventType.RESOLUTION_RETRY_SUCCESS, READY)
    )
    values = {"status": event.to_status, "why": why}
    await case.write(values, event, target, attributes)


def _still_open(
    seen: Snapshot, change: ExecuteNow | RetryResolution
) -> tuple[ResolvedTarget | None, ResolvedAttributes | None]:
    """What somebody else has found since the search began stays found, whatever this search has come to."""
    wanted = {one.status for one in seen.target_users} & {TargetStatus.PENDING, TargetStatus.FAILED}
    missing = {one.key for one in seen.attributes if one.status in {AttributeStatus.PENDING, AttributeStatus.FAILED}}
    found = change.attributes
    if found:
        kept = tuple(one for one in found.attributes if one.key in missing)
        found = found.model_copy(update={"attributes": kept})
    return change.target if wanted else None, found


async def _assign_target(case: _Case, change: AssignTarget) -> None:
    _allow(case.seen, "assigned", READY, UNRESOLVED)
    _allow_target(case.seen, change)
    await _allow_user(case, change)
    target = ResolvedTarget(
        status=TargetStatus.RESOLVED,
        strategy=TargetStrategy.MANUAL,
        commerce_user_id=change.commerce_user_id,
        lock_reason=LockReason.MANUAL_ASSIGNMENT,
        explanation={"summary": "An operator has assigned the user.", "commerceUserId": str(change.commerce_user_id)},
    )
    why = "; ".join(_failed_attributes(case.seen)) or None
    details = {"targetUserId": str(change.target_user_id), "commerceUserId": str(change.commerce_user_id)}
    event = case.event(EventType.TARGET_ASSIGNED, UNRESOLVED if why else READY, details, why=why)
    await case.write({"status": event.to_status, "why": why}, event, target)


async def _terminate(case: _Case, change: Terminate) -> None:
    _allow(case.seen, "given up", READY, UNRESOLVED)
    values = {"status": ActivityStatus.FAILED, "why": change.reason}
    event_type = EventType.TERMINATED_BY_OPERATOR
    event = case.event(event_type, ActivityStatus.FAILED, why=change.reason, code="terminated")
    await case.write(values, event)


async def _bring_back(case: _Case, change: BringBack) -> None:
    """Only from a termination: any other FAILED is an outcome."""
    ended = await case.connection.execute(
        select(StatusEvent.event_type, StatusEvent.from_status)
        .where(
            *_events_of(case.wanted),
            StatusEvent.to_status == ActivityStatus.FAILED,
            StatusEvent.event_type.not_in(NOT_CARRIED_OUT),
        )
        .order_by(StatusEvent.occurred_at.desc(), StatusEvent.id.desc())
        .limit(1)
    )
    last = ended.one_or_none()
    if case.seen.status is not ActivityStatus.FAILED or not last or last[0] != EventType.TERMINATED_BY_OPERATOR:
        detail = f"The activity is {case.seen.status}: only one whose run was ended in Temporal can be brought back."
        raise rejected_change("wrong_status", detail, status=case.seen.status)
    status = ActivityStatus(last.from_status)
    targets = [one.error_message for one in case.seen.target_users if one.status is TargetStatus.FAILED]
    lacks = [*(f"target user: {message}" for message in targets), *_failed_attributes(case.seen)]
    event = case.event(EventType.BROUGHT_BACK, status, {"reason": change.reason})
    await case.write({"status": status, "why": "; ".join(lacks) or None}, event)


def _failed_attributes(seen: Snapshot) -> list[str]:
    failed = [one for one in seen.attributes if one.status is AttributeStatus.FAILED]
    return [f"attribute {one.key}: {one.error_message}" for one in failed]


def _allow(seen: Snapshot, done: str, *statuses: ActivityStatus) -> None:
    """The status that counts decides: whoever was faster has won, and the loser hears what it is now."""
    if seen.status not in statuses:
        detail = f"The activity is {seen.status}: only {' or '.join(statuses)} ones can be {done}."
        raise rejected_change("wrong_status", detail, status=seen.status)


async def _allow_becoming_due(case: _Case) -> None:
    """Not in a pause: to be DUE at once is what was asked for, and nobody could take it."""
    if (await case.connection.execute(select(paused_at(case.wanted.tenant_id)))).scalar_one() is not None:
        detail = "The tenant is paused: nothing becomes due until it is resumed."
        raise rejected_change("wrong_status", detail, status=case.seen.status)


def _allow_target(seen: Snapshot, change: AssignTarget) -> None:
    target = next((one for one in seen.target_users if one.id == change.target_user_id), None)
    if target is None:
        raise rejected_change("not_found", f"The activity has no target user {change.target_user_id}.")
    if target.status not in {TargetStatus.PENDING, TargetStatus.FAILED}:
        detail = f"The target user is {target.status}: only PENDING or FAILED ones can be assigned."
        raise rejected_change("wrong_status", detail, status=seen.status)


async def _allow_user(case: _Case, change: AssignTarget) -> None:
    """An active user of this commerce who can be reached on the channel; nobody else could be served."""
    found = await case.connection.execute(
        select(models.CommerceUser.is_active, models.CommerceUser.contacts).where(
            models.CommerceUser.tenant_id == case.wanted.tenant_id,
            models.CommerceUser.id == change.commerce_user_id,
            models.CommerceUser.commerce_id == case.seen.commerce_id,
        )
    )
    user, needed = found.one_or_none(), REACHED_BY.get(case.seen.channel)
    if user is None or not user.is_active:
        detail = f"Commerce {case.seen.commerce_id} has no active user {change.commerce_user_id}."
    elif needed and not {contact["contact_type"] for contact in user.contacts} & set(needed):
        detail = (
            f"User {change.commerce_user_id} has no {' or '.join(needed)} contact, which {case.seen.channel} needs."
        )
    else:
        return
    raise rejected_change("validation_failed", detail, pointer="/commerce_user_id")


async def _take_back(case: _Case) -> dict[str, Any]:
    """Undo a mark that nobody has seen yet, as if its run had not woken: the event, and the columns to be written."""
    if case.seen.standing.status is case.seen.status:
        return {}
    await case.connection.execute(delete(StatusEvent).where(*_events_of(case.wanted), StatusEvent.event_key == "due"))
    return {"status": case.seen.status, "due_at": null(), "marked_at": null(), "lateness_ms": null()}


def _events_of(wanted: Apply) -> tuple[ColumnElement[bool], ...]:
    return StatusEvent.tenant_id == wanted.tenant_id, StatusEvent.activity_id == wanted.id


_VERBS: dict[type[Change], Callable[[_Case, Any], Awaitable[None]]] = {
    Cancel: _cancel,
    Reschedule: _reschedule,
    ExecuteNow: _execute_now,
    RetryResolution: _retry_resolution,
    AssignTarget: _assign_target,
    Terminate: _terminate,
    BringBack: _bring_back,
}
